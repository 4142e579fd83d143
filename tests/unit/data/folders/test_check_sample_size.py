from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.data.folders.check_sample_size import check_sample_sizes
from circuitz.data.splits import assign_splits
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.inputs import InputSet


def data(each: int, classes: tuple[str, ...] = ("cat", "dog")) -> InputSet:
    labels = np.repeat(np.arange(len(classes)), each)
    return InputSet(
        np.zeros((len(labels), 8, 8, 3), np.uint8), labels=labels, classes=classes,
        split=assign_splits(len(labels), (0.7, 0.15, 0.15), strata=labels),
    )  # fmt: skip


def concepts(present: int, absent: int, names: tuple[str, ...] = ("snow",)) -> InputSet:
    table = np.repeat([[1.0], [0.0]], [present, absent], axis=0).astype(np.float32)
    table = np.repeat(table, len(names), axis=1)
    return InputSet(
        np.zeros((len(table), 8, 8, 3), np.uint8), concepts=table, concept_names=names,
        split=assign_splits(len(table), strata=table), role="concepts",
    )  # fmt: skip


PLENTY = concepts(200, 200)


def test_plenty_is_passed_in_silence():
    assert check_sample_sizes(data(100), PLENTY) == ()


@pytest.mark.parametrize("each", [1, 4, 6])
def test_a_class_of_few_pictures_is_refused_with_what_to_do(each):
    with pytest.raises(InputsError, match=rf"{each} pictures? of (cat|dog), and its split") as told:
        check_sample_sizes(data(each), PLENTY)
    assert "20 pictures a class" in told.value.hint


def test_copies_of_one_scene_are_no_further_pictures():
    many = data(100)
    one = np.where(many.labels == 0, 0, np.arange(200))
    split = np.where(many.labels == 0, 0, many.split).astype(np.uint8)
    with pytest.raises(InputsError, match="1 picture of cat, and its split ‘test’ holds 0"):
        check_sample_sizes(replace(many, scene=one, split=split), PLENTY)


def test_twenty_pictures_a_class_do_with_a_remark():
    (remark,) = check_sample_sizes(data(20), PLENTY)
    assert "few pictures of cat, of dog" in remark
    assert "inconclusive" in remark


def test_of_several_labels_those_without_are_counted_too():
    split = assign_splits(100)
    shown = np.ones((100, 2), np.int64)
    shown[::2, 0] = 0
    several = InputSet(
        np.zeros((100, 8, 8, 3), np.uint8), labels=shown, classes=("ears", "tail"), split=split
    )
    with pytest.raises(InputsError, match="0 pictures without tail"):
        check_sample_sizes(several, PLENTY)


def test_a_concept_set_that_can_decide_nothing_is_refused():
    with pytest.raises(ConceptLabelsError, match="4 pictures with labels") as told:
        check_sample_sizes(data(100), concepts(2, 2))
    assert "20 pictures with each concept" in told.value.hint


def test_a_rare_concept_is_remarked_on_and_the_others_serve():
    wide = concepts(200, 200, ("snow", "collar"))
    wide.concepts[:, 1] = np.arange(400) < 3
    (remark,) = check_sample_sizes(data(100), wide)
    assert "‘collar’" in remark
    assert "‘snow’" not in remark
