"""What every rater can do, person or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from circuitz.cards.card import Card
from circuitz.store.judgement import NO_OPTIONS, RaterKind

Perceived = Mapping[str, bool]
"""What a rater sees in an input: concepts present or absent; not named = cannot be seen."""

CANNOT_TELL, DISCARDED = NO_OPTIONS
"""The picture is broken, or shows nothing of the kind: nobody should be asked about it."""


@dataclass(frozen=True)
class Answer:
    """One answer to "which of these is it?".

    Parameters
    ----------
    options
        The classes in the order they were shown.
    probabilities
        How likely the rater finds each option; they sum to 1.
    choice
        The option chosen; ``None`` for "cannot tell".
    seconds
        How long it took.
    """

    options: tuple[str, ...]
    probabilities: tuple[float, ...]
    choice: str | None
    seconds: float

    def probability(self, option: str) -> float:
        """Return how likely the rater finds an option."""
        return self.probabilities[self.options.index(option)]

    def to_json(self) -> dict[str, Any]:
        """Return the answer as a judgement's ``answer``."""
        return {
            "choice": CANNOT_TELL if self.choice is None else self.choice,
            "probabilities": dict(zip(self.options, self.probabilities, strict=True)),
            "seconds": self.seconds,
        }


class Rater(Protocol):
    """Somebody who answers questions while holding a card."""

    @property
    def name(self) -> str:
        """Who it is, as written into judgements."""
        ...

    @property
    def kind(self) -> RaterKind:
        """Person, simulated or model."""
        ...

    def answer(
        self, card: Card, perceived: Perceived, *, options: Sequence[str], seed: int
    ) -> Answer:
        """Say which option the input is, from what is perceived and what the card says.

        Parameters
        ----------
        card
            What the rater holds; may say nothing.
        perceived
            What the rater sees in the input.
        options
            The classes in the order shown.
        seed
            The question's own seed.
        """
        ...
