"""Birds: the second renderer, on which nothing was tuned."""

from __future__ import annotations

from pathlib import Path

from circuitz.bench.checker import rendered_base
from circuitz.bench.checker.base_network import BaseNetwork


def build_birds(seed: int, trunk_folder: Path | None = None) -> BaseNetwork:
    """Return an honest network; wings, legs, throat and colour are seen by a unit each."""
    return rendered_base.build_rendered_base_network(
        "birds", ("beak", "crown", "tail", "neck"), seed, trunk_folder
    )
