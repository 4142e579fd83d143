"""Which class somebody who holds a card said an input is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from circuitz.store.judgement import NO_OPTIONS, RaterKind, Use

Arm = Literal["shown", "hidden"]
ARMS: tuple[Arm, ...] = ("shown", "hidden")


@dataclass(frozen=True)
class ClassAnswer:
    """One answer to "which class is it?".

    Parameters
    ----------
    item
        Content hash of the input.
    card_hash
        The card that was held.
    choice
        The class, ``cannot tell`` or ``not usable``.
    arm
        ``shown`` where the picture was seen, ``hidden`` where only the activity of the card's cues
        was.
    options
        The classes in the order shown.
    rater, rater_kind
        Who said it.
    use
        What it may be used for.
    activity_hash
        The :class:`circuitz.cards.activity.CardActivity` that was seen; empty where none was.
    probabilities
        How likely the rater finds each class, where they said so.
    repeat
        Whether the question was asked a second time.
    z_hash
        The z the card was made from.
    seconds
        How long it took, where that is known.
    task, id
        The task, and the judgement it was read from.
    """

    item: str
    card_hash: str
    choice: str
    arm: Arm = "shown"
    options: tuple[str, ...] = ()
    rater: str = ""
    rater_kind: RaterKind = "person"
    use: Use = "train"
    activity_hash: str = ""
    probabilities: Mapping[str, float] = field(default_factory=dict[str, float])
    repeat: bool = False
    z_hash: str = ""
    seconds: float | None = None
    task: str = ""
    id: str = ""

    @property
    def names_class(self) -> bool:
        """Whether a class was chosen."""
        return self.choice not in NO_OPTIONS
