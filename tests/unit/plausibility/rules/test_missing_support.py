from __future__ import annotations

import pytest

from circuitz.plausibility.check import check

KIND = "missing-support"
PARTS = {3: "pointed ears", 4: "floppy ears", 5: "fluffy coat", 6: "curled tail"}


def husky(report):
    return report.of(KIND, "husky")[0]


def test_a_class_made_by_ground_alone_is_flagged(plant) -> None:
    speaks = {"husky": {0: 4.0}, "beagle": {4: 3.0}, "corgi": {3: 3.0}, "poodle": {5: 3.0}}
    looks = {
        name: {"pointed ears": 0.5, "floppy ears": 0.5, "fluffy coat": 0.5, **more}
        for name, more in {
            "husky": {"snow": 1.0},
            "beagle": {"floppy ears": 1.0},
            "corgi": {"pointed ears": 1.0},
            "poodle": {"fluffy coat": 1.0},
        }.items()
    }
    speaks = {"husky": {0: 9.0}, "beagle": {4: 0.5}, "corgi": {3: 0.5}, "poodle": {5: 0.5}}
    report = check(
        plant(speaks=speaks, looks=looks, words=PARTS, groups=[(3, 4, 5, 6)], a_class=80)
    )
    found = husky(report)
    assert found.verdict == "flagged"
    assert "nothing of the dog" in found.sentence
    assert found.remedies[0].action == "search"
    assert report.of(KIND, "beagle")[0].verdict == "supported"


def test_parts_that_count_support_every_class(plant) -> None:
    report = check(plant(words=PARTS, groups=[(3, 4, 5, 6)]))
    assert {f.verdict for f in report.of(KIND)} == {"supported"}
    assert husky(report).estimate == pytest.approx(0.19, abs=0.05)
    assert husky(report).family == 4


@pytest.mark.parametrize("words", [{}, {0: "snow"}, {0: "fluffy coat", 7: "pointed ears"}])
def test_a_model_without_valid_parts_is_not_accused(plant, words) -> None:
    report = check(plant(words=words))
    assert {f.verdict for f in report.of(KIND)} == {"inconclusive"}
    assert "cannot be said" in husky(report).sentence
    assert "Annotate" in husky(report).decide


def test_words_that_too_few_images_could_judge_accuse_nobody(plant) -> None:
    # Forty images in all: ten on test, so no word passes its match.
    words = {0: "snow", 3: "pointed ears", 4: "floppy ears", 5: "fluffy coat", 6: "curled tail"}
    report = check(plant(n=40, words=words))
    for kind in ("missing-support", "unexplained-effect"):
        assert {f.verdict for f in report.of(kind)} == {"inconclusive"}
        assert "labelled with" in report.of(kind)[0].decide
    # With enough of them, words that fail are no excuse.
    vague = check(plant(words={3: "fluffy coat", 4: "curled tail"}))
    assert {f.verdict for f in vague.of("unexplained-effect")} == {"flagged"}


def test_parts_that_twins_without_words_take_back_make_nothing(plant) -> None:
    sees = ({"snow": 1.0}, *({"pointed ears": 1.0},) * 2, *({"curled tail": 1.0},) * 2)
    words = {0: "snow", 1: "pointed ears", 3: "curled tail"}
    looks = {
        "husky": {"snow": 1.0, "pointed ears": 0.9, "curled tail": 0.9},
        "beagle": {"grass": 0.5},
        "corgi": {"sand": 0.5},
    }

    def check_with(twins: float):
        speaks = {"husky": {0: 3.0, 1: 3.0, 2: twins, 3: 3.0, 4: twins}}
        groups = [(1, 3), (1, 2, 3, 4)]
        z = plant(sees=sees, looks=looks, speaks=speaks, words=words, groups=groups, noise=0.1)
        return check(z)

    found = husky(check_with(-3.0))
    assert found.verdict == "flagged"
    assert found.units == tuple(f"conv4:{u}" for u in (1, 2, 3, 4))
    assert "take it back" in found.sentence
    assert husky(check_with(-1.0)).verdict == "supported"
    assert husky(check_with(0.0)).verdict == "supported"


def test_units_that_see_another_part_take_nothing_back(plant) -> None:
    looks = {
        "husky": {"snow": 1.0, "pointed ears": 0.9, "curled tail": 0.9},
        "beagle": {},
        "corgi": {},
    }
    speaks = {"husky": {0: 9.0, 3: 2.0, 6: -2.0}}
    words = {0: "snow", 3: "pointed ears", 6: "curled tail"}
    found = husky(check(plant(looks=looks, speaks=speaks, words=words, noise=0.1)))
    assert found.units == ("conv4:3", "conv4:6")
    assert "take it back" not in found.sentence
