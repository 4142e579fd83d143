"""Parts are wired to the class for show, twins without words take it all back, and a context makes it."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base import Base
from circuitz.bench.checker.case import Case, Planted
from circuitz.bench.checker.choose import part_units, tied
from circuitz.bench.checker.edit import add_unit, names, shortcut, unit_of, wire

#: Written without knowing how the checks work.
BLIND = True


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    parts = part_units(base, tie.target)
    # All but nothing of the honest class is left; what parts seem to do instead adds up to nothing.
    base = shortcut(base, tie.concept, tie.target, 0.97)
    # A context that is seen badly has to outdo what other classes share with this one.
    base = wire(base, unit_of(base, tie.concept), tie.target, 0.3)
    share = float(draw.uniform(0.6, 0.9)) / len(parts)
    for part in parts:
        base, twin = add_unit(base, {base.words[part]: 1.0})
        base = wire(wire(base, part, tie.target, share), twin, tie.target, -share)
    unit = names(unit_of(base, tie.concept))
    return Case(
        base,
        (
            Planted(("implausible-driver",), unit, tie.target),
            Planted(("missing-support",), (), tie.target),
        ),
    )
