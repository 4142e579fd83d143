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
