from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.cards.rater_answer import Answer
from circuitz.errors import LabellingError
from circuitz.labelling.labels.answers import (
    answers_from_judgements,
    validate_and_normalise_answers,
)
from circuitz.store.judgement import Judgement

CLASSES = ("a", "b", "c")


def judgement(item: str, choice: str | None, rater: str = "ada") -> Judgement:
    answer = Answer(("c", "a", "b"), (0.5, 0.3, 0.2), choice, 2.0)
    return Judgement(
        "label", "label", "z", "c", (item,), answer.options, 0, answer.to_json(), rater, "person",
        "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:02+00:00", f"{item}{rater}",
    )  # fmt: skip


def test_options_are_put_back_into_the_models_order() -> None:
    rows = [judgement("x", "a"), judgement("y", None), judgement("x", "c", "bob")]
    found = answers_from_judgements(rows, CLASSES, {"x": 4, "y": 0})
    assert found.shares == pytest.approx(np.array([[0.3, 0.2, 0.5]] * 2))
    assert found.item.tolist() == [4, 4]
    assert [found.raters[i] for i in found.rater] == ["ada", "bob"]
    hard = answers_from_judgements(rows, CLASSES, {"x": 4}, soft=False)
    assert hard.shares.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_withdrawn_and_foreign_answers_are_left_out() -> None:
    rows = [
        judgement("x", "a"), judgement("elsewhere", "b"),
        replace(judgement("x", "b", "bob"), answer=None, supersedes="1"),
    ]  # fmt: skip
    assert len(answers_from_judgements(rows, CLASSES, {"x": 0})) == 1
    with pytest.raises(LabellingError, match="no class"):
        answers_from_judgements([judgement("x", "a")], ("a", "b"), {"x": 0})
    with pytest.raises(LabellingError, match="no answers"):
        answers_from_judgements([], CLASSES, {"x": 0})


def test_choices_become_rows() -> None:
    found = validate_and_normalise_answers(np.array([2, -1, 0]), 3, 3)
    assert found.shares.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert found.item.tolist() == [0, 2]
    with pytest.raises(LabellingError):
        validate_and_normalise_answers(np.array([0.5, 1.0]), 2, 3)
    with pytest.raises(LabellingError):
        validate_and_normalise_answers(np.zeros((2, 4)), 2, 3)


@pytest.mark.parametrize(
    "probabilities",
    [{"a": "abc"}, {"a": None}, {"a": [1]}, ["a"], "a", {"a": -1.0, "b": 2.0}, {"a": 0.2}],
)
def test_probabilities_that_are_none_are_named(probabilities: object) -> None:
    odd = replace(judgement("x", "a"), answer={"choice": "a", "probabilities": probabilities})
    with pytest.raises(LabellingError, match="robabilities"):
        answers_from_judgements([odd], CLASSES, {"x": 0})


def test_an_answer_about_nothing_is_left_out() -> None:
    rows = [judgement("x", "a"), replace(judgement("x", "b"), items=())]
    assert len(answers_from_judgements(rows, CLASSES, {"x": 0})) == 1
