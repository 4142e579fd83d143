from __future__ import annotations

import numpy as np

from circuitz.plausibility.check import check
from circuitz.z.measurements import LayerMeasurements

KIND = "redundant-annotation"
WORDS = {0: "snow", 2: "grass", 3: "pointed ears", 4: "floppy ears", 5: "fluffy coat"}


def test_words_that_hold_on_a_unit_that_does_nothing_are_caught(plant) -> None:
    # The tail unit is wired to nothing.
    speaks = {"husky": {0: 3.0, 3: 1.0}, "beagle": {4: 3.0}, "corgi": {3: 3.0}, "poodle": {5: 3.0}}
    report = check(plant(speaks=speaks, words={**WORDS, 6: "curled tail"}))
    (found,) = [f for f in report.flagged if f.kind == KIND]
    assert found.units == ("conv4:6",)
    assert "nothing follows" in found.sentence
    assert found.remedies[0].action == "retract"


def test_surroundings_that_do_nothing_are_good_news(plant) -> None:
    report = check(plant(words=WORDS))
    assert not [f for f in report.of(KIND) if "conv4:2" in f.units]


def test_honest_units_that_share_the_work_are_not_redundant(plant) -> None:
    sees = (*tuple({"pointed ears": 1.0} for _ in range(8)), {"floppy ears": 1.0})
    speaks = {
        "husky": dict.fromkeys(range(8), 0.4),
        "beagle": {8: 3.0},
        "corgi": dict.fromkeys(range(8), 0.3),
        "poodle": {8: 1.0},
    }
    words = {**dict.fromkeys(range(8), "pointed ears"), 8: "floppy ears"}
    report = check(plant(sees=sees, speaks=speaks, words=words))
    assert not [f for f in report.flagged if f.kind == KIND]


def test_a_unit_that_never_responds_is_caught_whatever_it_is_called(plant, change) -> None:
    z = plant(words=WORDS)
    layer: LayerMeasurements = z.measurements.layers["conv4"]
    dead = layer.responses.copy()
    dead[:, 3] = 0.0
    from dataclasses import replace

    z = change(z, layers={"conv4": replace(layer, responses=dead)})
    (found,) = [f for f in check(z).flagged if f.kind == KIND]
    assert found.units == ("conv4:3",)
    assert "sees nothing" in found.sentence
    assert np.isfinite(found.estimate)
