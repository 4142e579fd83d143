"""A unit that responds to the absence of a context, which D shows with other classes, is called a part."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.bench_world import Tie
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import add_unit, names, negate, wire
from circuitz.bench.checker.random_choices import context, part_units, target

#: Written without knowing how the checks work.
BLIND = True


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    tie = Tie(context(base, draw), target(base, draw), share=0.0, others=0.7)
    base = base.with_(ties=(tie,))
    text = base.words[int(draw.choice(part_units(base, tie.target)))]
    # It responds by much and its wire is light: noise goes by the heaviest wire.
    loud, share = 4.0, float(draw.uniform(0.7, 0.9))
    base, unit = add_unit(base, {tie.concept: loud}, text=text)
    base = wire(negate(base, unit), unit, tie.target, share / loud)
    return Case(base, (Planted(("mislabelled-unit",), names(unit)),))
