from __future__ import annotations

from circuitz.plausibility.check import check

KIND = "contradictory-annotations"
SEES = (
    {"pointed ears": 1.0},
    {"pointed ears": -1.0},
    {"floppy ears": 1.0},
    {"fluffy coat": 1.0},
    {"pointed ears": 1.0},
)
SPEAKS = {"husky": {0: 3.0}, "beagle": {2: 3.0}, "corgi": {0: 3.0, 1: -1.0}, "poodle": {3: 3.0}}


def test_one_label_on_a_unit_that_rises_and_one_that_falls(plant) -> None:
    z = plant(sees=SEES, speaks=SPEAKS, words={0: "pointed ears", 1: "pointed ears"})
    (found,) = [f for f in check(z).flagged if f.kind == KIND]
    assert set(found.units) == {"conv4:0", "conv4:1"}
    assert "conv4:0 rises" in found.sentence
    assert "conv4:1 falls" in found.sentence


def test_one_label_on_units_that_pull_one_class_both_ways(plant) -> None:
    speaks = {"husky": {0: 3.0, 4: -1.5, 3: 2.0}, "beagle": {2: 3.0}, "poodle": {3: 3.0}}
    z = plant(sees=SEES, speaks=speaks, words={0: "pointed ears", 4: "pointed ears"})
    found = [f for f in check(z).flagged if f.kind == KIND]
    assert {(f.units, f.target) for f in found} >= {(("conv4:0", "conv4:4"), "output:husky")}
    assert "lowers it" in found[0].sentence


def test_units_that_agree_are_not_mentioned(plant) -> None:
    words = {0: "pointed ears", 4: "pointed ears", 1: "fluffy coat"}
    assert not check(plant(sees=SEES, speaks=SPEAKS, words=words)).of(KIND)
