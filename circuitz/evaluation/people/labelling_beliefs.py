"""How surely a simulated person gives an input to each class, with the card in hand.

With the picture shown, each topic of the card is looked for in it. With the picture hidden, the
active units' words are read at face value, one after the other; names are not read at all, so that
other names for the same units change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card, Cue
from circuitz.cards.rater_answer import Perceived
from circuitz.evaluation.people.habits import GRADES, Habits
from circuitz.evaluation.people.world_words import WorldWord

_WORTH = (0.7, 1.5, 2.6, 4.0)  # of a cue, by grade
# A bar of so many steps is read as something, and as much.
_SOMETHING, _MUCH = 1, 3
_HALF = 0.5
_DOUBT_OF_ONE_CUE = 1.0


def class_chances(
    card: Card,
    options: Sequence[str],
    habits: Habits,
    words: Mapping[str, WorldWord],
    *,
    seen: Perceived | None,
    activity: CardActivity | None,
) -> npt.NDArray[np.float64]:
    """Return the chance of each option, ``(k,)``; they sum to 1.

    Parameters
    ----------
    card
        What the person holds.
    options
        The classes, in the order shown.
    habits, words
        Of the person; what everybody knows of the words.
    seen
        What the person sees in the picture; ``None`` where it is hidden.
    activity
        What the screen says of the units; ``None`` where it says nothing.
    """
    entries = {entry.name: entry for entry in card.classes}
    scores = np.zeros(len(options))
    read = 0
    for i, option in enumerate(options):
        entry = entries.get(option)
        if entry is None or not entry.cues:
            continue
        cues = entry.cues[: habits.cues] if habits.cues else entry.cues
        if seen is None:
            scores[i], n = _agreement_of_active_units(cues, activity, habits)
        else:
            scores[i], n = _agreement_by_topic(cues, seen, activity, habits, words)
        read += n
    if not read:
        return np.full(len(options), 1 / len(options))
    sure = np.exp(habits.sharp * (scores - scores.max()))
    return (1 - habits.lapse) * sure / sure.sum() + habits.lapse / len(options)


def cues_read(card: Card, habits: Habits) -> int:
    """How many cues the person reads of a card, for the time it takes."""
    return sum(min(len(e.cues), habits.cues or len(e.cues)) for e in card.classes)


def activity_of_cue(cue: Cue, activity: CardActivity | None) -> float | None:
    """Return how active a cue is found: 0, ½ or 1; ``None`` where the screen does not show it."""
    shown = None if activity is None else activity.of_cue(cue)
    if shown is None:
        return None
    return 0.0 if shown.step < _SOMETHING else (_HALF if shown.step < _MUCH else 1.0)


def _agreement_of_active_units(
    cues: Sequence[Cue], activity: CardActivity | None, habits: Habits
) -> tuple[float, int]:
    """Agreement from about -1 to 1, and the cues it rests on: what is active against what is not."""
    total = most = 0.0
    n = 0
    for cue in cues:
        step = activity_of_cue(cue, activity)
        if step is None:
            continue
        n += 1
        worth = _WORTH[GRADES.index(cue.strength_grade)]
        sign = 1.0 if cue.speaks_for_class or not habits.signs else -1.0
        # An expected thing that is silent tells something too, by the person's own measure.
        total += sign * worth * (step - habits.absence * (1 - step))
        most += worth
    return total / (most + _DOUBT_OF_ONE_CUE), n


def _agreement_by_topic(
    cues: Sequence[Cue],
    seen: Perceived,
    activity: CardActivity | None,
    habits: Habits,
    words: Mapping[str, WorldWord],
) -> tuple[float, int]:
    topics: dict[str, list[tuple[float, float]]] = {}
    for cue in cues:
        there = _presence(cue, seen, activity, habits)
        # What is marked as failing is not relied on.
        if there is None or cue.fails_on:
            continue
        worth = _WORTH[GRADES.index(cue.strength_grade)]
        sign = 1.0 if cue.speaks_for_class or not habits.signs else -1.0
        first = cue.concepts[0] if cue.concepts else cue.words
        topic = words[first].topic if first in words else first
        topics.setdefault(topic, []).append((sign * worth, there))
    total = most = 0.0
    for cues_of_topic in topics.values():
        present = [worth * there for worth, there in cues_of_topic if there > 0]
        if present:
            total += sum(present)
        else:
            expected = max(worth for worth, _ in cues_of_topic)
            least = min(worth for worth, _ in cues_of_topic)
            total -= habits.absence * (expected if expected > 0 else least)
        most += max(abs(worth) for worth, _ in cues_of_topic)
    return total / (most + _DOUBT_OF_ONE_CUE), len(topics)


def _presence(
    cue: Cue, seen: Perceived, activity: CardActivity | None, habits: Habits
) -> float | None:
    """How far what the words name is there: as seen, or else as the units say; else unknown."""
    looked = [seen[c] for c in cue.concepts if c in seen]
    if looked:
        return 1.0 if any(looked) else 0.0
    step = activity_of_cue(cue, activity)
    return None if step is None else habits.doubt * step
