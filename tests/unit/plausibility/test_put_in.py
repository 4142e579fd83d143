"""A word that labels bear out and counterfactuals do not counts as none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.plausibility.check import check
from circuitz.plausibility.put_in import MINIMUM_SCENES
from circuitz.z.finding import Finding
from circuitz.z.inputs import InputSet
from circuitz.z.measurements import LayerMeasurements
from circuitz.z.model import AnnotatedModel


def _with_pairs(z: AnnotatedModel, moves: float, scenes: int = 40) -> AnnotatedModel:
    """Give images of *test* without snow a twin with it, which moves conv4:0 by so much."""
    known, measured = z.concept_set, z.measurements
    assert known is not None
    assert measured is not None
    assert known.concepts is not None
    assert known.split is not None
    assert known.scene is not None
    snow = known.concept_names.index("snow")
    lacks = np.flatnonzero((known.split == 1) & (known.concepts[:, :3].sum(1) == 0))[:scenes]
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
    return {f.units[0]: f for f in check(z).items if f.kind == kind}


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
        "goes along with ‘snow’, but putting that into an image moves it by 4 %" in found.sentence
    )
    assert "40 pairs" in found.sentence
    assert "Look at the pairs with and without ‘snow’" in found.decide
    # What it does for the husky is then unexplained, and no longer snow's doing.
    moves = check(_with_pairs(z, moves=1.0))
    assert check(still).unexplained["husky"][0] > moves.unexplained["husky"][0] + 0.2
    drivers = [f for f in check(still).items if f.kind == "implausible-driver"]
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
        assert [f.verdict for f in report.items if f.kind == "mislabelled-unit"] == [verdict]
