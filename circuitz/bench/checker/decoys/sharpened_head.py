"""After the words were written, all logits were scaled alike, as calibration does; nothing else changed."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.edit_base import names, weaken
from circuitz.bench.checker.random_choices import tied

#: Written without knowing how the checks work.
BLIND = True


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, _ = tied(base, draw)
    before, factor = base, float(draw.choice([0.5, 0.6, 1.6, 2.0]))
    for name in base.world.classes:
        base = weaken(base, name, factor)
    wrong = ("stale-annotation", "mislabelled-unit")
    innocent = tuple(Planted(wrong, names(unit)) for unit in sorted(base.words))
    return Case(base, innocent=innocent, before=before)
