"""A word that labels bear out and counterfactuals do not counts as none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.plausibility.check import check
from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.propose import propose
from circuitz.plausibility.words.counterfactual_test import MINIMUM_SCENES, find_insertion_failure
from circuitz.plausibility.words.match_tables import MatchTable
from circuitz.z.finding import Finding
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.measurements import LayerMeasurements
from circuitz.z.model import AnnotatedModel


def _with_pairs(
    z: AnnotatedModel, moves: float, scenes: int = 40, split: str = "test"
) -> AnnotatedModel:
    """Give images of a split without snow a twin with it, which moves conv4:0 by so much."""
    known, measured = z.concept_set, z.measurements
    assert known is not None
    assert measured is not None
    assert known.concepts is not None
    assert known.split is not None
    assert known.scene is not None
    snow = known.concept_names.index("snow")
    lacks = np.flatnonzero(
        (known.split == SPLITS.index(split)) & (known.concepts[:, :3].sum(1) == 0)
    )
    # One image a scene.
    lacks = lacks[np.unique(known.scene[lacks], return_index=True)[1]][:scenes]
    assert len(lacks) == scenes
    shows = len(known) + np.arange(len(lacks))
    concepts = known.concepts[lacks].copy()
    concepts[:, snow] = 1
    twins = InputSet(
        images=np.concatenate([known.images, known.images[lacks]]),
        concepts=np.concatenate([known.concepts, concepts]),
        concept_names=known.concept_names,
        split=np.concatenate([known.split, known.split[lacks]]),
        scene=np.concatenate([known.scene, known.scene[lacks]]),
        pairs=np.stack([shows, lacks, np.full(len(lacks), snow)], 1),
        role="concepts",
    )
    layer: LayerMeasurements = measured.layers["conv4"]
    moved = layer.responses[lacks].copy()
    moved[:, 0] += np.float32(moves)
    responses = np.concatenate([layer.responses, moved])
    layer = replace(layer, responses=responses, peaks=responses)
    new = z.with_(concept_set=twins)
    return new.with_(
        measurements=replace(measured, layers={"conv4": layer}, concepts_hash=new.concepts_hash)
    )


def _of(z: AnnotatedModel, kind: str = "mislabelled-unit") -> dict[str, Finding]:
    return {f.units[0]: f for f in check(z).findings if f.kind == kind}


@pytest.fixture
def z(plant):
    return plant(words={0: "snow", 3: "pointed ears"})


def test_a_unit_that_moves_with_its_concept_keeps_its_word(z):
    found = _of(_with_pairs(z, moves=1.0))
    assert found["conv4:0"].verdict == "supported"
    assert found["conv4:3"].verdict == "supported", "pairs of another concept say nothing of it"


def test_a_unit_that_only_goes_along_with_its_concept_has_no_word(z):
    assert _of(z)["conv4:0"].verdict == "supported"
    still = _with_pairs(z, moves=0.02)
    found = _of(still)["conv4:0"]
    assert found.verdict == "inconclusive"
    assert (
        "goes along with ‘snow’, but putting that into an image moves it by 2 % [−"
        in found.sentence
    )
    assert "40 pairs" in found.sentence
    assert "Look at the pairs with and without ‘snow’" in found.decide
    # What it does for the husky is then unexplained, and no longer snow's doing.
    held = check(_with_pairs(z, moves=1.0))
    assert check(still).unexplained["husky"][0] > held.unexplained["husky"][0] + 0.2
    flagged = [f for f in check(still).flagged if f.kind == "unannotated-driver"]
    (driver,) = [f for f in flagged if f.units == ("conv4:0",) and f.target == "output:husky"]
    assert "whose words do not hold" in driver.sentence
    assert "snow" not in str(driver.remedies[0].arguments)
    drivers = [f for f in check(still).findings if f.kind == "implausible-driver"]
    assert not any("conv4:0" in f.units for f in drivers)


def test_a_unit_that_falls_with_its_concept_has_no_word(z):
    assert _of(_with_pairs(z, moves=-1.0))["conv4:0"].verdict == "inconclusive"


def test_a_few_pairs_overrule_nothing(z):
    assert _of(_with_pairs(z, 0.0, scenes=MINIMUM_SCENES - 1))["conv4:0"].verdict == "supported"
    assert _of(_with_pairs(z, 0.0, scenes=MINIMUM_SCENES))["conv4:0"].verdict == "inconclusive"


def test_pairs_across_splits_do_not_count(z):
    paired = _with_pairs(z, moves=0.0)
    known, measured = paired.concept_set, paired.measurements
    split = known.split.copy()
    split[known.pairs[:, 0]] = 2
    new = paired.with_(concept_set=replace(known, split=split))
    new = new.with_(measurements=replace(measured, concepts_hash=new.concepts_hash))
    assert _of(new)["conv4:0"].verdict == "supported"


def test_words_of_a_group_are_held_against_pairs_too(plant):
    z = plant(words={}, groups=[(0, 1)]).annotate("group:conv4:0,conv4:1", "snow")
    for moves, verdict in ((0.0, "inconclusive"), (1.0, "supported")):
        report = check(_with_pairs(z, moves))
        assert [f.verdict for f in report.findings if f.kind == "mislabelled-unit"] == [verdict]


def test_what_is_left_unexplained_is_not_left_open_for_an_overruled_word(plant) -> None:
    z = _with_pairs(plant(words={0: "snow", 3: "pointed ears"}), moves=0.02)
    without = z.retract("conv4:0")
    said, unsaid = (
        {f.target: f.verdict for f in check(each).findings if f.kind == "unexplained-effect"}
        for each in (z, without)
    )
    assert said == unsaid


@pytest.mark.parametrize("share", [0.1, 0.2, 1.0])
@pytest.mark.parametrize("moves", [1.0, 0.5])
def test_a_true_word_is_seldom_overruled(share: float, moves: float) -> None:
    """A unit that moves by all or half of its amount, in so many images, noise beside it."""
    draw, n = np.random.default_rng(0), MINIMUM_SCENES
    overruled = 0
    for _ in range(400):
        fires = (draw.random((2, n)) < share) * draw.exponential(2.0, (2, n))
        noise = 0.2 * draw.normal(size=(4, n))
        # Images that show it and do not; and pairs: with it, and without.
        shown, paired = fires[0] + noise[0], moves * fires[1] + noise[2]
        responses = np.concatenate([shown, noise[1], paired, noise[3]])
        labels = np.repeat([1.0, 0.0, 1.0, 0.0], n)
        at = np.arange(n)
        table = MatchTable(
            responses[:, None].astype(np.float32), np.arange(4 * n),
            labels[:, None].astype(np.float32), np.r_[np.arange(2 * n), 2 * n + at, 2 * n + at],
            np.stack([2 * n + at, 3 * n + at, 0 * at], 1),
        )  # fmt: skip
        overruled += find_insertion_failure(table, 0, 0, "snow", CheckSettings()) is not None
    assert overruled <= 0.05 * 400


def test_pairs_that_share_an_image_are_one_observation() -> None:
    draw = np.random.default_rng(0)
    # One blank image, to which a concept is put forty times, and which happens to be high.
    responses = np.r_[
        draw.normal(1, 0.1, 40), draw.normal(0, 0.1, 40), draw.normal(1, 0.1, 40), 1.0
    ]
    labels = np.r_[np.ones(40), np.zeros(40), np.ones(40), 0.0]
    at = np.arange(40)
    table = MatchTable(
        responses[:, None].astype(np.float32), np.arange(121), labels[:, None].astype(np.float32),
        np.arange(121), np.stack([80 + at, 0 * at + 120, 0 * at], 1),
    )  # fmt: skip
    assert find_insertion_failure(table, 0, 0, "snow", CheckSettings()) is None


def test_a_rival_that_pairs_overrule_accuses_nothing(plant) -> None:
    z = plant(words={0: "grass", 3: "pointed ears"})
    assert _of(z)["conv4:0"].verdict == "flagged", "by labels it sees snow"
    assert _of(_with_pairs(z, moves=1.0))["conv4:0"].verdict == "flagged"
    assert _of(_with_pairs(z, moves=0.02))["conv4:0"].verdict == "inconclusive"


def test_nothing_is_proposed_that_pairs_overrule(plant) -> None:
    z = plant(words={})
    moved, still = (
        propose(_with_pairs(z, moves, split="select")).effective() for moves in (1.0, 0.02)
    )
    assert moved["conv4:0"].concepts == ("snow",)
    assert "conv4:0" not in still
    assert still.keys() == moved.keys() - {"conv4:0"}
