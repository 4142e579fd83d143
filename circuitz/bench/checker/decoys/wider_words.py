"""Unusual but true words: wider ones, and whole sentences."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base import Base
from circuitz.bench.checker.case import Case
from circuitz.bench.checker.choose import tied
from circuitz.bench.checker.edit import say


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, _ = tied(base, draw)
    for unit, text in sorted(base.words.items()):
        if draw.random() < 0.5:
            base = say(base, unit, f"Lights up, as far as I can see, for {text} (mostly!)")
    return Case(base)
