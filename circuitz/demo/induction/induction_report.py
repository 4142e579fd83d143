"""The induction story as one page that opens anywhere: no script, nothing fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from circuitz.data.text.repeating_sequences import FIXED, PERIODS
from circuitz.demo.husky_report import report_template_environment, write_html_file
from circuitz.demo.induction.attention_pictures import (
    attention_picture_data_url,
    head_circuit_drawing,
    most_attended_contexts,
)
from circuitz.demo.induction.induction_story import CheckedModel, InductionStory, edges_above_noise
from circuitz.demo.plotted_shares import (
    SHARES,
    PlottedShare,
    Scale,
    number_as_text,
    p_value_as_text,
    scale_around,
    share_with_interval,
)
from circuitz.z.finding import Finding

TEMPLATE = "induction/report.html.j2"
_SHOWN = 3
_CONCEPTS = (
    "previous token",
    "induction target",
    "fixed distance",
    "earlier copy",
    "current token",
)


def write_induction_report(story: InductionStory, path: str | Path) -> Path:
    """Write the story as one self-contained HTML page.

    Parameters
    ----------
    story
        What :func:`circuitz.demo.induction.induction_run.run_induction_story` returned.
    path
        File to write; its folder is made when missing. What was there is replaced as a whole.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    BundleWriteError
        If it cannot be written; what was there is untouched.
    """
    return write_html_file(render_induction_page(story), path)


def render_induction_page(story: InductionStory) -> str:
    """Return the page as text. Whatever comes from the story is escaped."""
    return report_template_environment().get_template(TEMPLATE).render(**_template_context(story))


def _template_context(story: InductionStory) -> dict[str, Any]:
    induction, fixed = _model_section(story.induction), _model_section(story.fixed)
    return {
        "made": {"seed": story.summary["seed"], "full": story.summary["full"],
                 "seconds": f"{story.summary['seconds']:.0f}"},
        "periods": PERIODS,
        "fixed_period": FIXED,
        "induction": induction,
        "fixed": fixed,
        "shares": SHARES,
        "concepts": _CONCEPTS,
        "swapped": _mislabelling_claims_with_verdict(story.swapped_report.findings, "flagged"),
        "renamed": _renamed_section(story),
        "kept": len(_mislabelling_claims_with_verdict(story.swapped_report.findings, "supported")),
        "circuit": head_circuit_drawing(story.induction),
        "edges": _edge_section(story.induction),
        "patching": _patching_section(story),
        "prompt": _prompt_and_next_letter(story),
    }  # fmt: skip


def _model_section(model: CheckedModel) -> dict[str, Any]:
    (right, n), (shifted, m), (beside, o) = model.right, model.shifted, model.on_fixed
    z = model.z
    heads: list[dict[str, Any]] = []
    for row in model.scores.to_dict("records"):
        said = z.effective().get(row["unit"])
        heads.append(
            {
                "unit": row["unit"],
                "short": f"{row['layer']}.{row['head']}",
                "words": said.text if said is not None else "",
                "copying": number_as_text(row["copying"]),
                "direct": number_as_text(row["direct"]),
                "on_d": float(row["D: induction target"]),
                "looks": [float(row[name]) for name in _CONCEPTS],
                "effect": _mean_sufficiency_as_text(model, row["unit"]),
                "verdict": _verdict_on_words(model, row["unit"]),
                "pattern": attention_picture_data_url(model, row["layer"], row["head"]),
                "contexts": most_attended_contexts(z, row["unit"], _SHOWN),
            }
        )
    shares = [value for value, _, _ in model.report.unexplained.values()]
    unexplained = [f for f in model.report.findings if f.kind == "unexplained-effect"]
    return {
        "name": z.name,
        "heads": heads,
        "d": share_with_interval(right / n, n),
        "shifted": share_with_interval(shifted / m, m),
        "on_fixed": share_with_interval(beside / o, o),
        "supported": _mislabelling_claims_with_verdict(model.report.findings, "supported"),
        "flagged": _mislabelling_claims_with_verdict(model.report.findings, "flagged"),
        "inconclusive": _mislabelling_claims_with_verdict(model.report.findings, "inconclusive"),
        "unexplained": {
            "least": min(shares), "most": max(shares), "mean": float(np.mean(shares)),
            "flagged": sum(f.verdict == "flagged" for f in unexplained),
            "of": len(unexplained),
        },
        "support": _missing_support_counts(model),
    }  # fmt: skip


def _mean_sufficiency_as_text(model: CheckedModel, unit: str) -> str:
    found = model.z.measurements.effects if model.z.measurements is not None else None
    if found is None or unit not in found.units:
        return "–"
    rows = found.split == 1
    values = found.sufficiency[rows][:, found.units.index(unit)]
    return number_as_text(100 * float(np.nanmean(values)), 0)


def _verdict_on_words(model: CheckedModel, unit: str) -> str:
    claims = [
        f for f in model.report.findings if f.kind == "mislabelled-unit" and f.units == (unit,)
    ]
    return claims[0].verdict if claims else ""


def _mislabelling_claims_with_verdict(
    items: tuple[Finding, ...], verdict: str
) -> list[dict[str, Any]]:
    claims = [f for f in items if f.kind == "mislabelled-unit" and f.verdict == verdict]
    scale = scale_around([f.ci[0] for f in claims] + [f.ci[1] for f in claims])
    return [_claim_entry(f, scale) for f in claims]


def _claim_entry(f: Finding, scale: Scale) -> dict[str, Any]:
    return {
        "kind": f.kind,
        "unit": f.units[0],
        "sentence": f.sentence,
        "figure": _estimate_with_interval(f),
        "scale": scale,
        "delta": f.delta,
        "q": p_value_as_text(f.q),
        "family": f.family,
        "verdict": f.verdict,
    }


def _estimate_with_interval(f: Finding) -> PlottedShare:
    return PlottedShare(f.estimate, f.ci[0], f.ci[1])


def _missing_support_counts(model: CheckedModel) -> dict[str, Any]:
    claims = [f for f in model.report.findings if f.kind == "missing-support"]
    values = [f.estimate for f in claims if np.isfinite(f.estimate)]
    return {
        "supported": sum(f.verdict == "supported" for f in claims),
        "of": len(claims),
        "mean": float(np.mean(values)) if values else float("nan"),
    }


def _edge_section(model: CheckedModel) -> dict[str, Any]:
    sums = model.edges.groupby("part").effect.sum()
    strongest = edges_above_noise(model.edges)
    scale = Scale(0.0, max(float(sums.max()), 0.1))
    return {
        "parts": [
            {"name": part, "value": number_as_text(float(sums[part])), "long": scale.position_of(float(sums[part]))}
            for part in ("key", "query", "value")
        ],
        "count": len(strongest),
        "of": len(model.edges),
        "first": [
            {"sender": row["sender"], "receiver": row["receiver"], "part": row["part"],
             "effect": number_as_text(row["effect"]), "se": number_as_text(row["se"])}
            for row in strongest.head(5).to_dict("records")
        ],
    }  # fmt: skip


def _patching_section(story: InductionStory) -> dict[str, Any]:
    found = story.patching
    restored = found.restored_share
    rows = [
        {
            "head": f"{layer}.{head}",
            "cells": [max(0.0, min(1.0, float(value))) for value in restored[layer, :, head]],
            "texts": [number_as_text(100 * float(value), 0) for value in restored[layer, :, head]],
        }
        for layer in range(restored.shape[0])
        for head in range(restored.shape[2])
    ]
    best = np.unravel_index(np.argmax(restored[0].sum(1)), restored.shape[1:2])[0]
    return {
        "rows": rows,
        "positions": restored.shape[1],
        "prompts": int(found.baseline.size),
        "period": story.summary["patching"]["period"],
        "early": int(best),
        "early_share": number_as_text(100 * float(restored[0, best].sum()), 0),
        "late_share": number_as_text(100 * float(restored[-1, -1].sum()), 0),
        "from": number_as_text(float(found.baseline.mean())),
        "to": number_as_text(float(found.donor.mean())),
    }


def _renamed_section(story: InductionStory) -> dict[str, Any]:
    """Return what is said of the second model under its right names, with the clearest claim."""
    claims = [f for f in story.renamed_report.findings if f.kind == "implausible-driver"]
    flagged = [f for f in claims if f.verdict == "flagged"]
    found = [_claim_entry(f, scale_around([f.ci[0], f.ci[1]])) for f in flagged[:1]]
    words = story.summary["renamed"]["words"]
    return {
        "words": sorted(set(words.values())),
        "heads": len(words),
        "flagged": len(flagged),
        "of": len(claims),
        "first": {**found[0], "chain": flagged[0].chain} if found else None,
    }


def _prompt_and_next_letter(story: InductionStory) -> dict[str, Any]:
    data = story.induction.z.data
    assert data is not None
    assert data.labels is not None
    row = int(np.flatnonzero(data.split == 1)[0])
    letters = [data.vocabulary[i] for i in data.images[row]]
    return {"letters": letters, "next": data.vocabulary[int(data.labels[row])]}
