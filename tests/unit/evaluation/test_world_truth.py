from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.data.worlds.dog_parts import GROUNDS
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.errors import InputsError
from circuitz.evaluation.world_truth import (
    dogs_truth,
    render_in_every_cell,
    render_on_other_grounds,
)


def test_truth_fits_the_labels_and_concepts_of_sets_that_carry_them():
    d, truth = make_dogs("D", 8, seed=2), dogs_truth("D", 8, seed=2)
    assert d.labels is not None
    assert (truth.labels == d.labels).all()
    made, known = make_dogs("concepts", 60, seed=2), dogs_truth("concepts", 60, seed=2)
    assert made.concepts is not None
    assert (known.concepts == made.concepts).all()
    assert known.concept_names == made.concept_names
    assert (known.labels == -1).all()


def test_truth_of_the_shifted_set_names_grounds_as_its_concepts_do():
    truth = dogs_truth("D'", 30, seed=1)
    columns = [truth.concept_names.index(g) for g in GROUNDS]
    assert (truth.concepts[:, columns].argmax(axis=1) == truth.ground).all()
    assert truth.classes[0] == "husky"
    assert dogs_truth("D'", 2, classes=tuple("abcdef")).classes == tuple("abcdef")


def test_counterfactuals_keep_the_dog_and_change_the_ground():
    before = make_dogs("D", 6, seed=3).images
    same = render_on_other_grounds("D", 6, 0, seed=3)
    truth = dogs_truth("D", 6, seed=3)
    husky = truth.labels == 0
    assert (same[husky] == before[husky]).all()
    assert (same[~husky] != before[~husky]).any(axis=(1, 2, 3)).all()
    mongrels = make_dogs("concepts", 40, seed=3)
    assert mongrels.masks is not None
    dog = (mongrels.masks > 0) & (mongrels.masks != mongrels.mask_names.index("surroundings"))
    other = render_on_other_grounds("concepts", 40, seed=3)
    assert (other[dog] == mongrels.images[dog]).all()
    assert (other[~dog] == mongrels.images[~dog]).mean() < 0.1


def test_a_ground_that_does_not_exist_is_named():
    with pytest.raises(InputsError, match="no ground 7"):
        render_on_other_grounds("D", 2, 7)


def test_the_same_dog_stands_on_every_ground():
    shifted, rows = make_dogs("D'", 5, seed=3), np.array([0, 7])
    made, truth = render_in_every_cell(shifted, rows), dogs_truth("D'", 5, seed=3)
    assert made is not None
    assert made.shape == (2, len(GROUNDS), 64, 64, 3)
    assert np.array_equal(made[[0, 1], truth.cell[rows]], shifted.images[rows])
    assert ((made[:, :1] != made[:, 1:]).any(-1).mean((2, 3)) > 0.2).all()


def test_what_is_not_the_same_scene_is_not_shown():
    shifted, rows = make_dogs("D'", 2), np.array([0])
    assert render_in_every_cell(replace(shifted, images=255 - shifted.images), rows) is None
    assert render_in_every_cell(replace(shifted, recipe={}), rows) is None
    assert render_in_every_cell(replace(shifted, images=shifted.images[:3]), rows) is None
    assert render_in_every_cell(shifted, np.zeros(0, np.int64)) is None


@pytest.mark.parametrize("shortcut", ["ground", "collar", "two"])
def test_cells_part_what_the_shortcut_ties_from_the_rest(shortcut: str):
    in_d = dogs_truth("D", 40, shortcut=shortcut)
    assert ((in_d.cell == in_d.home) == (in_d.labels == 0)).all()
    shifted = dogs_truth("D'", 40, shortcut=shortcut, balanced_cells=True)
    counts = np.bincount(shifted.labels * len(shifted.cells) + shifted.cell)
    assert counts.min() >= 4
    assert len(shifted.cells) == {"ground": 5, "collar": 2, "two": 4}[shortcut]
