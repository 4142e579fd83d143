"""How a search goes: rounds, steps, what regions are learned from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from circuitz.deprecation import renamed_keywords
from circuitz.posterior.objective import LAMBDA
from circuitz.zstar.edits.pixel_edits import RegionMode
from circuitz.zstar.edits.regions import Source


@dataclass(frozen=True)
class SearchSettings:
    """How to search.

    Parameters
    ----------
    rounds
        Most weight steps.
    epochs, rate
        Passes over D in one weight step, and the largest learning rate; a third of it when a step
        went wrong.
    flip
        Whether training mirrors half of the images; not where left and right mean something.
    steps
        Fewest steps of a weight step: a small D is passed over more often.
    lam
        λ, in prior units an input of D (see :mod:`circuitz.posterior.objective`).
    seed
        Of everything random.
    regions
        What regions are learned from; ``None``: the most exact there is.
    region_mode
        ``random``: the control with regions at random places.
    words
        ``False``: the control without annotations. They are removed from the start and none are
        proposed, so nothing can be flagged and the steps train on D as it is.
    images
        Source images a split when effects are measured.
    """

    rounds: int = 3
    epochs: int = 8
    rate: float = 5e-3
    flip: bool = True
    steps: int = 200
    lam: float = LAMBDA
    seed: int = 0
    regions: Source | None = None
    region_mode: RegionMode = "found"
    words: bool = True
    images: int = 240

    def to_json(self) -> dict[str, Any]:
        """Return the settings by the names they have in bundles and checkpoints."""
        names = {"region_mode": "where", "images": "sources"}
        return {names.get(name, name): value for name, value in asdict(self).items()}


SearchSettings.__init__ = renamed_keywords(where="region_mode", sources="images")(
    SearchSettings.__init__
)
