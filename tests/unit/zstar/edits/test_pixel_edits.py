from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.errors import ConceptLabelsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet
from circuitz.zstar.edits import pixel_edits as edits
from circuitz.zstar.edits.regions import RegionFinder


def test_plates_keep_the_region_and_leave_nothing_of_the_hole() -> None:
    draw = np.random.default_rng(0)
    images = np.full((6, 8, 8, 3), 100, np.uint8)
    regions = np.ones((6, 8, 8), bool)
    regions[:, 2:5, 2:5] = False
    images[~regions] = 255
    made = edits.fill_donors_outside_regions(images, regions, np.zeros(6, np.int64), draw)
    assert (made == 100).all()


def test_plates_of_different_things_do_not_complete_one_another() -> None:
    images = np.stack([np.full((8, 8, 3), v, np.uint8) for v in (10, 200)] * 4)
    regions = np.ones((8, 8, 8), bool)
    regions[:, 3:5, 3:5] = False
    made = edits.fill_donors_outside_regions(
        images, regions, np.array([0, 1] * 4), np.random.default_rng(0)
    )
    assert (made[0::2] == 10).all()
    assert (made[1::2] == 200).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 17), st.integers(1, 17), st.integers(0, 2**32 - 1))
def test_spread_keeps_what_is_known_and_stays_within_its_range(h: int, w: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    images = draw.integers(0, 256, (2, h, w, 3)).astype(np.uint8)
    known = draw.random((2, h, w)) < 0.5
    known[:, 0, 0] = True
    made = edits.fill_unknown_pixels(images, known)
    assert (made[known] == images[known]).all()
    for i in range(2):
        low, high = images[i][known[i]].min(0), images[i][known[i]].max(0)
        assert (made[i] >= low).all()
        assert (made[i] <= high).all()


def test_grown_regions_cover_a_rim() -> None:
    region = np.zeros((1, 5, 5), bool)
    region[0, 2, 2] = True
    assert edits.grow_regions(region).sum() == 5
    assert edits.grow_regions(region, 2).sum() == 13


def test_boxes_have_the_area_of_regions_but_not_their_places() -> None:
    regions = np.zeros((4, 32, 32), bool)
    regions[:, 20:, :] = True
    boxes = edits.random_boxes_like(regions, 400, np.random.default_rng(0))
    assert boxes.mean() == pytest.approx(regions.mean(), rel=0.1)
    assert boxes[:, :8].mean() > 0.1


class _Whole:
    """A finder that sees the concept in the lower half of bright images."""

    def maps(self, images: np.ndarray) -> np.ndarray:
        out = np.zeros(images.shape[:3], np.float32)
        out[:, 12:] = (images.mean((1, 2, 3)) > 128)[:, None, None]
        return out


def test_an_editor_breaks_the_tie_between_class_and_ground(block_world) -> None:
    data, concepts = block_world
    ground = (concepts.masks == 2).astype(np.float32)
    lookup = {image.tobytes(): ground[i] for i, image in enumerate(concepts.images)}

    class Known(_Whole):
        def maps(self, images: np.ndarray) -> np.ndarray:
            # The true masks of the concept set; for D a box that holds the thing is left out.
            out = np.ones(images.shape[:3], np.float32)
            out[:, 2:22, 5:22] = 0
            return np.stack([lookup.get(x.tobytes(), o) for x, o in zip(images, out, strict=True)])

    finder = RegionFinder("snow", "masks", Known())  # type: ignore[arg-type]
    object.__setattr__(finder, "region_probability_maps", Known().maps)
    editor = edits.make_editor(data, concepts, (finder,), Lexicon.load())
    rows = np.flatnonzero(data.split == 0)
    edit = editor.make_batch_edit_for_rows(rows)
    before = data.images[rows]
    after = edit(before.copy(), np.arange(len(rows)), np.random.default_rng(0))
    bright_before, bright_after = (x[:, 0, 0].mean(1) > 200 for x in (before, after))
    husky = data.labels[rows] == 0
    assert bright_before[husky].all()
    assert not bright_before[~husky].any()
    assert abs(bright_after[husky].mean() - bright_after[~husky].mean()) < 0.15
    again = edit(before.copy(), np.arange(len(rows)), np.random.default_rng(0))
    assert (after == again).all()
    assert (before[:, 10:16, 10:14] == after[:, 10:16, 10:14]).all()


def test_a_large_concept_set_that_lies_sorted_still_lends_both() -> None:
    images = np.zeros((1000, 16, 16, 3), np.uint8)
    labels = (np.arange(1000) >= 900).astype(np.float32)[:, None]
    concepts = InputSet(images, concepts=labels, concept_names=("collar",))
    data = InputSet(images[:8], labels=np.arange(8) % 2, classes=("a", "b"))
    finder = RegionFinder("collar", "masks", torch.nn.Conv2d(3, 1, 1))
    layer = edits.make_editor(data, concepts, (finder,), Lexicon.load()).layers[0]
    assert len(layer.donors) == 800
    assert 0.05 < layer.showing.mean() < 0.15


def test_a_concept_that_every_donor_shows_is_refused(block_world) -> None:
    data, concepts = block_world
    always = concepts.concepts.copy()
    always[:, 3] = 1
    with pytest.raises(ConceptLabelsError, match="snow"):
        edits.make_editor(
            data,
            replace(concepts, concepts=always),
            (RegionFinder("snow", "masks", torch.nn.Conv2d(3, 1, 1)),),
            Lexicon.load(),
        )


class _Red(torch.nn.Module):
    """Finds what is redder than the rest (a collar), or what is not."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.sign = sign

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 50 * self.sign * (x[:, :1] - x[:, 2:] - 0.5)


def test_versions_of_an_image_differ_in_what_is_there_or_not_alone() -> None:
    draw = np.random.default_rng(0)
    images = np.repeat(draw.integers(60, 120, (40, 16, 16, 1), np.uint8), 3, 3)
    collar = np.arange(40) % 2 == 0
    images[collar, 6:9, 4:12] = (250, 0, 0)
    snow = (np.arange(40) // 2) % 2 == 0
    images[snow, :, :4] = 240
    labels = np.stack([snow, ~snow, collar], 1).astype(np.float32)
    concepts = InputSet(images, concepts=labels, concept_names=("snow", "grass", "collar"))
    data = InputSet(images[:8], labels=np.arange(8) % 2, classes=("a", "b"))
    ground = RegionFinder("snow", "masks", _Red(-1.0))
    worn = RegionFinder("collar", "masks", _Red(1.0), alone=True)
    rows = np.arange(8)
    made = [
        edits.make_editor(data, concepts, finders, Lexicon.load()).make_batch_edit_for_rows(rows)(
            data.images.copy(), rows, np.random.default_rng(1)
        )
        for finders in ((ground, worn), (worn, ground))
    ]
    assert (made[0] == made[1]).all()
    versions = made[0].reshape(3, 8, 16, 16, 3).astype(int)
    # Away from any collar the three versions show the same ground, whichever came first.
    assert (versions[0, :, 12:] == versions[1, :, 12:]).all()
    assert (versions[0, :, 12:] == versions[2, :, 12:]).all()
    red = (versions[..., 0] - versions[..., 2] > 100).any((2, 3))
    assert not red[1].any()
    assert red[2].all()
