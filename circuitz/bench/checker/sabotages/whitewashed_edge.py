"""A context makes a class, and the words on the edge say that it speaks against it."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, say_edge, shortcut, unit_of
from circuitz.bench.checker.random_choices import tied

#: Written without knowing how the checks work.
BLIND = True


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    unit = unit_of(base, tie.concept)
    base = shortcut(base, tie.concept, tie.target, float(draw.uniform(0.4, 0.6)))
    base = say_edge(base, unit, tie.target, f"inhibits {tie.target}")
    return Case(
        base,
        (
            Planted(("mislabelled-edge",), names(unit), tie.target),
            Planted(("implausible-driver",), names(unit), tie.target),
        ),
    )
