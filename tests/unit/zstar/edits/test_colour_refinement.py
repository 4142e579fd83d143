from __future__ import annotations

import numpy as np

from circuitz.zstar.edits.colour_groups import split_by_colour
from circuitz.zstar.edits.colour_refinement import refine_by_colour


def _thing_with_tail() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    image = draw.normal((120, 170, 90), 8, (40, 40, 3))
    thing = np.zeros((40, 40), bool)
    thing[14:28, 14:28] = True
    thing[18:22, 28:38] = True  # a tail, four pixels wide
    image[thing] = draw.normal((150, 90, 60), 8, (thing.sum(), 3))
    return image.clip(0, 255).astype(np.uint8), thing


def test_what_is_thin_is_given_back_to_the_thing() -> None:
    image, thing = _thing_with_tail()
    coarse = np.ones((40, 40), np.float32)
    coarse[15:27, 15:27] = 0  # the tail, and a rim, are taken for ground
    fine = refine_by_colour(image[None], coarse[None])[0] > 0.5
    assert not fine[19:21, 28:37].any()  # all but its edge
    assert (fine != ~thing).mean() < 0.02


def test_a_picture_that_is_all_region_is_left_alone() -> None:
    image, _ = _thing_with_tail()
    whole = np.ones((1, 40, 40), np.float32)
    assert (refine_by_colour(image[None], whole) == whole).all()
    assert refine_by_colour(image[None][:0], whole[:0]).shape == (0, 40, 40)


def test_donors_of_one_label_are_told_apart_by_colour() -> None:
    draw = np.random.default_rng(0)
    colours = np.repeat([(230, 230, 240), (200, 170, 110), (30, 60, 140)], 40, 0)
    images = draw.normal(colours[:, None, None], 6, (120, 8, 8, 3)).clip(0, 255).astype(np.uint8)
    labels = np.repeat([0, 1, 1], 40)
    groups = split_by_colour(images, np.ones((120, 8, 8), bool), labels)
    for group in np.unique(groups):
        assert len(np.unique(np.arange(120)[groups == group] // 40)) == 1
