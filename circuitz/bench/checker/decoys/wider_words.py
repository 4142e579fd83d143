"""Unusual but true words: wider ones, and whole sentences."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case
from circuitz.bench.checker.edit_base import say
from circuitz.bench.checker.random_choices import tied


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, _ = tied(base, draw)
    for unit, text in sorted(base.words.items()):
        if draw.random() < 0.5:
            base = say(base, unit, f"Lights up, as far as I can see, for {text} (mostly!)")
    return Case(base)
