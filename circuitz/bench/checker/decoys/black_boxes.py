"""Units that see nothing in particular are called black boxes; nothing goes around the rest."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.edit_base import put_words_on_unit
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_black_boxes(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, _ = tie_random_context_to_class(base, rng)
    for unit in range(base.unit_count):
        if unit not in base.words:
            base = put_words_on_unit(base, unit, "black-box")
    return CheckerCase(base)
