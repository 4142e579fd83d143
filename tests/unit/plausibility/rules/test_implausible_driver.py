from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check import check
from circuitz.z.inputs import InputSet

KIND = "implausible-driver"
TRUE = {
    0: "snow",
    1: "snow on the ground",
    2: "grass",
    3: "pointed ears",
    4: "floppy ears",
    5: "fluffy coat",
    6: "curled tail",
}
GROUPS = [(0, 1), (3, 4, 5, 6), tuple(range(7))]


def test_snow_units_are_caught_driving_husky_and_nothing_else_is(plant) -> None:
    z = plant(words=TRUE, groups=GROUPS)
    report = check(z)
    (found,) = report.flagged
    assert (found.kind, found.target) == (KIND, "output:husky")
    assert found.units == ("conv4:0", "conv4:1")
    assert found.ci[0] < found.estimate < found.ci[1]
    # 5 of 6.1 logits of the whole cut come from the two snow units.
    assert found.estimate == pytest.approx(5 * 1.0 / 6.13, abs=0.05)
    assert found.q <= 0.05
    assert found.power > 0.9
    assert "‘snow’ (conv4:0, conv4:1) carry" in found.sentence
    assert "surroundings do not make a dog a husky" in found.sentence
    assert "curled tail" in found.sentence
    assert any("surroundings" in line.lower() for line in found.chain)
    assert [effect.how for effect in found.effects] == ["sufficiency", "necessity"]
    assert found.effects[0].method == "exact"
    assert [remedy.action for remedy in found.remedies] == ["silence", "search", "ask", "waive"]
    cut, train = found.remedies[:2]
    assert cut.label == "Cut the path: silence conv4:0, conv4:1"
    assert train.label == "Train without snow"
    about = {"concept": "snow", "units": ["conv4:0", "conv4:1"], "target": "output:husky"}
    assert cut.arguments == train.arguments == about
    others = [f for f in report.of(KIND) if f is not found]
    assert {f.verdict for f in others} == {"supported"}
    assert all(f.family == 8 for f in report.of(KIND))


def test_the_other_side_of_a_driver_is_not_held_against_other_classes(plant) -> None:
    # Taken off a husky, snow makes it look more like any other breed.
    z = plant(words=TRUE, groups=GROUPS)
    effects = z.measurements.effects
    snow = effects.group_sufficiency[0][effects.split == 1]
    assert np.nanmean(snow[:, 1]) > 0.1
    beagle = check(z).of(KIND, "beagle")
    assert {f.verdict for f in beagle} == {"supported"}
    assert any("other than husky" in f.sentence for f in beagle)


def test_with_two_classes_the_other_side_cannot_be_told(plant, looks) -> None:
    two = {name: looks[name] for name in ("husky", "beagle")}
    speaks = {"husky": {0: 3.0, 3: 1.0}, "beagle": {4: 1.0}}
    z = plant(looks=two, speaks=speaks, words=TRUE, groups=[(0, 1)])
    found = {f.target: f for f in check(z).of(KIND) if f.units == ("conv4:0", "conv4:1")}
    assert found["output:husky"].verdict == "flagged"
    assert found["output:beagle"].verdict == "inconclusive"
    assert "the other side" in found["output:beagle"].decide


def test_a_class_that_uses_an_absence_is_caught(plant, looks) -> None:
    # Every other breed stands on grass; silence of the grass unit makes a husky.
    for name in ("beagle", "corgi", "poodle"):
        looks[name] |= {"grass": 1.0, "sand": 0.0}
    speaks = {"husky": {2: -3.0, 3: 1.0}, "beagle": {4: 3.0}, "corgi": {3: 3.0}, "poodle": {5: 3.0}}
    z = plant(looks=looks, speaks=speaks, words=TRUE)
    flagged = [f.target for f in check(z).flagged if f.units == ("conv4:2",)]
    assert "output:husky" in flagged


