"""How often tests reject what is true by construction.

Two ways to make nothing: rows of the concept labels are permuted (within splits), so that no unit
responds to any of them; and a network without noise, whose contexts drive nothing at all (severed:
the planted weight of each is exactly 0, although D ties one to a class). What is counted is the
p-value of each claim's test of the flag, before any correction; a claim that is *supported* counts
as not rejected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.blind_check import measure_case
from circuitz.bench.checker.case_truth import CaseTruth
from circuitz.bench.checker.facts import claim_is_true
from circuitz.bench.checker.random_choices import tie_random_context_to_class
from circuitz.plausibility.check import check
from circuitz.z.finding import Finding
from circuitz.z.inputs import InputSet

ALPHA = 0.05
#: Kinds whose every claim is false once labels are permuted.
WORDS = frozenset({"mislabelled-unit", "polysemantic-unit", "contradictory-annotations"})
#: Kinds whose every claim is false in an honest network.
WIRES = frozenset(
    {
        "implausible-driver",
        "inhibitory-shortcut",
        "split-shortcut",
        "mislabelled-unit",
        "polysemantic-unit",
        "contradictory-annotations",
        "vague-annotation",
        "stale-annotation",
        "missing-support",
        "unexplained-effect",
    }
)


def count_null_rejections_by_kind(
    base: BaseNetwork, permutations: int, severed: int
) -> dict[str, dict[str, int]]:
    """Return by kind how many nulls were tested and how many rejected at .05.

    Parameters
    ----------
    permutations
        Of concept labels.
    severed
        Networks whose contexts drive nothing, each with another tie.
    """
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"nulls": 0, "rejected": 0})
    draw = np.random.default_rng([base.seed, 41])
    for i in range(severed):
        case = CheckerCase(tie_random_context_to_class(base.with_fields(noise=0.0), draw)[0])
        z = measure_case(case)
        truth = CaseTruth(case)
        items = [
            f
            for f in check(z, untrained=True).findings
            if f.kind in WIRES or claim_is_true(truth, f) is False
        ]
        _add_rejection_counts(counts, items)
        if i == 0:
            known = z.concept_set
            assert known is not None
            for _ in range(permutations):
                shuffled = z.with_(concept_set=permute_concept_labels(known, draw))
                _add_rejection_counts(
                    counts, [f for f in check(shuffled, untrained=True).findings if f.kind in WORDS]
                )
    return {kind: dict(row) for kind, row in counts.items()}


def permute_concept_labels(concept_set: InputSet, rng: np.random.Generator) -> InputSet:
    """Return a concept set whose labels belong to other images of the same split."""
    assert concept_set.concepts is not None
    assert concept_set.split is not None
    order = np.arange(len(concept_set))
    for split in np.unique(concept_set.split):
        rows = np.flatnonzero(concept_set.split == split)
        order[rows] = rng.permutation(rows)
    return replace(concept_set, concepts=concept_set.concepts[order], pairs=None)


def _add_rejection_counts(counts: dict[str, dict[str, int]], items: Sequence[Finding]) -> None:
    for f in items:
        counts[f.kind]["nulls"] += 1
        counts[f.kind]["rejected"] += f.verdict != "supported" and f.p <= ALPHA


def null_rejection_rates(results: Sequence[dict[str, dict[str, int]]]) -> dict[str, Any]:
    """Add up counts and return rates by kind."""
    total: dict[str, dict[str, int]] = defaultdict(lambda: {"nulls": 0, "rejected": 0})
    for counts in results:
        for kind, row in counts.items():
            for key, value in row.items():
                total[kind][key] += value
    return {
        kind: {**row, "rate": row["rejected"] / row["nulls"] if row["nulls"] else None}
        for kind, row in sorted(total.items())
    }
