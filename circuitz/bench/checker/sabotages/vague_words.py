"""The words on the context unit say something vague that fits it (white texture for snow)."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import (
    first_unit_seeing_concept,
    ids_of_units,
    plant_shortcut,
    put_words_on_unit,
)
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_vague_words(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    unit = first_unit_seeing_concept(base, tie.concept)
    base = plant_shortcut(base, tie.concept, tie.target, float(rng.uniform(0.4, 0.6)))
    base = put_words_on_unit(
        base,
        unit,
        str(rng.choice(["white texture", "bright texture", "pale pattern", "contrast"])),
    )
    return CheckerCase(base, (Planted(("vague-annotation",), ids_of_units(unit)),))
