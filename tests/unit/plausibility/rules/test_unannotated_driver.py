from __future__ import annotations

from circuitz.plausibility.check import check

KIND = "unannotated-driver"
WORDS = {0: "snow", 1: "snow", 4: "floppy ears", 5: "fluffy coat", 6: "curled tail"}


def test_a_driver_without_words_is_found_with_what_it_matches(plant) -> None:
    report = check(plant(words=WORDS))
    found = [f for f in report.flagged if f.kind == KIND and f.target == "output:corgi"]
    assert [f.units for f in found] == [("conv4:3",)]
    assert "which has no words" in found[0].sentence
    assert "‘pointed ears’" in found[0].sentence
    assert found[0].remedies[0].action == "annotate"
    assert found[0].remedies[0].arguments["concepts"] == ["pointed ears"]
    cut, train = found[0].remedies[1:3]
    assert (cut.action, cut.label) == ("silence", "Cut the path: silence conv4:3")
    assert (train.action, train.label) == ("search", "Train without conv4:3")
    assert cut.arguments == {"units": ["conv4:3"], "target": "output:corgi"}
    assert found[0].ci[0] < found[0].estimate < found[0].ci[1]


def test_once_it_has_words_nothing_is_said(plant) -> None:
    assert not check(plant(words={**WORDS, 3: "pointed ears", 2: "grass"})).of(KIND)


def test_a_black_box_has_words(plant) -> None:
    assert not check(plant(words={**WORDS, 3: "black-box"})).of(KIND, "corgi")


def test_units_that_do_nothing_are_not_mentioned(plant) -> None:
    report = check(plant())
    assert not [f for f in report.of(KIND) if f.units == ("conv4:7",)]
    assert not [f for f in report.of(KIND) if f.units == ("conv4:2",)]


def test_the_other_side_of_a_driver_is_not_held_against_other_classes(plant) -> None:
    # Snow makes husky; taken away, it raises all others, which says nothing about them.
    report = check(plant(words={u: w for u, w in WORDS.items() if u > 1}))
    flagged = {(f.units[0], f.target) for f in report.flagged if f.kind == KIND}
    assert ("conv4:0", "output:husky") in flagged
    assert not {pair for pair in flagged if pair[0] in ("conv4:0", "conv4:1")} - {
        ("conv4:0", "output:husky"),
        ("conv4:1", "output:husky"),
    }
