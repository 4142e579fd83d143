from __future__ import annotations

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
    about = [f for f in report.items if "conv4:0" in f.units]
    assert about
    assert "supported" not in {f.verdict for f in about}
