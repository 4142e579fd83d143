"""The families, frozen: a hash of their parameters and of what they answer to set questions.

It is taken before anything is fitted. Whoever changes a family changes it on purpose, and every
figure that rests on the old one with it.
"""

from __future__ import annotations

from typing import Any

from circuitz.cards.activity import CardActivity, CueActivity, distinct_cues
from circuitz.cards.card import Agreement, Card, ClassEntry, Cue
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.disk.hashing import json_hash
from circuitz.evaluation.people.habits import FAMILIES, habits_record
from circuitz.evaluation.people.simulated_person import SimulatedPerson
from circuitz.evaluation.people.world_words import words_of_world
from circuitz.z.word_match import WordMatch

_SEEDS = (0, 1, 2)
_DIGITS = 5


def frozen_families_hash() -> str:
    """Return the hash of all families as they are."""
    words = words_of_world(world_by_name("dogs").world)
    record: dict[str, Any] = {}
    for family in FAMILIES:
        for seed in _SEEDS:
            person = SimulatedPerson(family, seed, words)
            record[person.name] = [habits_record(person.habits), *_set_answers(person)]
    return json_hash(record)[:16]


def _set_answers(person: SimulatedPerson) -> list[Any]:
    one, other = _plausible_card(), _implausible_card()
    options = ("husky", "corgi")
    seen = {"pointed ears": True, "floppy ears": False, "snow": False, "grass": True}
    labelled = [
        person.class_chances(card, options, shown=shown, activity=_set_activity(card), key="set")
        for card in (one, other)
        for shown in (seen, None)
    ]
    return [
        [round(v, _DIGITS) for v in person.verdicts(one) + person.verdicts(other)],
        {n: round(p, _DIGITS) for n, p in person.comparison_chances(one, other).items()},
        [[round(float(p), _DIGITS) for p in chances] for chances in labelled],
        person.perceive(seen, "set"),
    ]


def _set_activity(card: Card) -> CardActivity:
    steps = {"u:1": 5, "u:2": 2, "u:3": -1, "u:4": 3}
    return CardActivity(
        card.hash,
        tuple(CueActivity(c.words, c.units, steps[c.units[0]]) for c in distinct_cues(card)),
    )


def _plausible_card() -> Card:
    holds = tuple(WordMatch(p, "holds") for p in ("concepts", "D", "D'"))
    return Card(
        (
            ClassEntry(
                "husky",
                (
                    Cue("pointed ears", ("pointed ears",), ("u:1",), 0.42, matches=holds),
                    Cue("curled tail", ("curled tail",), ("u:2",), 0.15, matches=holds),
                ),
                (0.1, 0.05, 0.15),
                0.1,
            ),
            ClassEntry(
                "corgi",
                (Cue("short legs", ("short legs",), ("u:4",), 0.25, matches=holds),),
                (0.3, 0.2, 0.4),
                0.2,
            ),
        ),
        "dog",
        agreement=(Agreement("D'", 0.9, 0.85, 0.95, 100),),
    )


def _implausible_card() -> Card:
    fails = (WordMatch("concepts", "holds"), WordMatch("D", "holds"), WordMatch("D'", "fails"))
    return Card(
        (
            ClassEntry(
                "husky",
                (
                    Cue("snow", ("snow",), ("u:3",), 0.6),
                    Cue("zzz blorb", (), ("u:2",), 0.1),
                    Cue("collar", ("collar",), ("u:1",), 0.25),
                    Cue("grey coat", ("grey coat",), ("u:4",), -0.1),
                ),
                (0.4, 0.3, 0.5),
                0.3,
                (("D'", 0.2),),
            ),
            ClassEntry(
                "corgi", (Cue("floppy ears", ("floppy ears",), ("u:4",), -0.3, matches=fails),)
            ),
        ),
        "dog",
        agreement=(Agreement("D'", 0.4, 0.3, 0.5, 100),),
    )
