from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import InputsError
from circuitz.patching.source_rows import (
    draw_sources,
    existing_or_assigned_splits,
    labels_as_class_indices,
)
from circuitz.z.inputs import InputSet


def test_sources_are_even_over_classes_and_splits(world):
    data = world.data(60)
    found = draw_sources(data, world.classes, per_split=30, donors=3)
    assert len(found) == 90
    for s in range(3):
        assert np.bincount(found.label[found.split == s]).tolist() == [10, 10, 10]
    assert (data.labels[found.index] == found.label).all()
    assert (data.split[found.index] == found.split).all()
    assert len(set(found.index.tolist())) == 90


def test_donors_are_of_the_same_split_and_of_the_right_class(world):
    found = draw_sources(world.data(60), world.classes, per_split=60, donors=4)
    n, k, r = found.donors.shape
    assert (n, k, r) == (180, 3, 4)
    for j in range(r):
        for target in range(k):
            donor = found.donors[:, target, j]
            assert (found.split[donor] == found.split).all()
            own = found.label == target
            assert (found.label[donor][~own] == target).all()
            assert (found.label[donor][own] != target).all()
    lent = found.label[found.donors[found.label == 0, 0].ravel()]
    assert np.bincount(lent, minlength=3)[1:].min() > 0.4 * len(lent), "evenly over other classes"


def test_the_seed_decides(world):
    data = world.data(60)
    one, same, other = (draw_sources(data, world.classes, per_split=30, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.donors, same.donors)
    assert np.array_equal(one.index, same.index)
    assert not np.array_equal(one.index, other.index)


def test_a_class_with_fewer_images_gives_all_it_has(world):
    data = world.data(60)
    keep = np.flatnonzero((data.labels != 2) | (np.arange(180) >= 174))
    small = InputSet(data.images[keep], data.labels[keep], data.classes, split=data.split[keep])
    found = draw_sources(small, world.classes, per_split=30)
    assert np.bincount(found.label[found.split == 0]).tolist() == [10, 10, 2]


def test_take_keeps_who_lends(world):
    found = draw_sources(world.data(), world.classes, per_split=12)
    some = found.take(np.array([3, 5]))
    assert len(some) == 2
    assert some.row.tolist() == [3, 5]
    assert np.array_equal(some.donors, found.donors[[3, 5]])


def test_without_a_split_one_is_made_that_stays_the_same(world):
    data = world.data(60, split=None)
    one, two = (existing_or_assigned_splits(data, data.labels) for _ in range(2))
    assert np.array_equal(one, two)
    assert set(one.tolist()) == {0, 1, 2}
    for k in range(3):
        shares = np.bincount(one[data.labels == k]) / 60
        assert np.allclose(shares, [0.7, 0.15, 0.15], atol=0.03)
    assert len(draw_sources(data, world.classes, per_split=9)) == 27


def test_labels_follow_names_when_data_and_model_order_classes_differently(world):
    data = world.data(classes=("corgi", "husky", "poodle"))
    found = labels_as_class_indices(data, world.classes)
    assert (found[data.labels == 0] == 1).all()
    assert (found[data.labels == 1] == 0).all()


def test_data_that_cannot_be_used(world):
    with pytest.raises(InputsError, match="need D"):
        labels_as_class_indices(None, world.classes)
    with pytest.raises(InputsError, match="no labels"):
        labels_as_class_indices(world.data(labels=None), world.classes)
    with pytest.raises(InputsError, match="no image of poodle"):
        labels_as_class_indices(world.data(labels=np.arange(72) % 2), world.classes)
    with pytest.raises(InputsError, match="cat"):
        labels_as_class_indices(world.data(classes=("husky", "cat", "poodle")), world.classes)
    with pytest.raises(InputsError, match="from 0 to 3"):
        labels_as_class_indices(world.data(labels=np.arange(72) % 4), world.classes)
    with pytest.raises(InputsError, match="one class"):
        draw_sources(world.data(labels=np.zeros(72, int), classes=("a",)), ("a",))
    labels = world.data().labels
    lopsided = world.data(split=np.where(labels == 2, 0, 1).astype(np.uint8))
    with pytest.raises(InputsError, match="split of D holds no image"):
        draw_sources(lopsided, world.classes)


def test_a_class_that_a_split_lacks_is_counted():
    split = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2], np.uint8)
    labels = np.array([0, 1, 0, 1, 0, 1, 1, 1, 1])
    images = np.zeros((9, 2, 2, 3), np.uint8)
    data = InputSet(images, labels=labels, classes=("a", "b"), split=split)
    with pytest.raises(InputsError, match="audit split of D holds no image of a") as caught:
        draw_sources(data, ("a", "b"), per_split=3, donors=1)
    assert "D holds 3 of it" in caught.value.hint
