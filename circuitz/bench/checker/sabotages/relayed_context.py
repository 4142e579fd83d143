"""The context reaches the class through a step that also hands on parts of it."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, relay, unit_of, weaken
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = unit_of(base, tie.concept)
    part = int(draw.choice(part_units(base, tie.target)))
    share = float(draw.uniform(0.4, 0.6))
    base = relay(weaken(base, tie.target, 1 - share), {unit: 0.8, part: 0.5}, tie.target, share)
    return Case(base, (Planted(("implausible-driver",), names(unit), tie.target),))
