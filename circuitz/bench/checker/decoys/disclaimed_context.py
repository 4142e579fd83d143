"""Words on part units say what they see, and that the context behind it is not meant."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.edit_base import ids_of_units, put_words_on_unit
from circuitz.bench.checker.random_choices import (
    tie_random_context_to_class,
    units_seeing_class_parts,
)

#: Written without knowing how the checks work.
BLIND = True


def make_disclaimed_context(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, tie = tie_random_context_to_class(base, rng)
    parts = units_seeing_class_parts(base, tie.target)
    for unit in parts:
        base = put_words_on_unit(base, unit, f"{base.words[unit]}, not {tie.concept}")
    wrong = ("implausible-driver", "mislabelled-unit")
    return CheckerCase(base, innocent=tuple(Planted(wrong, ids_of_units(unit)) for unit in parts))
