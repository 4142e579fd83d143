from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.plausibility.check import check

KIND = "vague-annotation"
WORDS = {3: "pointed ears", 4: "floppy ears", 5: "fluffy coat", 6: "curled tail"}


@pytest.mark.parametrize("text", ["bright patch", "black-box", "tongue"])
def test_snow_behind_vague_words_is_caught_where_it_drives_a_class(plant, text) -> None:
    report = check(plant(words={**WORDS, 0: text}))
    (found,) = [f for f in report.flagged if f.kind == KIND]
    assert (found.units, found.target) == (("conv4:0",), "output:husky")
    assert "behaves as ‘snow’" in found.sentence
    assert found.chain
    assert found.remedies[0].arguments["concepts"] == ["snow"]


def test_odd_words_on_a_part_are_not_held_against_it(plant) -> None:
    report = check(plant(words={0: "snow", 3: "triangles up top", 5: "woolly bits"}))
    assert not report.of(KIND)


def test_vague_words_on_a_ground_that_does_nothing_are_let_be(plant) -> None:
    assert not check(plant(words={**WORDS, 2: "greenish"})).of(KIND)


def test_nothing_is_supported_for_want_of_a_label(plant) -> None:
    # Snow is not in the vocabulary: nothing can be found behind the words, and nothing is said.
    concepts = ("grass", "sand", "pointed ears", "floppy ears", "fluffy coat", "curled tail")
    report = check(plant(words={**WORDS, 0: "bright patch"}, concepts=concepts))
    assert not report.of(KIND)
    about = [f for f in report.findings if "conv4:0" in f.units]
    assert about
    assert "supported" not in {f.verdict for f in about}


def _seldom_labelled(z, concept: str, most: int):
    """Leave so many images a split that are labelled as showing a concept; others are unknown."""
    known, measured = z.concept_set, z.measurements
    concepts = known.concepts.copy()
    column = known.concept_names.index(concept)
    for split in range(3):
        shown = np.flatnonzero((known.split == split) & (concepts[:, column] == 1))
        concepts[shown[most:], column] = np.nan
    new = z.with_(concept_set=replace(known, concepts=concepts))
    return new.with_(measurements=replace(measured, concepts_hash=new.concepts_hash))


def test_words_that_name_what_is_behind_them_are_not_vague(plant) -> None:
    z = plant(words={**WORDS, 0: "snow"})
    for most in (0, 4, 7):
        report = check(_seldom_labelled(z, "snow", most))
        (said,) = [f for f in report.of("mislabelled-unit") if f.units == ("conv4:0",)]
        assert said.verdict == "inconclusive"
        assert "cannot be judged" in said.sentence
        assert not report.of(KIND)


def test_what_a_unit_answers_to_less_than_to_its_words_is_not_behind_them(plant) -> None:
    sees = ({"pointed ears": 1.0, "snow": 0.75}, {"floppy ears": 1.0}, {"fluffy coat": 1.0})
    speaks = {"husky": {0: 3.0}, "beagle": {1: 3.0}, "poodle": {2: 3.0}}
    words = {0: "pointed ears and curled tail", 1: "floppy ears", 2: "fluffy coat"}
    z = plant(sees=sees, speaks=speaks, words=words)
    assert not check(_seldom_labelled(z, "curled tail", 4)).of(KIND)


def test_too_few_images_of_a_concept_put_nothing_behind_other_words(plant) -> None:
    z = plant(words={**WORDS, 0: "bright patch"})
    assert check(_seldom_labelled(z, "snow", 8)).of(KIND)
    assert not check(_seldom_labelled(z, "snow", 7)).of(KIND)
