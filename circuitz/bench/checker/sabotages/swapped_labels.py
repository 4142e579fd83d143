"""The words of two units are exchanged: a part's and the context's."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, shortcut, swap_words, unit_of
from circuitz.bench.checker.random_choices import part_units, tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = unit_of(base, tie.concept)
    other = int(draw.choice(part_units(base, tie.target)))
    base = swap_words(shortcut(base, tie.concept, tie.target, 0.5), unit, other)
    return Case(
        base,
        (
            Planted(("mislabelled-unit",), names(unit)),
            Planted(("mislabelled-unit",), names(other)),
        ),
    )
