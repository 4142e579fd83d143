"""What the screen is given to compare two cards, and to label an input whose picture is hidden."""

from __future__ import annotations

from typing import Any

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Agreement, Card, ClassEntry, Cue
from circuitz.cards.judged.card_differences import CardDifference, card_difference
from circuitz.labelling.tasks.pack import Question, TaskPack
from circuitz.z.word_match import POPULATION_NAMES


def screen_of_pack(tasks: TaskPack) -> str:
    """Return which screen a pack is for: ``label``, ``hidden``, ``compare`` or ``hypothesis``."""
    return "hidden" if tasks.hidden else tasks.kind


def what_is_asked(tasks: TaskPack) -> str:
    """Return what a pack asks about, for people: pictures, pairs of cards, classes and units."""
    if tasks.kind == "compare":
        return f"pairs of {len(tasks.cards)} cards"
    if tasks.kind == "hypothesis":
        return "classes and units"
    return f"{'hidden ' if tasks.hidden else ''}pictures, {len(tasks.classes)} classes"


def pair_payload(tasks: TaskPack, question: Question) -> dict[str, Any]:
    """Return two cards side by side: by class, those that differ first."""
    a, b = (tasks.cards[item] for item in question.items)
    difference = card_difference(a, b)
    strongest = max(
        (abs(c.strength) for card in (a, b) for e in card.classes for c in e.cues), default=1.0
    )
    names = list(dict.fromkeys([*a.names, *b.names]))
    names.sort(key=lambda name: name not in difference.classes)
    return {
        "subject": a.subject or b.subject,
        "near": difference.near,
        "classes": [
            {
                "name": name,
                "differs": name in difference.classes,
                "sides": [
                    _class_payload(card, name, difference, max(strongest, 1e-9)) for card in (a, b)
                ],
            }
            for name in names
        ],
        "agreement": [[_agreement(one) for one in card.agreement] for card in (a, b)],
    }


def activity_payload(activity: CardActivity) -> list[dict[str, Any]]:
    """Return how active each cue is, in the order displayed."""
    return [
        {
            "words": one.words, "step": one.step, "grade": one.grade, "place": list(one.place),
            "placeName": one.place_name, "units": list(one.units),
        }
        for one in activity.cues
    ]  # fmt: skip


def _class_payload(
    card: Card, name: str, difference: CardDifference, strongest: float
) -> dict[str, Any] | None:
    """Return a class of a card; ``None`` where the card has no such class."""
    if name not in card.names:
        return None
    entry = card.entry_of_class(name)
    return {
        "cues": [
            _cue_payload(cue, (name, cue.words) in difference.cues, strongest) for cue in entry.cues
        ],
        "remarks": _remarks(entry),
    }


def _cue_payload(cue: Cue, differs: bool, strongest: float) -> dict[str, Any]:
    return {
        "words": cue.words,
        "for": cue.speaks_for_class,
        "grade": cue.strength_grade,
        "long": round(min(abs(cue.strength) / strongest, 1.0), 3),
        "percent": round(100 * cue.strength),
        "interval": None if cue.interval is None else [round(100 * v) for v in cue.interval],
        "differs": differs,
        "fails": [POPULATION_NAMES[p] for p in cue.fails_on],
        "tested": [
            f"{POPULATION_NAMES[m.population]}: {m.verdict}{f', {m.n}' if m.n else ''}"
            for m in cue.matches
        ],
    }


def _remarks(entry: ClassEntry) -> list[str]:
    """Return the class's other figures, each as a short phrase."""
    found: list[str] = []
    if entry.unexplained is not None:
        share, low, high = (round(100 * v) for v in entry.unexplained)
        found.append(f"not explained: {share}\u00a0% [{low}, {high}]".replace("-", "−"))
    if entry.wordless is not None:
        found.append(f"without words: {round(100 * entry.wordless)}\u00a0%")
    found += [
        f"outside what was seen, {POPULATION_NAMES[population]}: {round(100 * share)}\u00a0%"
        for population, share in entry.outside
    ]
    return found


def _agreement(one: Agreement) -> str:
    share, low, high = (round(100 * v) for v in (one.share, one.low, one.high))
    place = POPULATION_NAMES[one.population]
    return f"agrees with its own words on {place}: {share}\u00a0% [{low}, {high}]"
