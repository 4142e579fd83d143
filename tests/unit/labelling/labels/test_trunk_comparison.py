"""Which features answers are learned with, at several numbers of answers."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import LabellingError
from circuitz.labelling.labels.label_model import LabelModel, fit_label_model
from circuitz.labelling.labels.trunk_comparison import compare_trunks, picture_features

CLASSES = ("husky", "corgi", "poodle")


@pytest.fixture
def study():
    """Answers go by three features; another set of features tells nothing."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    shared = np.eye(3)[labels] + rng.normal(0, 0.5, (400, 3))
    answers = np.where(rng.random(220) < 0.05, rng.integers(0, 3, 220), labels[:220])
    return labels, shared, rng.normal(size=(400, 3)), answers


def test_features_that_tell_beat_those_that_do_not(study):
    labels, shared, noise, answers = study
    found = compare_trunks({"shared": shared, "separate": noise}, answers, CLASSES)
    assert [(r.trunk, r.answers) for r in found] == [
        (name, size) for size in (50, 100, 200) for name in ("shared", "separate")
    ]
    for told, untold in zip(found[::2], found[1::2], strict=True):
        assert told.agreement > untold.agreement + 0.2
        assert (told.predicted == labels).mean() > 0.75
        assert (untold.predicted == labels).mean() < 0.6


def test_answers_about_inputs_learned_from_are_not_foretold(study):
    _, shared, _, answers = study
    item = np.repeat(np.arange(30), 2)
    found = compare_trunks(
        {"shared": shared}, np.repeat(answers[:30], 2), CLASSES, item=item, sizes=(50, 60)
    )
    assert found[-1].agreement is None


def test_too_few_answers_and_features_of_other_inputs_are_named(study):
    _, shared, noise, answers = study
    with pytest.raises(LabellingError, match="fewer than any"):
        compare_trunks({"shared": shared}, answers[:20], CLASSES)
    with pytest.raises(LabellingError, match="different inputs"):
        compare_trunks({"shared": shared, "separate": noise[:-1]}, answers, CLASSES)


def test_pictures_of_other_colours_have_other_features():
    images = np.zeros((3, 32, 40, 3), np.uint8)
    images[1, :16] = 200
    images[2, ::2] = 255
    found = picture_features(images)
    assert found.shape == (3, 6 * 6 * 4)
    assert not found[0].any()
    assert found[1, :4].max() > 0.7
    assert found[1, -4:].max() == 0
    assert found[2, 3::4].min() > 0.5
    with pytest.raises(LabellingError, match="grid"):
        picture_features(images[0])


def test_the_weight_of_logits_as_an_input_is_set_by_the_answers(study):
    """Right logits keep their weight; those that say nothing of the answers lose it."""
    labels, _, noise, answers = study
    rng = np.random.default_rng(1)
    right = np.eye(3)[labels] * 4 + rng.normal(size=(400, 3))
    wrong = rng.normal(size=(400, 3)) * 4
    asked = np.arange(220)
    scales = [
        fit_label_model(noise, z, answers, CLASSES, item=asked, as_input=True).scale
        for z in (right, wrong)
    ]
    assert scales[0] > 0.6
    assert scales[1] < 0.2
    few = fit_label_model(noise, wrong, answers[:3], CLASSES, item=asked[:3], as_input=True)
    assert abs(np.log(few.scale)) < 1.5
    assert few.form == "z+features"


def test_agreement_is_with_answers_left_out_and_travels(study):
    _labels, shared, noise, answers = study
    item = np.arange(220)
    zeros = np.zeros((400, 3))
    told = fit_label_model(shared, zeros, answers, CLASSES, item=item, offset=False)
    untold = fit_label_model(noise, zeros, answers, CLASSES, item=item, offset=False)
    assert told.agreement > 0.75
    assert untold.agreement < 0.5
    assert LabelModel.from_json(told.to_json()).agreement == told.agreement
    earlier = {k: v for k, v in told.to_json().items() if k != "agreement"}
    assert LabelModel.from_json(earlier).agreement is None
