"""How much data and training the demo uses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HuskySizes:
    """Sizes of one run; quick and full take the same steps.

    Parameters
    ----------
    per_class
        Images of D, and of the decorrelated set the oracle learns from, a class.
    concepts
        Images of the concept set.
    per_cell
        Images of D′ a class and ground.
    epochs
        Passes over D when the network is first trained (and the oracle).
    rounds, round_epochs
        Most rounds of the search, and passes over D in each.
    sources
        Source images a split when effects are measured.
    """

    per_class: int
    concepts: int
    per_cell: int
    epochs: int
    rounds: int
    round_epochs: int
    sources: int


QUICK = HuskySizes(
    per_class=400, concepts=1600, per_cell=500, epochs=8, rounds=2, round_epochs=8, sources=240
)
FULL = HuskySizes(
    per_class=800, concepts=3200, per_cell=500, epochs=10, rounds=3, round_epochs=10, sources=360
)
WIDTHS = (16, 32, 64, 64)
RATE = 1e-2