def test_a_share_between_nothing_and_the_margin_is_supported_and_at_it_undecided(plant) -> None:
    def verdict(weight: float) -> str:
        speaks = {"husky": {0: weight, 3: 2.0, 6: 2.0}, "beagle": {4: 3.0}, "poodle": {5: 3.0}}
        z = plant(speaks=speaks, words=TRUE, groups=[(0, 1)])
        (found,) = [f for f in check(z).of(KIND, "husky") if f.units[0] == "conv4:0"]
        if found.verdict == "inconclusive":
            assert "source image" in found.decide or "bound" in found.decide
        return found.verdict

    assert verdict(0.02) == "supported"
    assert verdict(3.0) == "flagged"
    assert verdict(0.33) == "inconclusive"


def test_an_override_lets_surroundings_make_a_class(plant) -> None:
    z = plant(words=TRUE, groups=GROUPS)
    placebo = Lexicon.load().with_override("snow", kind="part", part_of=("dog",), author="placebo")
    report = check(z, lexicon=placebo)
    assert not report.flagged
    assert not [f for f in report.of(KIND) if "snow" in f.sentence]
    assert report.hashes["lexicon"] != check(z).hashes["lexicon"]


def test_a_place_may_rest_on_its_ground(plant, looks) -> None:
    lexicon = Lexicon.from_text(
        "version: 1\ncategories:\n  place: {members: [beach]}\n", "project lexicon"
    )
    looks["beach"] = looks.pop("husky")
    speaks = {"beach": {0: 3.0, 1: 2.0}, "beagle": {4: 3.0}, "corgi": {3: 3.0}, "poodle": {5: 3.0}}
    z = plant(looks=looks, speaks=speaks, words=TRUE, groups=GROUPS)
    assert [f.target for f in check(z).flagged if f.kind == KIND] == ["output:beach"]
    assert not [f for f in check(z, lexicon=lexicon).flagged if f.kind == KIND]


def test_without_a_subject_surroundings_still_count_against(plant) -> None:
    report = check(plant(words=TRUE, groups=GROUPS, subject=""))
    assert [f.target for f in report.flagged] == ["output:husky"]
    assert "do not make anything a husky" in report.flagged[0].sentence


def test_a_unit_that_means_both_convicts_nobody(plant) -> None:
    sees = ({"snow": 1.0, "pointed ears": 1.0}, {"grass": 1.0}, {"fluffy coat": 1.0}, {})
    speaks = {"husky": {0: 4.0}, "beagle": {1: 0.3}, "poodle": {2: 3.0}, "corgi": {0: 1.0}}
    z = plant(sees=sees, speaks=speaks, words={0: "snow and pointed ears"})
    found = check(z).of(KIND, "husky")
    assert [f.verdict for f in found] == ["inconclusive"]
    assert "also sees the dog itself" in found[0].decide


def test_units_that_are_not_on_the_cut_drive_nothing(plant) -> None:
    z = plant(words=TRUE, groups=GROUPS).annotate("output:husky", "snow", author="anna")
    assert len(check(z).of(KIND)) == 8


def test_an_untrained_network_is_accused_of_nothing(plant, change) -> None:
    z = plant(words=TRUE, groups=GROUPS)
    report = check(change(z, scale=np.full(4, 0.01, np.float32)))
    assert not report.flagged
    assert {f.verdict for f in report.of(KIND)} == {"inconclusive"}
    assert "0.01 logits" in report.of(KIND)[0].decide


def test_pictures_come_from_the_nearest_set(plant, change) -> None:
    z = change(
        plant(words=TRUE, groups=GROUPS),
        group_pictures={
            "conv4:0+conv4:1+conv4:2->husky": ("aa", "bb"),
            "conv4:2->husky": ("no", "no"),
            "conv4:0+conv4:1->beagle": ("no", "no"),
        },
    )
    assert check(z).flagged[0].pictures == ("aa", "bb")


def test_pictures_of_quite_another_set_are_none(plant, change) -> None:
    other = {"conv4:1+conv4:3+conv4:4+conv4:5->husky": ("no", "no")}
    z = change(plant(words=TRUE, groups=GROUPS), group_pictures=other)
    assert check(z).flagged[0].pictures == ()


