"""Birds: the second renderer, on which nothing was tuned."""

from __future__ import annotations

from pathlib import Path

from circuitz.bench.checker import trained_base as trained
from circuitz.bench.checker.base_network import Base


def build(seed: int, keep: Path | None = None) -> Base:
    """Return an honest network; wings, legs, throat and colour are seen by a unit each."""
    return trained.build("birds", ("beak", "crown", "tail", "neck"), seed, keep)
