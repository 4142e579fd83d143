from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import circuitz as cz
from circuitz.measurement.cut_responses import CutResponses
from circuitz.posterior.words.class_questions import (
    PICTURES,
    area_with_interval,
    pictures_called,
)
from circuitz.z.class_evidence import LEAST_AREA, area_drop, class_evidence
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from tests.unit.posterior.words.conftest import Painters

Make = Callable[..., Painters]


def test_the_words_that_make_a_class_tell_it_and_the_others_do_not(
    caught: AnnotatedModel, pictures: InputSet, painters: Make
) -> None:
    z = cz.test_words(caught, painters(), shifted=pictures)
    husky, on_d = (e for e in class_evidence(z) if e.target == "husky")
    assert "snow" in husky.words
    assert husky.tells_class
    # The same words are asked about on D, where they tell the class too: nothing is lost.
    assert (on_d.population, on_d.words) == ("D", husky.words)
    assert on_d.inputs != husky.inputs
    lost = area_drop(on_d, husky)
    assert lost is not None
    assert not lost.is_clear
    assert (husky.population, husky.half, husky.simulated) == ("D'", "search", True)
    assert 8 <= husky.called <= PICTURES
    # The same network, with nothing said of its snow units: every word that is left holds, and
    # yet none of them is what the network calls a husky.
    silent = caught
    for target, said in caught.effective().items():
        if "snow" in said.concepts:
            silent = silent.annotate(target, "not known", concepts=("black-box",))
    z = cz.test_words(silent, painters(), shifted=pictures)
    husky = next(e for e in class_evidence(z) if e.target == "husky")
    assert "snow" not in husky.words
    assert husky.area is None or husky.area < LEAST_AREA


def test_classes_are_not_asked_about_without_shifted_pictures_or_with_some_words_alone(
    caught: AnnotatedModel, pictures: InputSet, painters: Make
) -> None:
    assert class_evidence(cz.test_words(caught, painters())) == ()
    some = cz.test_words(caught, painters(), shifted=pictures, words=["snow"])
    assert class_evidence(some) == ()


def test_of_several_labels_each_is_called_by_itself() -> None:
    logits = np.array([[2, 1, -1], [-3, -1, -2], [-1, 4, 3]], np.float32)
    seen = CutResponses(("conv:0",), np.zeros((3, 1), np.float32), logits)
    called = [pictures_called(seen, k, "multi-label").tolist() for k in range(3)]
    # The second picture shows none of them; the first and the third show two.
    assert called == [[True, False, False], [True, False, True], [False, False, True]]
    alone = [pictures_called(seen, k, "softmax").tolist() for k in range(3)]
    assert alone == [[True, False, False], [False, True, True], [False, False, False]]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_area_is_that_of_sklearn_and_its_error_that_of_hanley_and_mcneil(seed: int) -> None:
    draw = np.random.default_rng(seed)
    called = (draw.integers(0, 6, 30) + 2).astype(np.float64)
    others = draw.integers(0, 6, 40).astype(np.float64)
    area, low, high = area_with_interval(called, others)
    truth = np.r_[np.ones(30), np.zeros(40)]
    assert area == pytest.approx(roc_auc_score(truth, np.r_[called, others]))
    assert low < area < high


def test_the_interval_has_a_known_width() -> None:
    # Area .75 of 2 and 2: Q1 = .6, Q2 = .642857, so the variance is .0763393.
    area, low, high = area_with_interval(np.array([1.0, 3.0]), np.array([0.0, 2.0]))
    assert area == pytest.approx(0.75)
    assert low == pytest.approx(0.75 - 1.96 * 0.0763393**0.5, abs=1e-4)
    assert high == 1.0
