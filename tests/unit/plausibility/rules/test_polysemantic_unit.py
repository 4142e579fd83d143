from __future__ import annotations

import pytest

from circuitz.plausibility.check import check

KIND = "polysemantic-unit"


def mixed(plant, snow: float, text: str = "fluffy coat", noise: float = 0.1):
    sees = ({"fluffy coat": 1.0, "snow": snow}, {"pointed ears": 1.0}, {"floppy ears": 1.0})
    speaks = {"husky": {0: 3.0}, "beagle": {2: 3.0}, "corgi": {1: 3.0}, "poodle": {0: 1.0}}
    return plant(
        sees=sees,
        speaks=speaks,
        words={0: text, 1: "pointed ears", 2: "floppy ears"},
        noise=noise,
    )


def test_a_coat_unit_that_sees_snow_as_well_is_caught(plant) -> None:
    (found,) = [f for f in check(mixed(plant, 0.8)).flagged if f.kind == KIND]
    assert found.units == ("conv4:0",)
    assert found.target == ""
    assert found.estimate == pytest.approx(0.8, abs=0.1)
    assert found.ci[0] < found.estimate < found.ci[1]
    assert "it sees ‘snow’ as well" in found.sentence
    assert found.remedies[0].arguments["concepts"] == ["fluffy coat", "snow"]


def test_words_that_name_both_are_honest(plant) -> None:
    assert not check(mixed(plant, 0.8, "fluffy coat and snow")).of(KIND)


@pytest.mark.parametrize("noise", [0.001, 0.1, 0.3])
def test_a_leak_is_not_a_second_meaning_however_clean_the_unit(plant, noise) -> None:
    report = check(mixed(plant, 0.08, noise=noise))
    assert not [f for f in report.flagged if f.kind == KIND]


def test_units_that_see_one_thing_pass_in_silence(plant) -> None:
    assert not check(plant(words={0: "snow", 3: "pointed ears", 5: "fluffy coat"})).of(KIND)
