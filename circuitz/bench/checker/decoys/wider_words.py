"""Unusual but true words: wider ones, and whole sentences."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.edit_base import put_words_on_unit
from circuitz.bench.checker.random_choices import tie_random_context_to_class


def make_wider_words(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, _ = tie_random_context_to_class(base, rng)
    for unit, text in sorted(base.words.items()):
        if rng.random() < 0.5:
            base = put_words_on_unit(
                base, unit, f"Lights up, as far as I can see, for {text} (mostly!)"
            )
    return CheckerCase(base)
