"""A crowd of simulated people as an ``ask``: questions in, judgements out, each marked simulated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.errors import LabellingError
from circuitz.evaluation.people.habits import ATTENTIVE
from circuitz.evaluation.people.hypotheses import hypothesis_chips
from circuitz.evaluation.people.labelling_beliefs import cues_read
from circuitz.evaluation.people.picture_truth import PictureTruth, pixels_hash
from circuitz.evaluation.people.simulated_person import SimulatedPerson
from circuitz.evaluation.people.world_words import WorldWord
from circuitz.store.asking import AskedQuestion, judgement_of_answer
from circuitz.store.judgement import NO_OPTIONS, Judgement

CANNOT_TELL = NO_OPTIONS[0]
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def make_people(
    words: Mapping[str, WorldWord],
    seeds: Sequence[int],
    families: Sequence[str] = ATTENTIVE,
) -> tuple[SimulatedPerson, ...]:
    """Return one person a family and seed."""
    return tuple(SimulatedPerson(family, seed, words) for seed in seeds for family in families)


@dataclass
class Crowd:
    """Simulated people who answer in turn. Calling it is asking.

    Parameters
    ----------
    people
        Who answers; a question is put to as many of them as it asks for, drawn by its items, so
        that the same question goes to the same people.
    pictures
        What pictures show.
    task
        Written into the judgements.
    answer_counts
        How many questions of each kind were answered so far.
    """

    people: tuple[SimulatedPerson, ...]
    pictures: PictureTruth
    task: str = "simulated"
    answer_counts: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        if not self.people:
            raise LabellingError("The crowd is empty.", "Give it one simulated person or more.")

    def __call__(self, questions: Sequence[AskedQuestion]) -> list[Judgement]:
        """Answer questions; none is left out.

        Raises
        ------
        LabellingError
            If a question lacks what its screen would show.
        """
        given: list[Judgement] = []
        for question in questions:
            for person in self._people_for(question):
                given.append(self._judgement(question, person))
                self.answer_counts[question.kind] = self.answer_counts.get(question.kind, 0) + 1
        return given

    def _people_for(self, question: AskedQuestion) -> list[SimulatedPerson]:
        n = min(max(question.raters, 1), len(self.people))
        # A question asked once more with its sides swapped goes to the same people.
        about = "\x00".join([question.judgement_kind, question.card_hash, *sorted(question.items)])
        digest = hashlib.sha256(about.encode()).digest()
        start = int.from_bytes(digest[:8], "big")
        order = np.random.default_rng(start).permutation(len(self.people))
        return [self.people[int(i)] for i in order[:n]]

    def _judgement(self, question: AskedQuestion, person: SimulatedPerson) -> Judgement:
        key = question_key(question)
        answer, cues = _ANSWERS[question.kind](self, question, person, key)
        seconds = person.seconds(cues, key)
        shown = _EPOCH + timedelta(seconds=question.seed % 100_000)
        return judgement_of_answer(
            question,
            {**answer, "seconds": seconds},
            task=self.task,
            rater=person.name,
            rater_kind="simulated",
            shown=shown.isoformat(),
            answered=(shown + timedelta(seconds=seconds)).isoformat(),
        )

    def picture_shows(self, question: AskedQuestion) -> Mapping[str, bool]:
        """Return what the picture asked about shows."""
        known = self.pictures.of_picture(question.items[0] if question.items else "")
        if not known and "picture" in question.shown:
            known = self.pictures.of_picture(pixels_hash(np.asarray(question.shown["picture"])))
        return known


def question_key(question: AskedQuestion) -> str:
    """Name a question by what is asked, not by the order of its options."""
    parts = [question.judgement_kind, question.card_hash, str(question.seed), *question.items]
    return "\x00".join(parts)


def card_shown(question: AskedQuestion) -> Card:
    """Return the card a question shows.

    Raises
    ------
    LabellingError
        If it shows none.
    """
    found = question.shown.get("card")
    if not isinstance(found, Card):
        raise LabellingError(
            f"A question of kind {question.kind!r} shows no card.", "Put it into `shown`."
        )
    return found


def _answer_shows(
    crowd: Crowd, question: AskedQuestion, person: SimulatedPerson, _key: str
) -> tuple[dict[str, Any], int]:
    seen = person.shows(question.word, crowd.picture_shows(question), question.items[0])
    yes, no = yes_and_no(question.options)
    return {"choice": CANNOT_TELL if seen is None else yes if seen else no}, 1


def _answer_compare(
    _crowd: Crowd, question: AskedQuestion, person: SimulatedPerson, key: str
) -> tuple[dict[str, Any], int]:
    cards = question.shown.get("cards")
    if not isinstance(cards, Sequence) or len(cards) != 2:  # pyright: ignore[reportUnknownArgumentType]
        raise LabellingError("A comparison shows no two cards.", "Put `cards` into `shown`.")
    one, other = cards  # pyright: ignore[reportUnknownVariableType]
    return {"choice": person.compare(one, other, key)}, cues_read(one, person.habits) + cues_read(
        other, person.habits
    )


def _answer_label(
    crowd: Crowd, question: AskedQuestion, person: SimulatedPerson, key: str
) -> tuple[dict[str, Any], int]:
    card = card_shown(question)
    shown = None if question.arm == "hidden" else crowd.picture_shows(question)
    chances = person.class_chances(
        card,
        question.options,
        shown=shown,
        activity=activity_shown(question),
        key=question.items[0] if question.items else "",
    )
    rng = person.random_stream("label", key)
    choice = question.options[int(rng.choice(len(chances), p=chances / chances.sum()))]
    probabilities = {o: float(p) for o, p in zip(question.options, chances, strict=True)}
    return {"choice": choice, "probabilities": probabilities}, cues_read(card, person.habits)


def _answer_hypothesis(
    crowd: Crowd, question: AskedQuestion, person: SimulatedPerson, _key: str
) -> tuple[dict[str, Any], int]:
    keys = [str(k) for k in question.shown.get("pictures", ())]
    seen = [person.perceive(crowd.pictures.of_picture(k), k) for k in keys]
    chips = hypothesis_chips(seen)
    return {"words": chips, "text": ""}, len(keys)


_ANSWERS = {
    "shows": _answer_shows,
    "compare": _answer_compare,
    "label": _answer_label,
    "hypothesis": _answer_hypothesis,
}


def yes_and_no(options: Sequence[str]) -> tuple[str, str]:
    """Return the options that mean *it shows the word* and *it does not*, whatever their order."""
    no = next((o for o in options if o.casefold().startswith(("no", "does not"))), "no")
    yes = next((o for o in options if o != no and o not in NO_OPTIONS), "yes")
    return yes, no


def activity_shown(question: AskedQuestion) -> CardActivity | None:
    """Return the activity of the card's cues that a question shows; ``None`` where it shows none."""
    found = question.shown.get("activity")
    return found if isinstance(found, CardActivity) else None
