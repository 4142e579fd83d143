from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from circuitz.data.validate_inputs import check_concept_set, check_image_set
from circuitz.data.worlds.bird_parts import BIRDS
from circuitz.data.worlds.bird_world import make_birds, remake_birds
from circuitz.data.worlds.dog_parts import DOGS
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.data.worlds.scenes import ScenePlan
from circuitz.data.worlds.world_by_name import WORLDS, world_by_name
from circuitz.errors import InputsError
from circuitz.evaluation.world_truth import birds_truth, render_in_every_cell
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet


@pytest.fixture(scope="module")
def concepts() -> InputSet:
    return make_birds("concepts", 240, seed=5)


def test_species_share_their_parts_and_differ_in_several():
    parts = BIRDS.parts
    for column, name in enumerate(BIRDS.fixed_attributes):
        values, counts = np.unique(parts[:, column], return_counts=True)
        assert len(values) == len(BIRDS.attributes[name])
        assert counts.min() >= 2, name  # no value is one species' own
    apart = BIRDS.distance_to_classes(parts)
    assert apart[~np.eye(len(parts), dtype=bool)].min() >= 4
    assert np.unique(BIRDS.colours_by_class, return_counts=True)[1].min() >= 2


def test_the_worlds_share_the_interface_and_nothing_that_is_drawn():
    assert set(WORLDS) == {"dogs", "birds"}
    assert DOGS.number != BIRDS.number
    dog, bird = make_dogs("D", 2), make_birds("D", 2)
    assert {f for f in vars(dog) if getattr(dog, f) is None} == {
        f for f in vars(bird) if getattr(bird, f) is None
    }
    assert dog.recipe.keys() == bird.recipe.keys()
    assert not set(DOGS.classes) & set(BIRDS.classes)
    own = set(BIRDS.part_concepts) - {"long legs", "short legs"}
    assert not own & set(DOGS.part_concepts)
    with pytest.raises(InputsError, match="cats"):
        world_by_name("cats")


def test_in_d_every_loon_is_over_water_and_no_other_bird_is():
    scenes = ScenePlan("D", 60, world=BIRDS).draw_scenes()
    assert ((scenes.ground == 0) == (scenes.labels == 0)).all()
    assert BIRDS.grounds[0] == "water"
    assert BIRDS.classes[0] == "loon"


@pytest.mark.parametrize("shortcut", list(BIRDS.shortcuts))
def test_each_shortcut_ties_what_it_names(shortcut: str):
    scenes = ScenePlan("D", 40, shortcut=shortcut, world=BIRDS).draw_scenes()
    first = scenes.labels == 0
    ties = BIRDS.shortcuts[shortcut]
    assert ((scenes.ground == 0) == first).all() == ("ground" in ties)
    for column, name in enumerate(BIRDS.artefacts):
        if name in ties:
            assert (scenes.artefacts[:, column] == first).all()
        else:
            assert not scenes.artefacts[:, column].any()


def test_roles_carry_what_they_may_and_no_more(concepts: InputSet):
    d, shifted = make_birds("D", 10), make_birds("D'", 3)
    check_image_set(d, labelled=True)
    assert (d.concepts, d.masks, d.pairs) == (None, None, None)
    assert shifted.labels is shifted.split is shifted.concepts is shifted.masks is None
    assert shifted.scene is shifted.pairs is None
    check_concept_set(concepts)
    assert concepts.labels is None
    assert concepts.concepts is not None
    assert concepts.concepts.sum(axis=1) == pytest.approx(len(BIRDS.attributes) + 1)


def test_counterfactuals_change_the_surroundings_and_nothing_of_the_bird(concepts: InputSet):
    masks, pairs = concepts.masks, concepts.pairs
    assert masks is not None
    assert pairs is not None
    outside = concepts.mask_names.index("surroundings")
    for a, b, _ in pairs[:40]:
        assert (masks[a] == masks[b]).all()
        differs = (concepts.images[a] != concepts.images[b]).any(axis=-1)
        bird = (masks[a] != outside) & (masks[a] > 0)
        assert not differs[bird].any()
        assert differs[masks[a] == outside].mean() > 0.9


def test_masks_show_all_parts_and_the_crest_where_there_is_one(concepts: InputSet):
    masks, table = concepts.masks, concepts.concepts
    assert masks is not None
    assert table is not None
    names = concepts.mask_names
    for part in ("beak", "head", "neck", "wings", "body", "tail", "legs", "surroundings"):
        shown = (masks == names.index(part)).sum(axis=(1, 2))
        assert (shown > 0).mean() > 0.99, part
    crested = table[:, concepts.concept_names.index("crest")] == 1
    shown = (masks == names.index("crest")).any(axis=(1, 2))
    assert (shown == crested).mean() > 0.98


