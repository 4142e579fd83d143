"""Nothing is planted in the head: it is fitted to D, and learns the context that D ties to a class."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.case_truth import COUNTS, Truth
from circuitz.bench.checker.edit_base import names, unit_of
from circuitz.bench.checker.learned import learned
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    base = learned(base)
    unit, k = unit_of(base, tie.concept), base.world.classes.index(tie.target)
    truth = Truth(Case(base))
    # How much of the class it learned from the context is read off renders that no check sees.
    much = min(truth.carries([unit], tie.concept, k), truth.share([unit], k)) >= COUNTS
    planted = Planted(("implausible-driver",), names(unit), tie.target)
    return Case(base, (planted,) if much else ())
