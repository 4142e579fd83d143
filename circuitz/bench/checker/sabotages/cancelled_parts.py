"""Parts are wired to the class for show, twins without words take it all back, and a context makes it."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import add_unit, names, rewire_unit, unit_of, weaken, wire
from circuitz.bench.checker.random_choices import part_units, tied

#: Written without knowing how the checks work.
BLIND = True


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    parts = part_units(base, tie.target)
    # It responds by much and its wire is light: noise goes by the heaviest wire.
    unit, loud = unit_of(base, tie.concept), 4.0
    base = rewire_unit(base, unit, {tie.concept: loud})
    # All but nothing of the honest class is left; what parts seem to do instead adds up to nothing.
    # A context that is seen badly has to outdo what other classes share with this one.
    base = wire(weaken(base, tie.target, 0.03), unit, tie.target, 1.27 / loud)
    share = float(draw.uniform(0.6, 0.9)) / len(parts)
    for part in parts:
        base, twin = add_unit(base, {base.words[part]: 1.0})
        base = wire(wire(base, part, tie.target, share), twin, tie.target, -share)
    return Case(
        base,
        (
            Planted(("implausible-driver",), names(unit), tie.target),
            Planted(("missing-support",), (), tie.target),
        ),
    )
