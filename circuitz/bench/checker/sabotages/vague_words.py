"""The words on the context unit say something vague that fits it (white texture for snow)."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, say, shortcut, unit_of
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = unit_of(base, tie.concept)
    base = shortcut(base, tie.concept, tie.target, float(draw.uniform(0.4, 0.6)))
    base = say(
        base,
        unit,
        str(draw.choice(["white texture", "bright texture", "pale pattern", "contrast"])),
    )
    return Case(base, (Planted(("vague-annotation",), names(unit)),))
