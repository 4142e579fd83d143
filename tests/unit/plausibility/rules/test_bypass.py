from __future__ import annotations

from circuitz.plausibility.check import check

KIND = "bypass"
SEES = (
    {"snow": 1.0},
    {"snow": 1.0},
    {"pointed ears": 1.0},
    {"floppy ears": 1.0},
    {"fluffy coat": 1.0},
)


def net(plant, named: float, hidden: float):
    """Two snow units, one of them called so."""
    speaks = {
        "husky": {0: named, 1: hidden, 2: 2.0},
        "beagle": {3: 3.0},
        "corgi": {2: 3.0},
        "poodle": {4: 3.0},
    }
    words = {0: "snow", 2: "pointed ears", 3: "floppy ears", 4: "fluffy coat"}
    return plant(sees=SEES, speaks=speaks, words=words, noise=0.1)


def test_snow_that_flows_around_the_unit_called_snow_is_caught(plant) -> None:
    (found,) = [f for f in check(net(plant, 0.0, 3.0)).flagged if f.kind == KIND]
    assert (found.units, found.target) == (("conv4:1",), "output:husky")
    assert "besides those called so (conv4:0)" in found.sentence
    assert {remedy.action for remedy in found.remedies} >= {"silence", "search", "annotate"}


def test_the_named_path_may_have_a_helper(plant) -> None:
    report = check(net(plant, 3.0, 0.6))
    assert not [f for f in report.flagged if f.kind == KIND]


def test_where_all_flows_through_the_words_nothing_is_said(plant) -> None:
    assert not check(net(plant, 3.0, 0.0)).of(KIND)


def test_what_lowers_one_class_is_not_said_to_raise_all_others(plant) -> None:
    # Margins sum to zero: where a hidden unit holds poodle back, every other margin rises.
    speaks = {"husky": {2: 3.0}, "beagle": {3: 3.0}, "corgi": {2: 3.0}, "poodle": {1: -6.0, 4: 3.0}}
    words = {2: "pointed ears", 3: "floppy ears", 4: "fluffy coat", 0: "snow"}
    report = check(plant(sees=SEES, speaks=speaks, words=words, noise=0.1))
    found = [f for f in report.flagged if f.kind in (KIND, "split-shortcut")]
    assert {f.target for f in found} <= {"output:poodle"}
