"""People say what pictures show, and how far the network agrees with its words stands on the card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import circuitz as cz
from circuitz.effects.agreement_questions import plan_agreement_questions
from circuitz.errors import InputsError
from circuitz.posterior.words.population_pictures import half_of_picture
from circuitz.store.answer_bank import AnswerBank
from circuitz.z.pixel_hashes import pixel_hashes
from tests.unit.conftest import labelled
from tests.unit.posterior.words.conftest import Painters, painted


@pytest.fixture
def raters(block_world, shifted) -> Painters:
    data, _ = block_world
    return Painters(painted(data, labelled(160, 1, shortcut=True)[1]) | painted(*shifted))


def test_agreement_stands_on_the_card_of_both_populations(caught, shifted, raters) -> None:
    unlabelled = replace(shifted[0], labels=None, classes=())
    z = cz.test_agreement(caught, raters, shifted=unlabelled, pictures=40)
    found = cz.card(z).agreement
    assert [(one.population, one.n) for one in found] == [("D", 40), ("D'", 40)]
    assert min(one.share for one in found) > 0.5
    words = {q.word for q in raters.seen}
    assert len(raters.seen) == 2 * 40 * len(words)
    assert {half_of_picture(q.items[0]) for q in raters.seen} == {"search"}
    # The same pictures are asked about, and answers that are there do.
    bank = AnswerBank(raters)
    cz.test_agreement(caught, bank, shifted=unlabelled, pictures=40)
    asked = len(raters.seen)
    again = cz.test_agreement(caught, bank, shifted=unlabelled, pictures=40)
    assert len(raters.seen) == asked
    assert cz.card(again).agreement == found


def test_what_labels_tell_is_not_asked(caught, raters) -> None:
    _, grounds = labelled(160, 1, shortcut=True)
    data = caught.data
    snow = replace(
        data, concepts=(grounds == 0).astype(np.float32)[:, None], concept_names=("snow",)
    )
    (plan,) = plan_agreement_questions(caught, data=snow, pictures=5)
    assert plan.questions
    assert "snow" not in {q.word for q in plan.questions}
    assert {q.items[0] for q in plan.questions} == {pixel_hashes(data)[row] for row in plan.rows}


def test_nobody_who_answers_leaves_no_agreement(caught) -> None:
    assert cz.card(cz.test_agreement(caught, AnswerBank())).agreement == ()
    with pytest.raises(InputsError, match="neither D"):
        cz.test_agreement(caught.with_(data=None), AnswerBank())
