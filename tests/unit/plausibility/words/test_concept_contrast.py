from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuitz.plausibility.check import check
from circuitz.plausibility.words.concept_contrast import compare_concept_answers
from circuitz.plausibility.words.match_tables import MatchTable
from circuitz.stats.clustered import confidence_interval


def table(labels: np.ndarray, response: np.ndarray) -> MatchTable:
    n = len(response)
    return MatchTable(
        response[:, None].astype(np.float32),
        np.arange(n),
        labels.astype(np.float32),
        np.arange(n),
    )


@given(st.integers(0, 30), st.floats(0.1, 2.0), st.floats(-1.0, 1.0))
def test_answers_are_differences_of_means(seed: int, first: float, second: float) -> None:
    draw = np.random.default_rng(seed)
    labels = (draw.random((400, 2)) < 0.5).astype(float)
    response = first * labels[:, 0] + second * labels[:, 1] + 0.1 * draw.normal(size=400)
    found = compare_concept_answers(table(labels, response), response, 0, 1, (0,), 0.3)
    assert found is not None
    one, other = labels[:, 0] == 1, labels[:, 1] == 1
    neither = response[~one & ~other].mean()
    by_hand = response[~one & other].mean() - neither
    base = response[one & ~other].mean() - neither
    assert found[1] == pytest.approx(base, abs=1e-9)
    assert found[0].mean == pytest.approx(by_hand - 0.3 * base, abs=1e-9)


def test_its_interval_covers_the_truth_as_often_as_it_says() -> None:
    draw, covered = np.random.default_rng(0), 0
    for _ in range(400):
        labels = (draw.random((120, 2)) < 0.5).astype(float)
        response = labels[:, 0] + 0.5 * labels[:, 1] + draw.normal(size=120)
        found = compare_concept_answers(table(labels, response), response, 0, 1, (0,), 0.3)
        assert found is not None
        low, high = confidence_interval(found[0])
        covered += low <= 0.5 - 0.3 <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_few_images_that_show_one_alone_tell_nothing() -> None:
    labels = np.repeat([[1.0, 1.0], [0.0, 0.0]], 50, axis=0)
    response = labels[:, 0]
    assert compare_concept_answers(table(labels, response), response, 0, 1, (0,), 0.3) is None


def skewed(plant, change, sees: str):
    """The concept set shows a fluffy coat mostly on snow; the unit sees one of the two."""
    z = plant(n=1600, words={0: "fluffy coat"}, noise=0.3)
    known = z.concept_set
    labels = known.concepts.copy()
    snow, coat = (known.concept_names.index(name) for name in ("snow", "fluffy coat"))
    rng = np.random.default_rng(3)
    follow = rng.random(len(labels)) < 0.7
    labels[follow, coat] = labels[follow, snow]
    layer = z.measurements.layers["conv4"]
    responses = layer.responses.copy()
    shown = labels[:, snow if sees == "snow" else coat]
    responses[:, 0] = shown + 0.3 * rng.normal(size=len(labels))
    from dataclasses import replace

    z = z.with_(concept_set=replace(known, concepts=labels))
    return change(z, layers={"conv4": replace(layer, responses=responses.astype(np.float32))})


def test_a_label_true_on_most_of_the_set_is_caught_by_the_images_that_tell(plant, change) -> None:
    (found,) = check(skewed(plant, change, "snow")).of("mislabelled-unit")
    assert found.verdict == "flagged"
    assert "sees ‘snow’" in found.sentence
    (honest,) = check(skewed(plant, change, "coat")).of("mislabelled-unit")
    assert honest.verdict == "supported"


def test_a_unit_that_sees_an_absence_is_caught(plant) -> None:
    sees = ({"snow": -1.0}, {"pointed ears": 1.0}, {"floppy ears": 1.0}, {"fluffy coat": 1.0})
    speaks = {"husky": {0: -2.0, 1: 1.0}, "beagle": {2: 3.0}, "corgi": {1: 3.0}, "poodle": {3: 3.0}}
    words = {0: "curled tail", 1: "pointed ears", 2: "floppy ears", 3: "fluffy coat"}
    found = {
        f.units: f
        for f in check(plant(sees=sees, speaks=speaks, words=words)).of("mislabelled-unit")
    }
    bad = found[("conv4:0",)]
    assert bad.verdict == "flagged"
    assert "the absence of ‘snow’" in bad.sentence
    assert "correlation −0.8" in bad.sentence
    assert next(r.action for r in bad.remedies) == "retract"
    assert {f.verdict for units, f in found.items() if units != ("conv4:0",)} == {"supported"}


def test_a_ground_that_is_there_when_another_is_not_keeps_its_word(plant) -> None:
    # Two grounds only: the grass unit falls with snow, and sees grass.
    report = check(plant(words={0: "snow", 2: "grass"}))
    assert {f.verdict for f in report.of("mislabelled-unit")} == {"supported"}