def test_the_worst_class_of_sources_is_told_beside_the_average(plant, looks) -> None:
    # Beagles stand on snow half of the time: against them snow says half as much.
    looks["beagle"] |= {"snow": 0.5}
    (found,) = [
        f for f in check(plant(looks=looks, words=TRUE, groups=GROUPS)).flagged if f.kind == KIND
    ]
    assert "on inputs of one class (" in found.sentence
    assert "(beagle)" not in found.sentence
    most = int(found.sentence.partition("at most ")[2].partition(" %")[0])
    assert most > 100 * found.estimate


def test_a_cell_beyond_the_margin_is_not_averaged_away(plant, change) -> None:
    # Snow does nothing against three breeds, and a lot against poodles.
    z = plant(words=TRUE, speaks={"husky": {3: 1.0, 6: 2.0}, "beagle": {4: 3.0}, "corgi": {3: 3.0}})
    effects = z.measurements.effects
    sufficiency = effects.sufficiency.copy()
    sufficiency[:, :2, 0] = np.where(np.isnan(sufficiency[:, :2, 0]), np.nan, 0.0)
    poodles = np.repeat(np.arange(4), len(sufficiency) // 4) == 3
    sufficiency[poodles, 0, 0] = 0.2
    z = change(z, sufficiency=sufficiency, groups=())
    (found,) = [f for f in check(z).of(KIND, "husky") if "conv4:0" in f.units]
    assert found.verdict != "supported"


def test_where_d_says_its_surroundings_a_cell_is_a_class_in_one_of_them(plant, change) -> None:
    z = plant(words=TRUE, speaks={"husky": {3: 1.0, 6: 2.0}, "beagle": {4: 3.0}, "corgi": {3: 3.0}})
    sufficiency = z.measurements.effects.sufficiency.copy()
    n = len(sufficiency)
    sufficiency[:, :2, 0] = np.where(np.isnan(sufficiency[:, :2, 0]), np.nan, 0.0)
    label, ground = np.repeat(np.arange(4), n // 4), np.arange(n) % 4
    sufficiency[(label == 3) & (ground == 1), 0, 0] = 0.4  # poodles on grass
    z = change(z, sufficiency=sufficiency, groups=())
    data = InputSet(
        images=np.zeros((n, 2, 2, 3), np.uint8),
        labels=label,
        classes=z.classes,
        concepts=np.eye(4, dtype=np.float32)[ground],
        concept_names=("snow", "grass", "sand", "curled tail"),
        role="D",
    )
    (found,) = [f for f in check(z.with_(data=data)).of(KIND, "husky") if "conv4:0" in f.units]
    assert "one cell (poodle with grass)" in found.sentence
    assert found.verdict != "supported"
    # Against each class as a whole there is nothing of the kind.
    (plain,) = [f for f in check(z).of(KIND, "husky") if "conv4:0" in f.units]
    assert "one class (poodle)" in plain.sentence
    # Of another D than was measured nothing is read.
    few = replace(data, images=data.images[:4], labels=label[:4], concepts=data.concepts[:4])
    (other,) = [f for f in check(z.with_(data=few)).of(KIND, "husky") if "conv4:0" in f.units]
    assert "one class (poodle)" in other.sentence


def test_a_network_that_learned_by_heart_is_accused_of_nothing(plant, change) -> None:
    z = plant(words=TRUE, groups=GROUPS)
    effects = z.measurements.effects
    own = np.isnan(effects.sufficiency[:, 0, :])
    rng = np.random.default_rng(0)
    margin = np.where(own, 3.0, -3.0) + rng.normal(size=own.shape)
    kept = change(z, margin=margin.astype(np.float32))
    assert [f.target for f in check(kept).flagged] == ["output:husky"]
    # On test it tells nothing.
    margin[effects.split == 1] = rng.normal(size=own[effects.split == 1].shape)
    report = check(change(z, margin=margin.astype(np.float32)))
    assert not report.flagged
    assert "does not hold there" in report.of(KIND)[0].decide


def test_a_cut_is_offered_only_where_it_can_be_made(plant) -> None:
    z = plant(words=TRUE, groups=GROUPS)
    z = z.with_(notes={**z.notes, "silenceable": {"conv4": False}})
    (found,) = check(z).flagged
    assert [remedy.action for remedy in found.remedies] == ["search", "ask", "waive"]
