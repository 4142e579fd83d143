from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.data.validate_inputs import check_concept_set, check_image_set
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.inputs import InputSet


def make(n: int = 6) -> InputSet:
    table = np.zeros((n, 2), dtype=np.float32)
    table[::2, 0] = 1
    table[1::2, 1] = 1
    return InputSet(
        np.zeros((n, 8, 8, 3), dtype=np.uint8),
        labels=np.arange(n) % 2,
        classes=("a", "b"),
        concepts=table,
        concept_names=("snow", "grass"),
        split=np.zeros(n, dtype=np.uint8),
        scene=np.arange(n),
        masks=np.zeros((n, 8, 8), dtype=np.uint8),
        mask_names=("", "surroundings"),
        pairs=np.array([[0, 1, 0]]),
    )


def test_a_sound_set_comes_back_as_it_is():
    inputs = make()
    assert check_image_set(inputs, labelled=True) is inputs
    assert check_concept_set(inputs) is inputs
    unknown = np.full((6, 1), np.nan, dtype=np.float32)
    unknown[:2, 0] = 0, 1
    assert check_concept_set(replace(inputs, concepts=unknown, concept_names=("snow",)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.zeros((6, 8, 8, 3), dtype=np.float32)}, "float32"),
        ({"images": np.zeros((6, 8, 8), dtype=np.uint8)}, "shape"),
        ({"images": np.zeros((6, 8, 8, 5), dtype=np.uint8), "masks": None}, "5 channels"),
        ({"labels": None}, "no labels"),
        ({"labels": np.arange(5)}, "(?i)labels"),
        ({"labels": np.array([0, 1, 2, 0, 1, 0])}, "2 classes"),
        ({"labels": np.array([0, 1, -1, 0, 1, 0])}, "2 classes"),
        ({"labels": np.zeros(6, dtype=np.int64)}, "one class"),
        ({"classes": ("a", "a")}, "classes"),
        ({"split": np.zeros(5, dtype=np.uint8)}, "(?i)split"),
        ({"split": np.full(6, 3, dtype=np.uint8)}, "splits"),
        ({"scene": np.arange(7)}, "(?i)scene"),
        ({"masks": np.zeros((6, 4, 4), dtype=np.uint8)}, "(?i)masks"),
        ({"pairs": np.array([[0, 9, 0]])}, "(?i)pairs"),
        ({"concepts": np.zeros((5, 2), dtype=np.float32)}, "(?i)concepts"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], message: str):
    with pytest.raises(InputsError, match=message) as caught:
        check_image_set(replace(make(), **changes), labelled=True)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("table", "names", "message"),
    [
        (None, (), "no concept labels"),
        (np.zeros((6, 0), dtype=np.float32), (), "no concept labels"),
        (np.ones((6, 1), dtype=np.float32), ("snow",), "‘snow’ is constant: present"),
        (np.zeros((6, 1), dtype=np.float32), ("snow",), "‘snow’ is constant: absent"),
        (np.full((6, 1), np.nan, dtype=np.float32), ("snow",), "‘snow’ has no labels"),
        (np.full((6, 1), 0.5, dtype=np.float32), ("snow",), "‘snow’ of picture 0 is 0.5"),
        (np.eye(6, 2, dtype=np.float32), ("snow", "snow"), "share a name: snow"),
        (np.eye(6, 2, dtype=np.float32), ("snow", ""), "no name"),
        (np.eye(6, 2, dtype=np.float32), ("snow",), "1 names"),
    ],
)
def test_concepts_that_cannot_be_matched_are_named(
    table: np.ndarray | None, names: tuple[str, ...], message: str
):
    with pytest.raises(ConceptLabelsError, match=message) as caught:
        check_concept_set(replace(make(), concepts=table, concept_names=names, pairs=None))
    assert caught.value.hint


def test_an_empty_set_is_named():
    with pytest.raises(InputsError, match="empty"):
        check_image_set(InputSet(np.zeros((0, 8, 8, 3), dtype=np.uint8)))
