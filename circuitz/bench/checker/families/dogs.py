"""Dogs: circuitz's own renderer, small, with concepts planted by training."""

from __future__ import annotations

from pathlib import Path

from circuitz.bench.checker import rendered_base
from circuitz.bench.checker.base_network import BaseNetwork


def build_dogs(seed: int, trunk_folder: Path | None = None) -> BaseNetwork:
    """Return an honest network; ears, face, legs, body and colour are seen by a unit each."""
    return rendered_base.build_rendered_base_network("dogs", ("tail", "coat"), seed, trunk_folder)
