"""What comes out of the induction story, and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from circuitz.demo.plotted_shares import share_with_interval
from circuitz.effects.ablation.patch_heads import HeadPatching
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.plausibility.report import Report
from circuitz.z.finding import Finding
from circuitz.z.model import AnnotatedModel


@dataclass(frozen=True, eq=False)
class CheckedModel:
    """One of the two models and what was found out about it.

    Parameters
    ----------
    z
        As annotated by the score on D, measured and checked.
    net
        Its network.
    report
        The check.
    scores
        One row a head: attention on D and on the concept set, copying, direct effect.
    edges
        One row an edge and part, from :func:`circuitz.effects.edge.head_paths.measure_head_edges`.
    right, shifted, on_fixed
        Right answers and sequences: on its held-out D, on D′, and on sequences of the one period
        that the other model learned from.
    """

    z: AnnotatedModel
    net: SmallTransformer
    report: Report
    scores: pd.DataFrame
    edges: pd.DataFrame
    right: tuple[int, int]
    shifted: tuple[int, int]
    on_fixed: tuple[int, int]


@dataclass(frozen=True, eq=False)
class InductionStory:
    """What came out of it.

    Parameters
    ----------
    summary
        The figures, as written to ``report.json``.
    induction, fixed
        The two models.
    swapped, swapped_report
        The first with words exchanged between heads, and its check.
    renamed_report
        The check of the second with words proposed by what heads match on the concept set.
    patching
        Every head at every position put back into prompts whose earlier copies were changed.
    """

    summary: dict[str, Any]
    induction: CheckedModel
    fixed: CheckedModel
    swapped: AnnotatedModel
    swapped_report: Report
    renamed_report: Report
    patching: HeadPatching


def edges_above_noise(edges: pd.DataFrame) -> pd.DataFrame:
    """Return edges that carry something: over three standard errors, and a tenth of the strongest."""
    bar = 0.1 * float(np.max(edges["effect"]))
    kept = edges.loc[(edges["effect"] > 3 * edges["se"]) & (edges["effect"] > bar)]
    return kept.sort_values(by="effect", ascending=False)


def model_figures_for_summary(model: CheckedModel) -> dict[str, Any]:
    """Return what ``report.json`` says of a model."""
    (right, n), (shifted, m) = model.right, model.shifted
    words = model.z.annotations
    return {
        "d_accuracy": right / n,
        "d_prime_accuracy": shifted / m,
        "on_fixed_accuracy": model.on_fixed[0] / model.on_fixed[1],
        "d_accuracy_ci": [
            share_with_interval(right / n, n).low,
            share_with_interval(right / n, n).high,
        ],
        "d_prime_accuracy_ci": [
            share_with_interval(shifted / m, m).low,
            share_with_interval(shifted / m, m).high,
        ],
        "heads": model.scores.to_dict("records"),
        "edges": edges_above_noise(model.edges).to_dict("records"),
        "words": dict(zip(words["target"], words["text"], strict=True)),
        "findings": [finding_for_summary(f) for f in model.report.findings],
        "unexplained": {name: list(share) for name, share in model.report.unexplained.items()},
    }


def finding_for_summary(f: Finding) -> dict[str, Any]:
    """Return what ``report.json`` says of a finding."""
    return {
        "kind": f.kind, "units": list(f.units), "target": f.target, "verdict": f.verdict,
        "estimate": f.estimate, "ci": list(f.ci), "q": f.q, "sentence": f.sentence,
    }  # fmt: skip
