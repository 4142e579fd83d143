"""From the results of all jobs to the figures of the benchmark."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from circuitz.bench.checker.edge_ranking import METHODS
from circuitz.bench.checker.nulls import null_rejection_rates

Result = Mapping[str, Any]
_RESAMPLES = 2000


def score_benchmark(results: Sequence[Result]) -> dict[str, Any]:
    """Return the figures.

    Parameters
    ----------
    results
        Of :func:`circuitz.bench.checker.run_one_job.run_benchmark_job`.
    """
    failed = [r for r in results if "failed" in r]
    results = [r for r in results if "failed" not in r]
    every = [r for r in results if r["kind"] == "case"]
    cases = [r for r in every if not r["condition"] and r["role"] != "nothing"]
    return {
        **_detection_figures(cases),
        **_edge_stability_null_figures(results),
        "nothing": _blank_network_figures([r for r in every if r["role"] == "nothing"]),
        "conditions": {
            name: _condition_figures(some)
            for name, some in _group_results_by_key(every, lambda r: r["condition"]).items()
            if name
        },
        "by_kind": _finding_counts_by_kind(cases),
        "by_family": {
            name: _detection_figures(some)
            for name, some in _group_results_by_key(cases, lambda r: r["family"]).items()
        },
        "by_case": {
            name: _case_figures(some)
            for name, some in _group_results_by_key(cases, lambda r: r["name"]).items()
        },
        "escaped": list(_records_of_uncaught_plants(cases)),
        "false_findings": list(_records_of_false_flags(cases)),
        "failed": [{**_case_identity(r), "kind": r["kind"], "why": r["failed"]} for r in failed],
        "seconds": {
            "wall": sum(r["seconds"] for r in results),
            "processor": sum(r["cpu_seconds"] for r in results),
        },
    }


def _detection_figures(cases: Sequence[Result]) -> dict[str, Any]:
    planted = [p for r in cases for p in r["planted"]]
    caught = sum(p["caught"] for p in planted)
    decoys = [r for r in cases if r["role"] == "decoy"]
    alarms = sum(any(_is_false_flag(f) for f in r["findings"]) for r in decoys)
    findings = [f for r in cases for f in r["findings"]]
    clear = [f for f in findings if f["true"] is not None]
    return {
        "networks": len(cases),
        "planted": len(planted),
        "caught": caught,
        "caught_rate": _ratio_or_none(caught, len(planted)),
        "decoys": len(decoys),
        "false_alarms": alarms,
        "false_alarm_rate": _ratio_or_none(alarms, len(decoys)),
        "fdr": {q: _fdr_with_interval(cases, q) for q in ("0.05", "0.10")},
        "inconclusive_rate": _ratio_or_none(
            sum(f["verdict"] == "inconclusive" for f in clear), len(clear)
        ),
        # A claim that was cleared although it is true: the one error that must not happen.
        "wrongly_supported": sum(f["verdict"] == "supported" for f in clear if f["true"]),
        "grey": len(findings) - len(clear),
    }


def _edge_stability_null_figures(results: Sequence[Result]) -> dict[str, Any]:
    """Edges, stability and nulls, each with what it was by family."""
    edges = [r for r in results if r["kind"] == "edges"]
    stability = [r for r in results if r["kind"] == "stability"]
    return {
        "auroc_edges": _mean_auroc_by_method(edges),
        "auroc_edges_by_family": {
            name: {kind: _mean_auroc_by_method(some, kind) for kind in some[0]["auroc"]}
            for name, some in _group_results_by_key(edges, lambda r: r["family"]).items()
        },
        "flag_jaccard": _mean_without_nan([v for r in stability for v in r["jaccard"]]),
        "null_rate": null_rejection_rates([r["counts"] for r in results if r["kind"] == "nulls"]),
    }


def _mean_auroc_by_method(edges: Sequence[Result], kind: str = "") -> dict[str, float | None]:
    """Mean over networks, and over kinds of edges unless one is named."""
    found: dict[str, float | None] = {}
    for method in METHODS:
        values = [v[method] for r in edges for name, v in r["auroc"].items() if kind in ("", name)]
        found[method] = _mean_without_nan(values)
    return found


def _blank_network_figures(cases: Sequence[Result]) -> dict[str, Any]:
    wrong = sum(any(_is_false_flag(f) for f in r["findings"]) for r in cases)
    return {
        "networks": len(cases),
        "refused": sum("refused" in r for r in cases),
        "flagged_wrongly": wrong,
        "rate": _ratio_or_none(wrong, len(cases)),
    }


def _condition_figures(cases: Sequence[Result]) -> dict[str, Any]:
    figures = _detection_figures(cases)
    keys = (
        "networks",
        "planted",
        "caught_rate",
        "false_alarm_rate",
        "inconclusive_rate",
        "wrongly_supported",
    )
    return {key: figures[key] for key in keys} | {"fdr": figures["fdr"]["0.05"]["rate"]}


def _mean_without_nan(values: Sequence[float]) -> float | None:
    known = [v for v in values if not math.isnan(v)]
    return float(np.mean(known)) if known else None


def _case_figures(cases: Sequence[Result]) -> dict[str, Any]:
    planted = [p["caught"] for r in cases for p in r["planted"]]
    return {
        "role": cases[0]["role"],
        "networks": len(cases),
        "planted": len(planted),
        "caught_rate": _ratio_or_none(sum(planted), len(planted)),
        "with_false_finding": sum(any(_is_false_flag(f) for f in r["findings"]) for r in cases),
        "seconds": round(float(np.mean([r["seconds"] for r in cases])), 2),
    }


def _fdr_with_interval(cases: Sequence[Result], q: str) -> dict[str, Any]:
    """Share of false findings among all flagged, with a bootstrap interval over networks."""
    counts = np.array([_count_false_true_grey_flags(r, q) for r in cases], float).reshape(-1, 3)
    false, known = counts[:, 0], counts[:, 0] + counts[:, 1]
    draw = np.random.default_rng(0)
    found = {
        "rate": _ratio_or_none(false.sum(), known.sum()),
        # What Benjamini and Hochberg bound: the expected share, 0 where nothing is flagged.
        "mean_share": float((false / np.maximum(known, 1)).mean()) if len(cases) else None,
        "false": int(false.sum()),
        "true": int(counts[:, 1].sum()),
        "grey": int(counts[:, 2].sum()),
        "low": None,
        "high": None,
    }
    if known.sum():
        rows = draw.integers(0, len(cases), (_RESAMPLES, len(cases)))
        rates = false[rows].sum(1) / np.maximum(known[rows].sum(1), 1)
        found["low"], found["high"] = np.quantile(rates, (0.025, 0.975)).tolist()
    return found


def _count_false_true_grey_flags(result: Result, q: str) -> tuple[int, int, int]:
    flags = (
        [f["true"] for f in result["findings"] if f["verdict"] == "flagged"]
        if q == "0.05"
        else result.get("loose", [])
    )
    return flags.count(False), flags.count(True), flags.count(None)


def _finding_counts_by_kind(cases: Sequence[Result]) -> dict[str, Any]:
    kinds: dict[str, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(
            (
                "planted",
                "caught",
                "findings",
                "flagged",
                "false",
                "grey",
                "inconclusive",
                "supported",
            ),
            0,
        )
    )
    for r in cases:
        for p in r["planted"]:
            # Where several kinds are right, the first is the one the definitions name.
            kinds[p["kinds"][0]]["planted"] += 1
            kinds[p["kinds"][0]]["caught"] += p["caught"]
        for f in r["findings"]:
            row = kinds[f["kind"]]
            row["findings"] += 1
            row[f["verdict"]] += 1
            row["false"] += _is_false_flag(f)
            row["grey"] += f["verdict"] == "flagged" and f["true"] is None
    return {
        name: {**row, "caught_rate": _ratio_or_none(row["caught"], row["planted"])}
        for name, row in sorted(kinds.items())
    }


def _records_of_uncaught_plants(cases: Iterable[Result]) -> Iterable[dict[str, Any]]:
    for r in cases:
        for p in r["planted"]:
            if not p["caught"]:
                yield {
                    **_case_identity(r),
                    "expected": {k: p[k] for k in ("kinds", "units", "target")},
                    "found": [f"{s['verdict']} {s['kind']}: {s['sentence']}" for s in p["said"]],
                }


def _records_of_false_flags(cases: Iterable[Result]) -> Iterable[dict[str, Any]]:
    for r in cases:
        for f in r["findings"]:
            if _is_false_flag(f):
                yield {
                    **_case_identity(r),
                    **{k: f[k] for k in ("kind", "units", "target", "sentence")},
                }


def _case_identity(r: Result) -> dict[str, Any]:
    return {key: r[key] for key in ("role", "name", "family", "seed")}


def _is_false_flag(finding: Mapping[str, Any]) -> bool:
    return finding["verdict"] == "flagged" and finding["true"] is False


def _ratio_or_none(count: float, of: float) -> float | None:
    return float(count) / float(of) if of else None


def _group_results_by_key(
    results: Iterable[Result], key: Callable[[Result], str]
) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        found[key(result)].append(result)
    return dict(sorted(found.items()))
