"""How plausible a simulated person finds a card: topic by topic, in grades, by the worst cue.

Nothing here is a sum of drive over words, which is what the models of people are made of: parts
count once a topic and up to a few topics, of what lies outside only the worst cue counts, shares are
read as steps, and the worst class has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.evaluation.people.habits import GRADES, Habits
from circuitz.evaluation.people.world_words import WorldWord

Words = Mapping[str, WorldWord]
_UNEXPLAINED_STEPS = (0.15, 0.35)
_CUES_ON_SHORT_CARD = 3
_AGREES, _DISAGREES = 0.85, 0.60
_OUTSIDE = 0.15
# A class that is hopeless cannot become more so.
_HOPELESS = -3.0


def verdicts_on_card(card: Card, habits: Habits, words: Words) -> tuple[float, ...]:
    """Return the verdict on a card for every choice of classes that may be looked at.

    One who looks at all classes has one verdict; a hasty one has as many as there are pairs.
    """
    entries = [_verdict_on_class(entry, habits, words) for entry in card.classes]
    n = len(entries)
    looked = habits.classes if 0 < habits.classes < n else n
    whole = _verdict_on_whole(card, habits)
    return tuple(
        whole + habits.worst * min(some) + (1 - habits.worst) * float(np.median(some))
        for some in combinations(entries, looked)
    )


def _verdict_on_class(entry: ClassEntry, habits: Habits, words: Words) -> float:
    cues = entry.cues[: habits.cues] if habits.cues else entry.cues
    parts: dict[str, float] = {}
    outside = spoilt = 0.0
    for cue in cues:
        grade = GRADES.index(cue.strength_grade)
        kind = _kind_of_cue(cue, habits, words)
        speaks_for = cue.speaks_for_class or not habits.signs
        if cue.fails_on:
            spoilt += habits.failed * (grade + 1)
        elif kind == "not understood":
            spoilt += habits.not_understood * (grade + 1)
        elif kind == "outside":
            cost = habits.outside_cost[grade] * (1.0 if speaks_for else habits.against)
            outside = max(outside, cost)
        elif speaks_for:
            topic = words[cue.concepts[0]].topic
            parts[topic] = max(parts.get(topic, 0.0), habits.part_worth[grade])
    best = sorted(parts.values(), reverse=True)[: habits.topics]
    long = habits.long * max(len(entry.cues) - _CUES_ON_SHORT_CARD, 0)
    verdict = sum(best) - outside - spoilt - long - _cost_of_unexplained(entry, habits)
    return max(verdict, _HOPELESS)


def _kind_of_cue(cue: Cue, habits: Habits, words: Words) -> str:
    """Part, outside or not understood; by the first concept that says most against the cue."""
    kinds = {_kind_of_word(words.get(c), habits) for c in cue.concepts} or {"not understood"}
    # What is written says more than what is linked: a text without any known word is nonsense.
    return next(k for k in ("not understood", "outside", "part") if k in kinds)


def _kind_of_word(word: WorldWord | None, habits: Habits) -> str:
    if word is None:
        return "not understood"
    if word.kind == "part" or (word.worn and habits.worn_are_parts):
        return "part"
    return "outside"


def _cost_of_unexplained(entry: ClassEntry, habits: Habits) -> float:
    # A card without cues explains nothing, whether or not that was measured.
    share = 1.0 if entry.unexplained is None or not entry.cues else entry.unexplained[0]
    some, much = habits.unexplained
    if share > _UNEXPLAINED_STEPS[1]:
        return much
    return some if share > _UNEXPLAINED_STEPS[0] else 0.0


def _verdict_on_whole(card: Card, habits: Habits) -> float:
    verdict = 0.0
    for agreement in card.agreement:
        if agreement.share >= _AGREES:
            verdict += habits.agreement / 2
        elif agreement.share < _DISAGREES:
            verdict -= habits.agreement / 2
    farthest = max((share for e in card.classes for _, share in e.outside), default=0.0)
    return verdict - (habits.outside_range if farthest >= _OUTSIDE else 0.0)
