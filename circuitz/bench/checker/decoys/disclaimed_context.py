"""Words on part units say what they see, and that the context behind it is not meant."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, say
from circuitz.bench.checker.random_choices import part_units, tied

#: Written without knowing how the checks work.
BLIND = True


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, tie = tied(base, draw)
    parts = part_units(base, tie.target)
    for unit in parts:
        base = say(base, unit, f"{base.words[unit]}, not {tie.concept}")
    wrong = ("implausible-driver", "mislabelled-unit")
    return Case(base, innocent=tuple(Planted(wrong, names(unit)) for unit in parts))
