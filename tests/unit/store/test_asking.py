from __future__ import annotations

import pytest

from circuitz.errors import StoreError
from circuitz.store.asking import AskedQuestion, judgement_of_answer
from circuitz.store.judgements import Judgements

QUESTION = AskedQuestion(
    "label", ("picture", "activity"), ("husky", "corgi"), seed=5, arm="hidden", z_hash="z",
    card_hash="c", use="held-out",
)  # fmt: skip


def test_an_answer_becomes_a_row_with_all_that_was_asked() -> None:
    row = judgement_of_answer(
        QUESTION, {"choice": "husky"}, task="t", rater="family-3", rater_kind="simulated"
    )
    assert (row.kind, row.items, row.options) == ("label: hidden", QUESTION.items, QUESTION.options)
    assert (row.z_hash, row.card_hash, row.seed, row.use) == ("z", "c", 5, "held-out")
    assert row.rater_kind == "simulated"
    assert row.id


def test_the_same_answer_is_stored_once_and_another_to_the_same_question_is_refused(
    tmp_path,
) -> None:
    store = Judgements(tmp_path / "s.sqlite")
    given = {"task": "t", "rater": "a", "rater_kind": "simulated"}
    store.append(judgement_of_answer(QUESTION, {"choice": "husky"}, **given))
    store.append(judgement_of_answer(QUESTION, {"choice": "husky"}, **given))
    assert len(store.rows(current=False)) == 1
    with pytest.raises(StoreError):
        store.append(judgement_of_answer(QUESTION, {"choice": "corgi"}, **given))
