from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from circuitz.store.answer_bank import AnswerBank, answers_from_store
from circuitz.store.asking import AskedQuestion
from circuitz.store.judgement import Judgement
from circuitz.store.judgements import Judgements

STAMP = "2026-01-31T12:00:00+00:00"


def question(picture: str, word: str = "snow") -> AskedQuestion:
    return AskedQuestion("shows", (picture,), ("yes", "no"), word=word)


def answer(question: AskedQuestion, choice: str = "yes", rater: str = "Ada") -> Judgement:
    return Judgement(
        task="t", kind=question.judgement_kind, z_hash="", card_hash="", items=question.items,
        options=question.options, seed=0, answer={"choice": choice}, rater=rater,
        rater_kind="person", shown=STAMP, answered=STAMP,
        key=f"{rater} {question.word} {question.items}",
    ).validated_with_id()  # fmt: skip


def test_what_was_answered_once_is_not_asked_again() -> None:
    asked: list[str] = []

    def ask(questions: Sequence[AskedQuestion]) -> list[Judgement]:
        asked.extend(q.items[0] for q in questions)
        return [answer(q) for q in questions if q.items[0] != "c"]

    bank = AnswerBank(ask)
    assert len(bank([question("a"), question("b")])) == 2
    again = bank([question("b"), question("a"), question("c")])
    assert [row.items[0] for row in again] == ["b", "a"]
    assert asked == ["a", "b", "c"]
    assert [q.items[0] for q in bank.unanswered] == ["c"]
    bank.add([answer(question("c"), "no")])
    assert not bank.unanswered
    assert not bank.asks_nobody


def test_answers_of_a_store_serve_any_task_and_say_what_is_missing(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "a.sqlite")
    rows = [answer(question("a")), answer(question("a"), "no", "Bo"), answer(question("b"))]
    store.append(rows)
    store.withdraw(rows[2].id)
    bank = answers_from_store(store)
    assert bank.asks_nobody
    found = bank([question("a"), question("b"), question("a", "ears")])
    assert [(row.rater, row.items[0]) for row in found] == [("Ada", "a"), ("Bo", "a")]
    assert [(q.word, q.items[0]) for q in bank.unanswered] == [("snow", "b"), ("ears", "a")]


@pytest.mark.parametrize(
    ("one", "other"), [("orejas más", "orejas ma\u0301s"), ("꼬리", "\u1101\u1169\u1105\u1175")]
)
def test_a_word_is_one_word_however_its_accents_are_written(one: str, other: str) -> None:
    bank = AnswerBank(judgements=[answer(question("a", other))])
    assert len(bank([question("a", one)])) == 1
    assert not bank([question("a", one.upper() + "x")])
