"""What lies all over pictures is learned from labels alone in seconds, and nothing else is taken for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet
from circuitz.zstar.edits import pixel_edits, regions
from circuitz.zstar.edits.additive_pattern import AdditivePattern, learn_additive_pattern
from circuitz.zstar.edits.fixed_place import learn_fixed_place
from circuitz.zstar.edits.regions import RegionFinder, find_regions
from circuitz.zstar.edits.traces import area_of_trace_teller, area_under_curve

SIDE = 24
LEXICON = Lexicon.from_text("concepts:\n  overlay: {kind: artefact}\n")


def pictures(n: int, seed: int = 0) -> np.ndarray:
    """Blotches of colour with some noise."""
    draw = np.random.default_rng(seed)
    base = draw.integers(30, 200, (n, SIDE // 4, SIDE // 4, 3)).repeat(4, 1).repeat(4, 2)
    return (base + draw.integers(-15, 16, (n, SIDE, SIDE, 3))).astype(np.uint8)


def grid(images: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    change = ((x + y) % 2 * 2 - 1)[..., None] * 6
    return np.clip(images.astype(int) + change, 0, 255).astype(np.uint8)


def warmer(images: np.ndarray) -> np.ndarray:
    return np.clip(images.astype(int) + np.array([25, 0, -25]), 0, 255).astype(np.uint8)


def bordered(images: np.ndarray) -> np.ndarray:
    found = images.copy()
    for edge in (found[:, 0], found[:, -1], found[:, :, 0], found[:, :, -1]):
        edge[:] = (150, 40, 150)
    return found


def blotted(images: np.ndarray) -> np.ndarray:
    """Lay a dark blot over each picture, somewhere."""
    found = images.copy()
    draw = np.random.default_rng(5)
    for image in found:
        y, x = draw.integers(2, SIDE - 8, 2)
        image[y : y + 6, x : x + 6] = 0
    return found


def concept_set(mark: Callable[[np.ndarray], np.ndarray], n: int = 400) -> InputSet:
    plain = pictures(n)
    shows = np.random.default_rng(1).random(n) < 0.5
    images = np.where(shows[:, None, None, None], mark(plain), plain)
    split = (np.arange(n) % 3 == 0).astype(np.int8)
    return InputSet(
        images, concepts=shows.astype(np.float32)[:, None], concept_names=("overlay",), split=split
    )


@pytest.fixture
def no_erasure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the slow way was taken")

    monkeypatch.setattr(regions, "_finder_from_erasure", refuse)


@pytest.mark.usefixtures("no_erasure")
@pytest.mark.parametrize("mark", [grid, warmer])
def test_what_is_added_everywhere_is_learned_and_taken_off(
    mark: Callable[[np.ndarray], np.ndarray],
) -> None:
    made = find_regions("overlay", concept_set(mark), LEXICON)
    assert isinstance(made, AdditivePattern)
    assert made.told_before > 0.95
    assert made.told_after < 0.6
    fresh = pictures(60, seed=9)
    rng = np.random.default_rng(0)
    marked = mark(fresh)
    assert made.images_show_concept(marked).mean() > 0.9
    assert made.images_show_concept(fresh).mean() < 0.1
    off = made.without_concept(marked, rng).astype(int)
    assert np.abs(off - fresh).mean() < 0.3 * np.abs(marked.astype(int) - fresh).mean()
    assert np.abs(made.with_concept(fresh, rng).astype(int) - marked).mean() < 2
    # The control does as much elsewhere, and does not take the mark off.
    other = made.as_control()
    assert np.sort(other.pattern, axis=None) == pytest.approx(np.sort(made.pattern, axis=None))


@pytest.mark.usefixtures("no_erasure")
def test_what_covers_one_place_is_found_and_filled() -> None:
    made = find_regions("overlay", concept_set(bordered), LEXICON)
    assert isinstance(made, RegionFinder)
    assert made.alone
    fresh = pictures(40, seed=9)
    region = made.region_probability_maps(fresh) > 0.5
    assert region[:, 0].all()
    assert not region[:, 2:-2, 2:-2].any()
    assert made.images_show_concept(bordered(fresh)).all()
    assert not made.images_show_concept(fresh).any()


def test_what_moves_about_is_neither() -> None:
    some = concept_set(blotted)
    assert some.concepts is not None
    assert some.split is not None
    select, test = some.split == 0, some.split == 1
    shows = some.concepts[:, 0] > 0.5
    unseen = (some.images[test], shows[test])
    assert learn_fixed_place(some.images[select], shows[select], unseen) is None
    labels = some.concepts[select].astype(np.float64)
    assert learn_additive_pattern("overlay", some.images[select], labels, 0, unseen) is None


def test_the_search_edits_every_picture_with_a_pattern() -> None:
    some = concept_set(grid)
    made = find_regions("overlay", some, LEXICON)
    plain = pictures(20, seed=3)
    data = InputSet(np.concatenate([grid(plain[:10]), plain[10:]]), labels=np.repeat([0, 1], 10))
    editor = pixel_edits.make_editor(data, some, (made,), LEXICON)
    assert editor.makes_several_versions
    rows = np.arange(20)
    out = editor.make_batch_edit_for_rows(rows)(data.images, rows, np.random.default_rng(0))
    as_is, without, with_it = out.reshape(3, 20, *data.images.shape[1:])
    assert np.array_equal(as_is, data.images)
    assert not made.images_show_concept(without).any()
    assert made.images_show_concept(with_it).all()


def test_a_trace_teller_finds_a_trace_and_none_where_there_is_none() -> None:
    plain, fresh = pictures(200), pictures(80, seed=4)
    shows, others = np.arange(200) % 2 == 0, np.arange(80) % 2 == 0
    marked = np.where(shows[:, None, None, None], grid(plain), plain)
    unseen = np.where(others[:, None, None, None], grid(fresh), fresh)
    assert area_of_trace_teller(marked, shows, unseen, others) > 0.95
    assert 0.3 < area_of_trace_teller(plain, shows, fresh, others) < 0.7
    assert np.isnan(area_under_curve(np.zeros(3), np.zeros(3, bool)))
