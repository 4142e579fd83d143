from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.demo import pictures
from circuitz.evaluation.truth import KnownSet, shifted_set


@pytest.fixture(scope="module")
def shifted() -> KnownSet:
    return shifted_set(5, seed=3)


def test_the_same_dog_stands_on_every_ground(shifted: KnownSet) -> None:
    rows = np.array([0, 7])
    made = pictures.on_every_ground(shifted, rows)
    assert made is not None
    grounds = len(shifted.truth.grounds)
    assert made.shape == (2, grounds, *shifted.inputs.images.shape[1:])
    own = shifted.truth.ground[rows]
    assert np.array_equal(made[[0, 1], own], shifted.inputs.images[rows])
    changed = (made[:, :1] != made[:, 1:]).any(-1).mean((2, 3))
    assert (changed > 0.2).all()


def test_dogs_that_are_not_the_same_are_not_shown(shifted: KnownSet) -> None:
    other = replace(shifted.inputs, images=255 - shifted.inputs.images)
    assert pictures.on_every_ground(KnownSet(other, shifted.truth), np.array([0])) is None
    unknown = replace(shifted.inputs, recipe={})
    assert pictures.on_every_ground(KnownSet(unknown, shifted.truth), np.array([0])) is None
    assert pictures.on_every_ground(shifted, np.zeros(0, np.int64)) is None


@pytest.mark.parametrize("channels", [1, 3])
def test_images_become_addresses(channels: int) -> None:
    address = pictures.photo(np.zeros((9, 7, channels), np.uint8))
    assert address.startswith("data:image/jpeg;base64,")


def test_what_a_unit_sees_keeps_its_colour() -> None:
    image = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    heat = np.zeros((8, 8), np.uint8)
    heat[:, :4] = 200
    made = pictures.lit(image, heat)
    assert (made[:, :3] == image[:, :3]).all()
    assert (made[:, 5:] < image[:, 5:]).all()
    silent = pictures.lit(image, np.zeros((2, 2), np.uint8))
    assert silent.shape == image.shape
    assert (silent < image).all()


def test_what_is_no_picture_is_no_evidence() -> None:
    assert pictures.strip(b"") is None
    assert pictures.strip(b"\x89PNG\r\n\x1a\nbroken") is None
