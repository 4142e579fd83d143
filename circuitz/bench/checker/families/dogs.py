"""Dogs: circuitz's own renderer, small, with concepts planted by training."""

from __future__ import annotations

from pathlib import Path

from circuitz.bench.checker import trained_base as trained
from circuitz.bench.checker.base_network import Base


def build(seed: int, keep: Path | None = None) -> Base:
    """Return an honest network; ears, face, legs, body and colour are seen by a unit each."""
    return trained.build("dogs", ("tail", "coat"), seed, keep)
