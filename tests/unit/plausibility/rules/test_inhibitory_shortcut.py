from __future__ import annotations

from circuitz.plausibility.check import check

KIND = "inhibitory-shortcut"
WORDS = {0: "snow", 2: "grass", 3: "pointed ears", 4: "floppy ears", 5: "fluffy coat"}


def grassy(plant, looks, weight: float):
    """Every other breed stands on grass; the grass unit speaks against husky."""
    for name in ("beagle", "corgi", "poodle"):
        looks[name] |= {"grass": 1.0, "sand": 0.0}
    speaks = {
        "husky": {2: weight, 3: 1.0, 6: 2.0},
        "beagle": {4: 3.0},
        "corgi": {3: 3.0},
        "poodle": {5: 3.0},
    }
    return plant(looks=looks, speaks=speaks, words=WORDS, groups=[(2,)])


def test_grass_that_holds_a_husky_back_is_caught(plant, looks) -> None:
    report = check(grassy(plant, looks, -3.0))
    (found,) = [f for f in report.flagged if f.kind == KIND]
    assert (found.target, found.units) == ("output:husky", ("conv4:2",))
    assert "holds husky back" in found.sentence
    assert "surroundings do not keep a dog from being a husky" in found.sentence
    assert any("surroundings" in line for line in found.chain)
    assert {remedy.action for remedy in found.remedies} == {"silence", "search", "ask", "waive"}
    # The pair is judged once: not as a driver too.
    assert not [f for f in report.of("implausible-driver", "husky") if f.units == found.units]


def test_a_faint_hold_is_no_shortcut(plant, looks) -> None:
    report = check(grassy(plant, looks, -0.05))
    assert not report.of(KIND, "husky")
    (other,) = [f for f in report.of("implausible-driver", "husky") if f.units == ("conv4:2",)]
    assert other.verdict == "supported"


def test_snow_that_makes_a_husky_holds_nobody_back(plant) -> None:
    report = check(plant(words={**WORDS, 1: "snow"}, groups=[(0, 1)]))
    assert not [f for f in report.flagged if f.kind == KIND]
