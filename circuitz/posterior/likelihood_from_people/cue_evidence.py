"""What somebody who labels an input reads of the card: cue by cue, the strongest first.

In the hidden arm the activity of every cue is displayed and no picture; words are taken at face
value. In the shown arm the picture tells which words it shows. Names enter nowhere else: renaming
cues leaves the hidden arm exactly as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from circuitz.cards.activity import STEPS, CardActivity, cue_key, distinct_cues
from circuitz.cards.card import Card, Cue, Grade
from circuitz.cards.judged.class_answer import Arm
from circuitz.errors import PosteriorError

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: Whether a picture shows words, by word; words that are missing could not be told.
SeenWords = Mapping[str, bool | None]
GRADES: tuple[Grade, ...] = get_args(Grade)
N_STEPS = 2 * STEPS + 1
_LOOKED_FOR = ("seen", "not seen", "not seen, against")
#: How words are marked that are looked for: as they stand, as failing somewhere, and as not shown to
#: hold on the concept set.
MARKS = ("", "failing: ", "untested: ")
#: How a cue may be read: at face value, by its displayed step, or by what the picture shows.
READINGS = (
    *(f"step {step}" for step in range(-STEPS, STEPS + 1)),
    *(mark + what for mark in MARKS for what in _LOOKED_FOR),
    "not told",
)
N_LOOKED_FOR = len(_LOOKED_FOR)
NOT_TOLD = len(READINGS) - 1


@dataclass(frozen=True, eq=False)
class CueEvidence:
    """Cues as they are read; axes are input, class, and cue, the strongest first.

    Parameters
    ----------
    reading
        ``(n, k, c)`` int64, an index into ``READINGS``.
    grade
        ``(n, k, c)`` int64, an index into ``GRADES``; ``len(GRADES)`` where the class has no
        further cue.
    sign
        ``(n, k, c)`` float64: 1 for the class, -1 against it; 0 where there is no cue.
    amount
        ``(n, k, c)`` float64: how far the reading counts, 1 unless activity is shown beside the
        picture.
    """

    reading: I64
    grade: I64
    sign: F64
    amount: F64

    def __len__(self) -> int:
        return len(self.reading)

    @staticmethod
    def concatenated(parts: Sequence[CueEvidence], k: int) -> CueEvidence:
        """Return the evidence of several cards, one after the other, of ``k`` classes each."""
        most = max((part.reading.shape[2] for part in parts), default=0)

        def joined(name: str, filler: float) -> npt.NDArray[np.float64]:
            padded = [
                np.pad(
                    getattr(part, name),
                    ((0, 0), (0, 0), (0, most - part.reading.shape[2])),
                    constant_values=filler,
                )
                for part in parts
            ]
            return np.concatenate(padded) if padded else np.zeros((0, k, most))

        return CueEvidence(
            joined("reading", NOT_TOLD).astype(np.int64),
            joined("grade", len(GRADES)).astype(np.int64),
            joined("sign", 0).astype(np.float64),
            joined("amount", 1).astype(np.float64),
        )


def displayed_steps(card: Card, activities: Sequence[CardActivity]) -> I64:
    """Return the displayed steps of activities, ``(n, c)`` in the order of ``distinct_cues``.

    Raises
    ------
    PosteriorError
        If an activity is of another card.
    """
    cues = distinct_cues(card)
    steps = np.zeros((len(activities), len(cues)), np.int64)
    for i, activity in enumerate(activities):
        if activity.card_hash != card.hash:
            raise PosteriorError(
                f"An activity is of card {activity.card_hash[:12]}, not of {card.hash[:12]}.",
                "Make activities from the card that was held.",
            )
        for j, cue in enumerate(cues):
            found = activity.of_cue(cue)
            steps[i, j] = 0 if found is None else found.step
    return steps


def steps_from_levels(card: Card, levels: npt.ArrayLike) -> I64:
    """Return levels as they are displayed, ``(n, c)`` int64 from -5 to 5.

    Raises
    ------
    PosteriorError
        If levels do not fit the card's distinct cues, or are not finite.
    """
    found = np.asarray(levels, np.float64)
    n = len(distinct_cues(card))
    if found.ndim != 2 or found.shape[1] != n or not np.isfinite(found).all():
        raise PosteriorError(
            f"Levels {found.shape} do not fit a card of {n} cues, or are not finite.",
            "Give one column a cue, as distinct_cues orders them.",
        )
    return np.rint(np.clip(found, -1, 1) * STEPS).astype(np.int64)


def cue_evidence(
    card: Card,
    classes: Sequence[str],
    *,
    arm: Arm,
    steps: I64 | None = None,
    seen: Sequence[SeenWords] | None = None,
) -> CueEvidence:
    """Return how the card's cues are read.

    Parameters
    ----------
    card
        The card that is held.
    classes
        Order of the classes; one that is not on the card has no cue.
    arm
        ``hidden`` reads ``steps`` alone; ``shown`` reads ``seen``, times ``steps`` where given.
    steps
        ``(n, c)`` displayed steps.
    seen
        Of each input, whether it shows each word.

    Raises
    ------
    PosteriorError
        If what the arm reads is missing.
    """
    if (arm == "hidden" and steps is None) or (arm == "shown" and seen is None):
        missing = "activities" if arm == "hidden" else "words seen"
        raise PosteriorError(f"The {arm} arm has no {missing}.", f"Give the {missing}.")
    n = len(steps) if steps is not None else len(seen or ())
    column = {cue_key(cue): j for j, cue in enumerate(distinct_cues(card))}
    entries = {entry.name: entry for entry in card.classes}
    by_class = [
        sorted(entries[name].cues if name in entries else (), key=_strongest_first)
        for name in classes
    ]
    shape = (n, len(classes), max((len(cues) for cues in by_class), default=0))
    reading, grade = np.full(shape, NOT_TOLD), np.full(shape, len(GRADES))
    sign, amount = np.zeros(shape), np.ones(shape)
    for k, cues in enumerate(by_class):
        for c, cue in enumerate(cues):
            step = None if steps is None else steps[:, column[cue_key(cue)]]
            grade[:, k, c] = GRADES.index(cue.strength_grade)
            sign[:, k, c] = 1 if cue.speaks_for_class else -1
            if arm == "hidden" and step is not None:
                reading[:, k, c] = step + STEPS
            else:
                reading[:, k, c] = _readings_of_picture(cue, seen or ())
                amount[:, k, c] = 1 if step is None else step / STEPS
    return CueEvidence(reading.astype(np.int64), grade.astype(np.int64), sign, amount)


def _strongest_first(cue: Cue) -> tuple[float, tuple[str, ...], float]:
    # Names are left out: no renaming may change what is read first.
    return (-abs(cue.strength), cue.units, cue.strength)


def _readings_of_picture(cue: Cue, seen: Sequence[SeenWords]) -> I64:
    """Return how a cue's words are read on every input."""
    names = cue.concepts or (cue.words,)
    mark = 1 if cue.fails_on else 0 if cue.counts else 2
    readings: list[int] = []
    for words in seen:
        answers = [words.get(name) for name in names]
        if any(answers):
            readings.append(N_STEPS + N_LOOKED_FOR * mark)
        elif None in answers:
            readings.append(NOT_TOLD)
        else:
            absent = 1 if cue.speaks_for_class else 2
            readings.append(N_STEPS + N_LOOKED_FOR * mark + absent)
    return np.array(readings, np.int64)
