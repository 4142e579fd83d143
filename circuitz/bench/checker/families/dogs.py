"""Dogs: circuitz's own renderer, small, with concepts planted by training."""

from __future__ import annotations

from pathlib import Path

from circuitz.bench.checker import trained
from circuitz.bench.checker.base import Base


def build(seed: int, keep: Path | None = None) -> Base:
    """Return an honest network; ears, face, legs, body and colour are seen by a unit each."""
    return trained.build("dogs", ("tail", "coat"), seed, keep)
