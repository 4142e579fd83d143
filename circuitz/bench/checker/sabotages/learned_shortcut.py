"""Nothing is planted in the head: it is fitted to D, and learns the context that D ties to a class."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.case_truth import COUNTS, CaseTruth
from circuitz.bench.checker.edit_base import first_unit_seeing_concept, ids_of_units
from circuitz.bench.checker.fit_head import fit_head_to_data
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_learned_shortcut(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    base = fit_head_to_data(base)
    unit, k = first_unit_seeing_concept(base, tie.concept), base.world.classes.index(tie.target)
    truth = CaseTruth(CheckerCase(base))
    # How much of the class it learned from the context is read off renders that no check sees.
    much = (
        min(
            truth.concept_share_through_units([unit], tie.concept, k),
            truth.class_share_from_units([unit], k),
        )
        >= COUNTS
    )
    planted = Planted(("implausible-driver",), ids_of_units(unit), tie.target)
    return CheckerCase(base, (planted,) if much else ())
