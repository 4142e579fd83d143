"""The hidden parameters of simulated people, and the families that they are drawn from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

import numpy as np

from circuitz.errors import LabellingError

#: Grades of a cue's strength, the least first.
GRADES: Final = ("slight", "some", "strong", "very strong")


@dataclass(frozen=True)
class Habits:
    """How one person reads a card and answers.

    Parameters
    ----------
    cues, classes
        Cues read of a class, the strongest first, and classes looked at; 0 reads all.
    part_worth
        What a part that speaks for a class is worth, by grade.
    outside_cost
        What surroundings or an artefact that speak for a class cost, by grade.
    against
        Share of that cost where they speak against it.
    topics
        Parts beyond so many topics add nothing.
    worst
        Share that the worst class has in the verdict; the rest is the middle class's.
    unexplained
        Cost of an unexplained share above .15, and of one above .35.
    failed
        Cost of words that are marked as failing, a grade.
    not_understood
        Cost of words that nobody understands, a grade.
    long
        Cost of each cue beyond the third.
    agreement
        Worth of a network that mostly agrees with its own words, and cost of one that does not.
    outside_range
        Cost of activity outside what the concept set shows.
    signs
        Whether it is read if a cue speaks for a class or against it.
    worn_are_parts
        Whether what a thing wears counts as a part of it.
    noise, tie, level
        Wobble of a verdict; how near two must be to be called equal, in wobbles; the verdict below
        which a card is called implausible.
    lapse, blind
        Chance of answering anything, and of seeing a value wrongly in a picture.
    doubt
        How far an active unit is believed whose word cannot be seen.
    absence
        What an expected thing that is missing weighs against one that is there.
    sharp
        How surely the class that agrees best is chosen.
    seconds
        Per cue read.
    """

    cues: int = 8
    classes: int = 0
    part_worth: tuple[float, ...] = (0.15, 0.45, 0.9, 1.2)
    outside_cost: tuple[float, ...] = (0.1, 0.7, 1.6, 2.6)
    against: float = 0.4
    topics: int = 4
    worst: float = 0.5
    unexplained: tuple[float, float] = (0.4, 1.1)
    failed: float = 0.25
    not_understood: float = 0.45
    long: float = 0.0
    agreement: float = 0.5
    outside_range: float = 0.6
    signs: bool = True
    worn_are_parts: bool = False
    noise: float = 0.5
    tie: float = 0.4
    level: float = -1.0
    lapse: float = 0.02
    blind: float = 0.05
    doubt: float = 0.5
    absence: float = 0.6
    sharp: float = 10.0
    seconds: float = 0.35


#: What every person varies in: share of the value above, low and high.
_SPREAD: Final = {
    "part_worth": (0.8, 1.25), "outside_cost": (0.7, 1.4), "unexplained": (0.6, 1.5),
    "failed": (0.6, 1.5), "not_understood": (0.7, 1.4), "agreement": (0.5, 1.5),
    "noise": (0.7, 1.4), "sharp": (0.75, 1.3), "blind": (0.6, 1.4), "seconds": (0.6, 1.5),
}  # fmt: skip

#: Family to what is peculiar to it. Frozen: :mod:`circuitz.evaluation.people.frozen` names them.
FAMILIES: Final[Mapping[str, Habits]] = {
    "averse": Habits(outside_cost=(0.5, 1.6, 2.8, 3.8), worst=0.8, against=0.6),
    "top-two": Habits(cues=2, topics=2, worst=0.4),
    "short-cards": Habits(long=0.22, part_worth=(0.1, 0.4, 0.8, 1.1), topics=3),
    "collar-believer": Habits(worn_are_parts=True),
    "sign-blind": Habits(signs=False, against=1.0),
    "hasty": Habits(classes=2, cues=3, noise=0.8, tie=0.7, lapse=0.06, blind=0.1, sharp=6.0,
                    seconds=0.12),
    "spammer": Habits(lapse=1.0, seconds=0.05),
}  # fmt: skip
#: Families that pay attention.
ATTENTIVE: Final = tuple(name for name in FAMILIES if name != "spammer")


def draw_habits(family: str, seed: int) -> Habits:
    """Draw one person's hidden parameters.

    Raises
    ------
    LabellingError
        For an unknown family.
    """
    if family not in FAMILIES:
        raise LabellingError(
            f"There is no family of simulated people called {family!r}.",
            f"Choose one of {', '.join(FAMILIES)}.",
        )
    base = FAMILIES[family]
    digest = hashlib.sha256(f"habits\x00{family}\x00{seed}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:16], "big"))
    drawn: dict[str, Any] = {}
    for name, (low, high) in _SPREAD.items():
        share = float(rng.uniform(low, high))
        value = getattr(base, name)
        many = isinstance(value, tuple)
        drawn[name] = tuple(v * share for v in value) if many else value * share
    return replace(base, **drawn)


def habits_record(habits: Habits) -> dict[str, Any]:
    """Return parameters as JSON values, rounded: another machine's last bit is no other person."""
    record = asdict(habits)
    for name, value in record.items():
        if isinstance(value, tuple):
            record[name] = [round(float(v), 6) for v in value]
        elif isinstance(value, float):
            record[name] = round(value, 6)
    return record


HABIT_NAMES: Final = tuple(f.name for f in fields(Habits))
