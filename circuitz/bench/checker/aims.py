"""What is aimed at, and whether it was met; by family, not only pooled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

Q = (0.05, 0.10)


@dataclass(frozen=True)
class BenchmarkAim:
    """One aim.

    Parameters
    ----------
    what, where
        Which figure, and of what: ``all``, or a family.
    value
        As measured; ``None`` where there was nothing to measure it on.
    aim
        In words, with the number.
    met
        Whether it was; never where there is no value.
    """

    what: str
    where: str
    value: float | None
    aim: str
    met: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def compare_with_aims(figures: Mapping[str, Any]) -> list[BenchmarkAim]:
    """Hold the figures of :func:`circuitz.bench.checker.score_results.score_benchmark` against the aims."""
    found = [
        t
        for where, row in _figures_pooled_and_by_family(figures)
        for t in _compare_family_with_aims(where, row)
    ]
    edges = figures["auroc_edges"]
    ours, peers = edges["ours"], [v for k, v in edges.items() if k != "ours" and v is not None]
    found.append(_compare_with_lower_bound("AUROC of edges", "all", ours, 0.95))
    above = ours is not None and bool(peers) and ours > max(peers)
    found.append(BenchmarkAim("AUROC of edges", "all", ours, "above EAP and EAP-IG", above))
    found.append(
        _compare_with_lower_bound(
            "overlap of flags under resampling", "all", figures["flag_jaccard"], 0.90
        )
    )
    for kind, row in figures["null_rate"].items():
        found.append(
            _compare_with_upper_bound(f"nulls rejected at .05: {kind}", "all", row["rate"], 0.055)
        )
    found.append(
        _compare_with_upper_bound("know nothing, flagged", "all", figures["nothing"]["rate"], 0.05)
    )
    absent = figures["conditions"].get("concept-absent", {}).get("wrongly_supported")
    found.append(_compare_with_upper_bound("concept absent, wrongly supported", "all", absent, 0))
    return found


def _figures_pooled_and_by_family(
    figures: Mapping[str, Any],
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "all", figures
    yield from figures["by_family"].items()


def _compare_family_with_aims(family: str, row: Mapping[str, Any]) -> Iterator[BenchmarkAim]:
    yield _compare_with_lower_bound("caught", family, row["caught_rate"], 0.95)
    yield _compare_with_upper_bound("false alarms", family, row["false_alarm_rate"], 0.05)
    yield _compare_with_upper_bound("inconclusive", family, row["inconclusive_rate"], 0.15)
    for q in Q:
        found = row["fdr"][f"{q:.2f}"]
        rate, low = found["rate"], found["low"]
        met = rate is None or (rate <= 1.1 * q and low <= q)
        aim = f"<= {1.1 * q:.3g}, and its interval reaches down to {q:.2g}"
        yield BenchmarkAim(f"FDR at {q:.2f}", family, rate, aim, met)


def _compare_with_lower_bound(
    what: str, family: str, value: float | None, bound: float
) -> BenchmarkAim:
    return BenchmarkAim(what, family, value, f">= {bound:g}", value is not None and value >= bound)


def _compare_with_upper_bound(
    what: str, family: str, value: float | None, bound: float
) -> BenchmarkAim:
    return BenchmarkAim(what, family, value, f"<= {bound:g}", value is not None and value <= bound)
