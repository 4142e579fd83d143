from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from circuitz.errors import ConceptLabelsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet
from circuitz.zstar.edits import pixel_edits as edits
from circuitz.zstar.edits import regions
from circuitz.zstar.edits.erasure import learn_erasure
from circuitz.zstar.edits.inpainting import fill, fill_unknown_pixels
from circuitz.zstar.edits.regions import RegionFinder, find_regions

pytestmark = pytest.mark.slow
SIDE = 16


def flecked(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paint smooth colours, half of them under single bright pixels; return pixels and where."""
    draw = np.random.default_rng(seed)
    coarse = torch.from_numpy(draw.uniform(20, 190, (n, 3, 4, 4)))
    smooth = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bicubic").numpy()
    images = smooth.transpose(0, 2, 3, 1) + draw.normal(0, 4, (n, SIDE, SIDE, 3))
    shows = np.arange(n) % 2 == 0
    where = (draw.random((n, SIDE, SIDE)) < 0.06) & shows[:, None, None]
    images[where] = 245
    return images.clip(0, 255).astype(np.uint8), where, shows


@pytest.fixture(scope="module")
def flecks() -> tuple[InputSet, np.ndarray]:
    images, where, shows = flecked(240, 0)
    concepts = InputSet(
        images,
        concepts=shows[:, None].astype(np.float32),
        concept_names=("snow",),
        split=np.resize(np.array([0, 0, 0, 0, 1, 1, 2, 2], np.uint8), 240),
        scene=np.arange(240),
        role="concepts",
    )
    return concepts, where


@pytest.fixture(scope="module")
def finder(flecks) -> RegionFinder:
    with pytest.MonkeyPatch.context() as patch:
        # Fewer steps than a search takes: the pictures are small and their flecks plain.
        patch.setattr(regions, "learn_erasure", partial(learn_erasure, steps=200))
        return find_regions("snow", flecks[0], Lexicon.load())


def test_single_pixels_are_found_from_image_labels_alone(finder) -> None:
    images, where, shows = flecked(60, 7)
    found = finder.region_probability_maps(images) > 0.5
    assert finder.alone
    assert (found & where).sum() > 0.8 * where.sum()
    assert found[~shows].mean() < 0.02
    assert (finder.images_show_concept(images) == shows).mean() > 0.95


def test_what_erasing_leaves_behind_is_measured_on_unseen_images(finder) -> None:
    assert finder.told_before > 0.95
    assert finder.told_after < 0.75


def test_what_cannot_be_erased_is_told_afterwards() -> None:
    draw = np.random.default_rng(0)
    # The whole picture is the concept: nothing around it can stand in for it.
    present, absent = (
        torch.from_numpy(draw.normal(m, 0.05, (40, 3, 8, 8)).astype(np.float32))
        for m in (0.7, -0.7)
    )
    made = learn_erasure(present, absent, present[:10], absent[:10], steps=150)
    assert made.told_after > 0.75


def test_without_unseen_images_nothing_is_claimed() -> None:
    x = torch.zeros(20, 3, 8, 8)
    made = learn_erasure(x + 0.5, x - 0.5, x[:0], x[:0], steps=1)
    assert math.isnan(made.told_before)
    assert math.isnan(made.told_after)


def test_too_few_labels_are_refused(flecks) -> None:
    concepts, _ = flecks
    few = concepts.concepts.copy()
    few[8:] = 0
    with pytest.raises(ConceptLabelsError, match="too few"):
        find_regions("snow", replace(concepts, concepts=few), Lexicon.load())


def test_every_image_is_given_the_concept_before_it_is_taken_away(flecks, finder) -> None:
    concepts, _ = flecks
    data = InputSet(
        concepts.images,
        labels=concepts.concepts[:, 0].astype(np.int64),
        classes=("a", "b"),
        split=np.zeros(240, np.uint8),
    )
    editor = edits.make_editor(data, concepts, (finder,), Lexicon.load())
    rows = np.arange(40)
    made = editor.make_batch_edit_for_rows(np.arange(240))(
        data.images[:40].copy(), rows, np.random.default_rng(0)
    )
    plain, without, laid = made.reshape(3, 40, SIDE, SIDE, 3)
    assert (plain == data.images[:40]).all()
    # Erased or not at all there before: of the bright pixels little is left in either class.
    left = (without.min(-1) > 235).mean((1, 2))
    assert left[0::2].mean() < 0.01
    assert left[1::2].mean() < 0.01
    assert abs(left[0::2].mean() - left[1::2].mean()) < 0.005
    # Erasing leaves traces in both alike: images without the concept are changed as well.
    changed = (without != plain).any(-1).mean((1, 2))
    assert changed[1::2].mean() > 0.5 * changed[0::2].mean() > 0
    assert (finder.images_show_concept(laid)).mean() > 0.9


def test_a_control_edits_elsewhere(flecks, finder) -> None:
    concepts, where = flecks
    data = InputSet(concepts.images, labels=np.arange(240) % 2, classes=("a", "b"))
    editor = edits.make_editor(data, concepts, (finder,), Lexicon.load(), region_mode="random")
    made = editor.make_batch_edit_for_rows(np.arange(240))(
        data.images[:40].copy(), np.arange(40), np.random.default_rng(0)
    )
    without = made.reshape(3, 40, SIDE, SIDE, 3)[1]
    assert (without.min(-1) > 235)[where[:40]].mean() > 0.4


def test_filling_is_smooth_and_follows_its_surroundings() -> None:
    ramp = np.broadcast_to(
        np.linspace(0, 250, 16).astype(np.uint8)[None, None, :, None], (1, 16, 16, 3)
    )
    known = np.ones((1, 16, 16), bool)
    known[:, 6:10, 6:10] = False
    made = fill_unknown_pixels(np.array(ramp), known)
    assert np.abs(made.astype(int) - ramp).max() < 40
    x = torch.rand(2, 3, 9, 7, requires_grad=True)
    region = torch.rand(2, 1, 9, 7, requires_grad=True)
    fill(x, region).sum().backward()
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(region.grad).all()
