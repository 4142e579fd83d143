"""The worlds of the benchmark: ties, twins, skews, and trunks that are trained once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from circuitz.bench.checker import train_trunk
from circuitz.bench.checker.bench_world import ContextTie, Skew
from circuitz.bench.checker.families.wired import normalised_image_tensor
from circuitz.bench.checker.glyphs import Glyphs
from circuitz.bench.checker.painted_tables import TableWorld
from circuitz.bench.checker.rendered_base import shared_trunk_seed
from circuitz.bench.checker.rendered_worlds import RenderedWorld
from circuitz.bench.checker.strips import Strips

WORLDS = [Glyphs(4), Strips(4), RenderedWorld("dogs", 4), RenderedWorld("birds", 4)]


@pytest.mark.parametrize("world", WORLDS, ids=["glyphs", "strips", "dogs", "birds"])
def test_twins_differ_in_what_they_say_and_in_pixels(world: TableWorld) -> None:
    known = world.draw_concept_set(24, 1)
    assert known.concepts is not None
    assert known.pairs is not None
    assert known.concept_names == world.concepts
    for a, b, c in known.pairs.tolist():
        assert (known.concepts[a, c], known.concepts[b, c]) == (1, 0)
        changed = {
            world.concepts[i] for i in np.flatnonzero(known.concepts[a] != known.concepts[b])
        }
        assert changed <= set(world.exclusive_group_of(world.concepts[c]))
        assert known.scene is not None
        assert known.scene[a] == known.scene[b]
        assert known.split is not None
        assert known.split[a] == known.split[b]
    a, b, _ = known.pairs[0]
    assert (known.images[a] != known.images[b]).any()


@pytest.mark.parametrize("world", WORLDS, ids=["glyphs", "strips", "dogs", "birds"])
def test_the_same_arguments_draw_the_same_and_other_seeds_others(world: TableWorld) -> None:
    one, again = (type(world)(**vars_of(world)).draw_data(3, (), 5) for _ in range(2))
    other = world.draw_data(3, (), 6)
    assert (one.images == again.images).all()
    assert (one.images != other.images).any()


def vars_of(world: TableWorld) -> dict[str, object]:
    """Return the arguments a world was made with."""
    return {name: getattr(world, name) for name in world.__dataclass_fields__}  # type: ignore[attr-defined]


def test_parts_tell_every_two_classes_apart() -> None:
    for world in WORLDS:
        parts = [set(world.class_parts(k)) for k in range(len(world.classes))]
        assert len({frozenset(p) for p in parts}) == len(parts)


def test_contrast_is_what_ties_say() -> None:
    world, tie = Glyphs(0), ContextTie("snow", "husky", 1.0, 0.2)
    assert world.excess_frequency_with_class("snow", "husky", (tie,)) == pytest.approx(0.8)
    assert world.excess_frequency_with_class("snow", "corgi", (tie,)) == pytest.approx(-0.2)
    assert world.excess_frequency_with_class("grass", "husky", (tie,)) == 0
    assert Glyphs(0, beach=True).excess_frequency_with_class("sand", "beach", ()) == 1


def test_a_skewed_concept_set_ties_a_context_to_a_part() -> None:
    world = Glyphs(0)
    known = world.draw_concept_set(300, 1, twins=0.0, skew=Skew("snow", "blaze", 0.9))
    assert known.concepts is not None
    snow, blaze = (known.concepts[:, known.concept_names.index(n)] for n in ("snow", "blaze"))
    assert np.corrcoef(snow, blaze)[0, 1] > 0.7


def test_a_trunk_is_trained_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_trunk, "IMAGES", 16)
    world, concepts = RenderedWorld("dogs", 0), ("snow", "grass")
    first = train_trunk.train_or_load_trunk(world, concepts, 0, tmp_path)
    monkeypatch.setattr(train_trunk, "train_concept_maps", lambda *_: pytest.fail("trained again"))
    again = train_trunk.train_or_load_trunk(world, concepts, 0, tmp_path)
    x = normalised_image_tensor(world.draw_concept_set(4, 3, twins=0.0))
    with torch.no_grad():
        assert torch.equal(first(x), again(x))
        assert first(x).shape == (4, 2, 8, 8)


def test_trunks_are_shared_within_a_hundred_seeds_only() -> None:
    assert shared_trunk_seed(2) == shared_trunk_seed(6) == 2
    assert shared_trunk_seed(1002) == 1002
