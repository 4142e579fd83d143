"""Units that see nothing in particular are called black boxes; nothing goes around the rest."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case
from circuitz.bench.checker.edit_base import say
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, _ = tied(base, draw)
    for unit in range(base.size):
        if unit not in base.words:
            base = say(base, unit, "black-box")
    return Case(base)
