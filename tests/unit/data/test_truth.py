from __future__ import annotations

import pytest

from circuitz.data.dogs import make_dogs
from circuitz.data.parts import GROUNDS
from circuitz.data.truth import counterfactual_grounds, dogs_truth
from circuitz.errors import InputsError


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
    same = counterfactual_grounds("D", 6, 0, seed=3)
    truth = dogs_truth("D", 6, seed=3)
    husky = truth.labels == 0
    assert (same[husky] == before[husky]).all()
    assert (same[~husky] != before[~husky]).any(axis=(1, 2, 3)).all()
    mongrels = make_dogs("concepts", 40, seed=3)
    assert mongrels.masks is not None
    dog = (mongrels.masks > 0) & (mongrels.masks != mongrels.mask_names.index("surroundings"))
    other = counterfactual_grounds("concepts", 40, seed=3)
    assert (other[dog] == mongrels.images[dog]).all()
    assert (other[~dog] == mongrels.images[~dog]).mean() < 0.1


def test_a_ground_that_does_not_exist_is_named():
    with pytest.raises(InputsError, match="no ground 7"):
        counterfactual_grounds("D", 2, 7)