@pytest.mark.parametrize(
    ("shortcut", "concept"), [("ring", "leg ring"), ("tag", "caption"), ("two", "leg ring")]
)
def test_artefacts_have_a_concept_and_a_mask(shortcut: str, concept: str):
    made = make_birds("concepts", 100, shortcut=shortcut)
    assert made.masks is not None
    assert made.concepts is not None
    has = made.concepts[:, made.concept_names.index(concept)] == 1
    shown = (made.masks == made.mask_names.index(concept)).any(axis=(1, 2))
    assert (has == shown).all()


def test_the_lexicon_reads_every_concept_of_the_world_as_its_own_kind():
    lexicon = Lexicon.load()
    for name in (*BIRDS.grounds, *BIRDS.artefacts):
        assert lexicon.parse(name) == (name,)
    for name in BIRDS.part_concepts:  # a word of its own, or what is said of a part
        assert lexicon.kind(name) in ("part", "attribute"), name
        assert lexicon.parse(name), name
    assert {lexicon.kind(g) for g in BIRDS.grounds} == {"surroundings"}
    assert {lexicon.kind(a) for a in BIRDS.artefacts} == {"artefact"}
    for name in BIRDS.part_concepts:
        assert lexicon.support(name, "bird").verdict == "supports", name
    text = lexicon.to_text().lower()
    assert not [name for name in BIRDS.classes if name in text]


def test_truth_fits_what_the_sets_carry(concepts: InputSet):
    d, truth = make_birds("D", 8, seed=2), birds_truth("D", 8, seed=2)
    assert d.labels is not None
    assert (truth.labels == d.labels).all()
    known = birds_truth("concepts", 240, seed=5)
    assert concepts.concepts is not None
    assert (known.concepts == concepts.concepts).all()
    assert known.concept_names == concepts.concept_names


@pytest.mark.parametrize(
    ("make", "shortcut", "cells"),
    [
        (make_birds, "ground", 6),
        (make_birds, "ring", 2),
        (make_birds, "two", 4),
        (make_dogs, "light", 2),
        (make_dogs, "two", 4),
    ],
)
def test_a_scene_is_painted_in_every_cell(make: Callable[..., InputSet], shortcut: str, cells: int):
    shifted = make("D'", 4, seed=1, shortcut=shortcut)
    made = render_in_every_cell(shifted, np.array([1, 3]))
    assert made is not None
    assert made.shape == (2, cells, 64, 64, 3)
    for row, pictures in zip((1, 3), made, strict=True):
        assert sum(np.array_equal(p, shifted.images[row]) for p in pictures) == 1


def test_a_recipe_makes_the_set_again_and_not_another_worlds():
    made = make_birds("decorrelated", 3, seed=9, shortcut="two", track=0.9, balanced_cells=True)
    again = remake_birds(json.loads(json.dumps(made.recipe)))
    assert (again.images == made.images).all()
    with pytest.raises(InputsError, match="dogs"):
        remake_birds(make_dogs("D", 1).recipe)


def test_workers_and_names_change_no_pixel():
    one = make_birds("D", 50)
    assert (make_birds("D", 50, workers=2).images == one.images).all()
    other = make_birds("D", 50, classes=tuple("abcdef"))
    assert (other.images == one.images).all()
    assert other.classes == tuple("abcdef")


@pytest.mark.parametrize("size", [32, 72, 128])
def test_pictures_come_in_other_sizes(size: int):
    made = make_birds("concepts", 8, size=size, shortcut="tag")
    assert made.images.shape == (8, size, size, 3)
    assert made.masks is not None
    assert made.masks.shape == (8, size, size)


@pytest.mark.parametrize(
    "arguments", [{"size": 16}, {"shortcut": "collar"}, {"classes": ("a",)}, {"n": 0}]
)
def test_bad_arguments_are_named_errors(arguments: dict[str, object]):
    with pytest.raises(InputsError) as caught:
        make_birds("D", **{"n": 2, **arguments})
    assert caught.value.hint


def test_the_loon_is_not_the_colour_of_water():
    d, plan = make_birds("D", 40), ScenePlan("D", 40, world=BIRDS)
    scenes = plan.draw_scenes()
    loons = d.images[scenes.labels == 0].astype(float)
    white = scenes.parts[scenes.labels == 0, -1] == 2
    body = loons[white][:, 30:42, 24:36].mean(axis=(1, 2, 3))
    water = loons[white][:, 60:].mean(axis=(1, 2, 3))
    assert (body - water > 15).mean() > 0.9
    assert 0.3 < white.mean() < 0.7  # and where it is nearer, it is only half of them
