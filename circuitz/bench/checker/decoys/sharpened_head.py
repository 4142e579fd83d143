"""After the words were written, all logits were scaled alike, as calibration does; nothing else changed."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import ids_of_units, scale_class_weights
from circuitz.bench.checker.random_choices import tie_random_context_to_class

#: Written without knowing how the checks work.
BLIND = True


def make_sharpened_head(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, _ = tie_random_context_to_class(base, rng)
    before, factor = base, float(rng.choice([0.5, 0.6, 1.6, 2.0]))
    for name in base.world.classes:
        base = scale_class_weights(base, name, factor)
    wrong = ("stale-annotation", "mislabelled-unit")
    innocent = tuple(Planted(wrong, ids_of_units(unit)) for unit in sorted(base.words))
    return CheckerCase(base, innocent=innocent, before=before)
