from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.cue_levels import activities_from_levels
from circuitz.posterior.choice.halving_rounds import RoundQuestions
from circuitz.posterior.choice.put_to_people import PeopleRounds
from circuitz.store.asking import AskedQuestion, judgement_of_answer
from circuitz.store.judgement import Judgement

LABELS = np.array([0, 1, 1, 0])


def card(number: int) -> Card:
    cues = (Cue("ears", ("ears",), ("conv4:1",), 0.1 * (number + 1)),)
    entries = (ClassEntry("husky", cues, (0.2, 0.1, 0.3)), ClassEntry("corgi", (), (0.2, 0.1, 0.3)))
    return Card(entries, "dog", z_hash=str(number))


@dataclass
class Slopes:
    raters: dict[str, float] = field(default_factory=lambda: {"mira": 2.0})
    near_slope: float = 0.5
    far_slope: float = 1.5
    log_ties: float = -1.0


def answer(question: AskedQuestion, rater: str) -> Judgement:
    """Prefer the card with the stronger cue; say the first class of the card."""
    if question.kind == "compare":
        a, b = question.shown["cards"]
        choice = "a" if a.classes[0].cues[0].strength > b.classes[0].cues[0].strength else "b"
    else:
        choice = question.shown["card"].names[0]
    return judgement_of_answer(
        question, {"choice": choice}, task="t", rater=rater, rater_kind="simulated"
    )


@pytest.fixture
def rounds() -> RoundQuestions:
    pairs = np.array([[0, 1], [1, 0], [0, 2], [0, 2]])
    return RoundQuestions(1, pairs, np.array([[0, 0], [0, 1], [2, 3], [2, 3]]))


def people(ask) -> PeopleRounds:
    cards = [card(i) for i in range(3)]
    level = np.array([[0.5]])
    return PeopleRounds(
        cards, ["p0", "p1", "p2", "p3"], LABELS,
        lambda z, row: activities_from_levels(cards[z], level)[0], Slopes(), ask,
    )  # fmt: skip


def test_what_was_answered_comes_back_as_numbers(rounds):
    def ask(questions):
        names = ("mira", "ned", "ola")
        return [answer(q, names[i]) for q in questions for i in range(q.raters)]

    crowd = people(ask)
    came = crowd(rounds)
    assert came.complete
    assert len(crowd.judgements) == len(came.pairs) + len(came.answers) == 8
    better = {
        (int(a), int(b)): int(o)
        for a, b, o in zip(came.pairs.first, came.pairs.second, came.pairs.outcome, strict=True)
    }
    assert better == {(0, 1): 1, (1, 0): 0, (0, 2): 1}
    # Mira is twice as sure as others; pairs that differ in one change have a slope of their own.
    assert set(came.pairs.slope.tolist()) <= {0.5, 1.0, 1.5, 3.0}
    told = dict(
        zip(zip(came.answers.z, came.answers.row, strict=True), came.answers.agrees, strict=True)
    )
    assert told == {(0, 0): True, (0, 1): False, (2, 3): True}


def test_what_is_asked_twice_is_asked_two_people(rounds):
    questions = people(lambda _: []).questions(rounds)
    assert [q.raters for q in questions if q.kind == "compare"] == [1, 1, 2]
    assert [q.raters for q in questions if q.kind == "label"] == [1, 1, 2]
    assert all(
        q.arm == "hidden" and "picture" not in q.shown for q in questions if q.kind == "label"
    )


def test_answers_of_the_last_word_are_held_out(rounds):
    audit = RoundQuestions(4, rounds.pairs, rounds.inputs, audit=True)
    assert {q.use for q in people(lambda _: []).questions(audit)} == {"held-out"}


def test_a_round_that_nobody_answered_is_not_complete(rounds):
    came = people(lambda questions: [answer(q, "mira") for q in questions[:3]])(rounds)
    assert not came.complete
    assert len(came.pairs) == 3
