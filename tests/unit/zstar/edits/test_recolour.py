from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet
from circuitz.zstar.edits import pixel_edits as edits
from circuitz.zstar.edits.recolour import (
    Recolouring,
    apply_colour_maps,
    fit_colour_maps,
    learn_recolouring,
)
from circuitz.zstar.edits.regions import RegionFinder, find_regions

_TINT = np.array([[0.8, 0, 0, 0], [0, 0.9, 0, 6], [0, 0.1, 0.85, 30]], np.float32)


def _pictures(n: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    base = draw.integers(20, 200, (n, 4, 4, 3)).repeat(4, 1).repeat(4, 2)
    return (base + draw.integers(-10, 10, (n, 16, 16, 3))).astype(np.uint8)


def _tinted(images: np.ndarray) -> np.ndarray:
    return apply_colour_maps(images, np.repeat(_TINT[None], len(images), 0))


def _set(n: int = 120) -> InputSet:
    plain = _pictures(n, 0)
    return InputSet(
        np.concatenate([plain, _tinted(plain)]),
        concepts=np.repeat([0, 1], n).astype(np.float32)[:, None],
        concept_names=("winter light",),
        split=np.tile((np.arange(n) % 3 == 0).astype(np.int8), 2),
        scene=np.tile(np.arange(n), 2),
        pairs=np.stack([np.arange(n), n + np.arange(n), np.zeros(n, int)], 1),
    )


def test_a_tint_is_put_on_and_taken_off() -> None:
    plain = _pictures(8, 1)
    shown = _tinted(plain)
    on, off = fit_colour_maps(plain, shown), fit_colour_maps(shown, plain)
    assert np.abs(on - _TINT).max() < 1.5
    assert np.abs(apply_colour_maps(plain, on).astype(int) - shown).max() <= 2
    assert np.abs(apply_colour_maps(shown, off).astype(int) - plain).max() <= 3
    flat = np.full((1, 4, 4, 1), 90, np.uint8)
    assert (
        np.abs(apply_colour_maps(flat, fit_colour_maps(flat, flat + 20)).astype(int) - 110).max()
        <= 1
    )


def test_pairs_that_differ_in_colour_give_no_region(block_world) -> None:
    found = find_regions("winter light", _set(), Lexicon.load())
    assert isinstance(found, Recolouring)
    assert found.told_before > 0.9
    assert found.told_after == pytest.approx(0.5, abs=0.2)
    fresh = _pictures(60, 9)
    assert found.images_show_concept(_tinted(fresh)).mean() > 0.8
    assert found.images_show_concept(fresh).mean() < 0.2


def test_a_thing_in_one_place_is_no_tint() -> None:
    plain = _pictures(80, 2)
    worn = plain.copy()
    worn[:, 8:11, 3:13] = (220, 10, 10)
    assert learn_recolouring("collar", (worn, plain), (worn, plain), (worn, plain)) is None
    concepts = replace(_set(80), images=np.concatenate([plain, worn]), concept_names=("collar",))
    assert isinstance(find_regions("collar", concepts, Lexicon.load()), RegionFinder)


def test_after_the_edit_the_tint_tells_nothing_of_the_class() -> None:
    concepts = _set()
    labels = np.arange(80) % 2
    plain = _pictures(80, 5)
    data = InputSet(
        np.where((labels == 1)[:, None, None, None], _tinted(plain), plain),
        labels=labels,
        classes=("a", "b"),
    )
    finder = find_regions("winter light", concepts, Lexicon.load())
    rows = np.arange(80)

    def blueness(images: np.ndarray) -> np.ndarray:
        return images[..., 2].mean((1, 2)) - images[..., 0].mean((1, 2))

    def apart(images: np.ndarray) -> float:
        b = blueness(images)
        return abs(b[labels == 1].mean() - b[labels == 0].mean()) / b.std()

    edit = edits.make_editor(data, concepts, (finder,), Lexicon.load()).make_batch_edit_for_rows(
        rows
    )
    as_is, without, with_it = np.split(edit(data.images.copy(), rows, np.random.default_rng(0)), 3)
    assert (as_is == data.images).all()
    assert apart(as_is) > 1
    assert apart(without) < 0.5
    assert apart(with_it) < 0.5
    assert (blueness(with_it) - blueness(without)).mean() > 10

    control = edits.make_editor(data, concepts, (finder,), Lexicon.load(), region_mode="random")
    turned = np.split(
        control.make_batch_edit_for_rows(rows)(data.images.copy(), rows, np.random.default_rng(0)),
        3,
    )
    assert apart(turned[1]) > 0.5
