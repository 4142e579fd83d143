"""An honest unit whose detector is none too good."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = int(draw.choice(part_units(base, tie.target)))
    mix = base.mix[0].copy()
    mix[unit] += draw.normal(0, 0.06, mix.shape[1]).astype(np.float32)
    wrong = ("mislabelled-unit", "polysemantic-unit")
    return Case(base.with_(mix=(mix, base.mix[1])), innocent=(Planted(wrong, names(unit)),))
