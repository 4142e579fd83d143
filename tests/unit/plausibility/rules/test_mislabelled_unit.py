from __future__ import annotations

import numpy as np
import pytest

from circuitz.plausibility.check import check

KIND = "mislabelled-unit"


def only(report, unit: str = "conv4:0"):
    (found,) = [f for f in report.of(KIND) if unit in f.units]
    return found


def test_a_snow_unit_renamed_to_a_coat_is_caught_without_running_anything(plant) -> None:
    z = plant(words={0: "snow", 1: "snow", 5: "fluffy coat"}, groups=[(0, 1), (0, 1, 5), (5,)])
    before = check(z)
    assert only(before).verdict == "supported"
    after = check(z.annotate("conv4:0", "fluffy coat", author="ben"))
    found = only(after)
    assert found.verdict == "flagged"
    assert found.id == only(before).id
    assert "is called ‘fluffy coat’, but sees ‘snow’" in found.sentence
    assert found.remedies[0].action == "annotate"
    assert found.remedies[0].arguments == {"unit": "conv4:0", "text": "snow", "concepts": ["snow"]}
    # It counts as none: no longer snow, and no support for the class either.
    (driver,) = [f for f in after.of("implausible-driver", "husky") if "snow" in f.sentence]
    assert driver.units == ("conv4:1",)
    (support,) = after.of("missing-support", "husky")
    assert support.units == ("conv4:5",)
    assert after.unexplained["husky"][0] > before.unexplained["husky"][0] + 0.2
    again = check(z.annotate("conv4:0", "fluffy coat", author="ben").undo())
    assert only(again).verdict == "supported"


def test_a_class_word_on_a_snow_detector_is_flagged_with_its_rival(plant) -> None:
    report = check(plant(words={0: "husky detector", 3: "Corgi detector"}))
    found = only(report)
    assert found.verdict == "flagged"
    assert "‘snow’" in found.sentence
    assert "husky is a matter of the dog" in found.sentence
    assert found.chain
    other = only(report, "conv4:3")
    assert other.verdict == "inconclusive"
    assert "a class cannot" in other.decide


@pytest.mark.parametrize(
    ("text", "reason", "decide"),
    [
        ("blorf", "the lexicon knows no concept", "lexicon"),
        ("tongue", "does not label ‘tongue’", "Label ‘tongue’"),
    ],
)
def test_words_that_cannot_be_checked_are_inconclusive(plant, text, reason, decide) -> None:
    report = check(plant(words={0: text}))
    found = only(report)
    assert found.verdict == "inconclusive"
    assert reason in found.sentence
    assert decide in found.decide
    assert found.family == 0
    assert report.unexplained["husky"] == (1, 1, 1)


def test_constant_and_rare_concepts_are_inconclusive_with_the_reason(plant) -> None:
    z = plant(words={0: "snow", 2: "grass", 3: "pointed ears"})
    labels = z.concept_set.concepts.copy()
    labels[:, 0] = 0
    labels[:, 1] = np.nan
    labels[np.flatnonzero(labels[:, 3] == 1)[6:], 3] = 0
    from dataclasses import replace

    report = check(z.with_(concept_set=replace(z.concept_set, concepts=labels)))
    assert "constant" in only(report, "conv4:0").sentence
    assert "no image is labelled" in only(report, "conv4:2").sentence
    assert "are needed" in only(report, "conv4:3").sentence
    assert not [f for f in report.of(KIND) if f.verdict != "inconclusive"]


def test_a_wrong_word_with_no_better_one_counts_as_none_but_is_no_accusation(plant) -> None:
    report = check(plant(words={7: "pointed ears"}))
    found = only(report, "conv4:7")
    assert found.verdict == "inconclusive"
    assert "neither ‘pointed ears’ nor any other" in found.sentence
    assert report.unexplained["corgi"] == (1, 1, 1)


def test_concepts_that_coincide_are_never_told_apart(plant) -> None:
    from dataclasses import replace

    z = plant(words={0: "snow"})
    labels = z.concept_set.concepts.copy()
    labels[:, 2] = labels[:, 0]
    z = z.with_(concept_set=replace(z.concept_set, concepts=labels))
    for text in ("snow", "sand"):
        found = only(check(z.annotate("conv4:0", text)))
        assert found.verdict == "inconclusive"
        assert "coincide" in found.sentence
        assert "without" in found.decide


def test_a_list_of_words_is_as_good_as_its_worst(plant) -> None:
    z = plant(words={0: "snow, fluffy coat, curled tail"})
    found = only(check(z))
    assert found.verdict == "inconclusive"
    assert "‘fluffy coat’ does not pass" in found.sentence
    support = check(z).of("missing-support", "husky")[0]
    assert support.verdict == "inconclusive"
    assert support.units == ()


def test_a_general_word_is_right_if_not_precise(plant) -> None:
    report = check(plant(words={3: "ears", 0: "wintry ground", 2: "ground"}))
    assert only(report, "conv4:3").verdict == "supported"
    assert only(report, "conv4:0").verdict == "supported"
    assert only(report, "conv4:2").verdict == "supported"
    # What counts is what the unit turned out to see.
    drivers = {f.units for f in report.of("implausible-driver") if "‘snow’" in f.sentence}
    assert drivers == {("conv4:0",)}


def test_a_group_is_judged_as_one(plant) -> None:
    z = plant(groups=[(0, 1)]).annotate("group:conv4:0,conv4:1", "snow")
    report = check(z)
    found = only(report)
    assert found.units == ("conv4:0", "conv4:1")
    assert found.verdict == "supported"
    assert report.flagged[0].units == ("conv4:0", "conv4:1")
    wrong = check(plant().annotate("group:conv4:0,conv4:3", "curled tail"))
    assert only(wrong).verdict != "supported"


def test_a_unit_of_an_unmeasured_layer_is_inconclusive(plant) -> None:
    from dataclasses import replace

    z = plant()
    other = replace(z.layers[0], name="conv3")
    z = z.with_(layers=(*z.layers, other)).annotate("conv3:1", "snow")
    found = only(check(z), "conv3:1")
    assert found.verdict == "inconclusive"
    assert "cz.measure" in found.decide


def test_dead_and_broken_units_are_inconclusive(plant, change) -> None:
    from dataclasses import replace

    z = plant(words={0: "snow", 1: "snow", 2: "grass"})
    layer = z.measurements.layers["conv4"]
    responses = layer.responses.copy()
    responses[:, 0] = 0.5
    responses[3, 1] = np.nan
    z = change(z, layers={"conv4": replace(layer, responses=responses)})
    report = check(z)
    assert only(report, "conv4:0").verdict == "inconclusive"
    assert only(report, "conv4:1").verdict == "inconclusive"
    assert only(report, "conv4:2").verdict == "supported"
