from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import LayerError, MeasurementError
from circuitz.plausibility.check import check
from circuitz.plausibility.propose import AUTHOR, propose


def said(z) -> dict[str, str]:
    return {target: entry.text for target, entry in z.effective().items()}


def test_units_are_given_the_concept_they_match(plant) -> None:
    z = propose(plant())
    assert said(z) == {
        "conv4:0": "snow",
        "conv4:1": "snow",
        "conv4:2": "grass",
        "conv4:3": "pointed ears",
        "conv4:4": "floppy ears",
        "conv4:5": "fluffy coat",
        "conv4:6": "curled tail",
    }
    entry = z.effective()["conv4:0"]
    assert (entry.author, entry.author_kind, entry.concepts) == (AUTHOR, "rule", ("snow",))
    assert 0.9 < entry.confidence <= 1
    assert {f.verdict for f in check(z).of("mislabelled-unit")} == {"supported"}


def test_proposing_twice_changes_nothing(plant) -> None:
    once = propose(plant())
    assert propose(once) is once


def test_people_are_never_overwritten(plant) -> None:
    z = propose(plant(words={0: "husky detector"}))
    assert said(z)["conv4:0"] == "husky detector"
    assert len(z.log) == 7
    later = propose(propose(plant()).annotate("conv4:0", "my own words", author="anna"))
    assert said(later)["conv4:0"] == "my own words"


def test_what_a_person_took_back_is_not_written_again(plant) -> None:
    z = propose(plant()).retract("conv4:0", author="anna")
    assert "conv4:0" not in said(propose(z))
    assert "conv4:1" in said(propose(z))


def test_another_rule_is_left_alone(plant) -> None:
    z = plant().annotate("conv4:0", "sand", author="another rule", author_kind="rule")
    assert said(propose(z))["conv4:0"] == "sand"


def test_proposals_that_no_longer_hold_are_replaced_or_withdrawn(plant, change) -> None:
    from dataclasses import replace

    z = propose(plant())
    layer = z.measurements.layers["conv4"]
    responses = layer.responses.copy()
    responses[:, 0] = layer.responses[:, 3]
    responses[:, 1] = np.random.default_rng(5).normal(size=len(responses))
    moved = propose(change(z, layers={"conv4": replace(layer, responses=responses)}))
    assert said(moved)["conv4:0"] == "pointed ears"
    assert "conv4:1" not in said(moved)
    assert moved.log[-1].retracted
    assert moved.log[-1].author_kind == "rule"
    assert propose(moved) is moved


def test_a_unit_of_two_minds_is_left_to_people(plant) -> None:
    sees = (
        {"snow": 1.0, "pointed ears": 1.0},
        {"pointed ears": 1.0, "fluffy coat": 1.0},
    )
    z = propose(plant(sees=sees, speaks={"husky": {0: 1.0}, "corgi": {1: 1.0}}))
    assert "conv4:0" not in said(z)
    assert set(z.effective()["conv4:1"].concepts) == {"pointed ears", "fluffy coat"}
    assert " and " in said(z)["conv4:1"]
    assert {f.verdict for f in check(z).of("mislabelled-unit")} == {"supported"}


def test_columns_are_written_by_their_own_names(plant) -> None:
    from dataclasses import replace

    z = plant()
    names = ("snowy ground", "GRASS", *z.concept_set.concept_names[2:])
    z = propose(z.with_(concept_set=replace(z.concept_set, concept_names=names)))
    assert said(z)["conv4:0"] == "snowy ground"
    assert said(z)["conv4:2"] == "GRASS"
    assert check(z).of("mislabelled-unit")[0].verdict == "supported"


@pytest.mark.parametrize(
    "names",
    [
        ("round outline", "pointed outline"),
        ("letter w", "letter x"),
        ("Blond_Hair", "Wavy_Hair"),
        ("red car", "blue car"),
    ],
)
def test_columns_that_the_lexicon_has_as_one_thing_are_rivals(plant, names) -> None:
    from dataclasses import replace

    z = plant()
    concept_set = replace(z.concept_set, concept_names=(*names, *z.concept_set.concept_names[2:]))
    z = propose(z.with_(concept_set=concept_set))
    assert said(z)["conv4:0"] == names[0]
    assert said(z)["conv4:2"] == names[1]
    verdicts = {f.units[0]: f.verdict for f in check(z).of("mislabelled-unit")}
    assert verdicts["conv4:0"] == verdicts["conv4:2"] == "supported"
    exchanged = z.annotate("conv4:0", names[1]).annotate("conv4:2", names[0])
    verdicts = {f.units[0]: f.verdict for f in check(exchanged).of("mislabelled-unit")}
    assert verdicts["conv4:0"] == verdicts["conv4:2"] == "flagged"


def test_words_an_earlier_version_proposed_for_two_columns_are_in_doubt(plant) -> None:
    from dataclasses import replace

    z = plant()
    names = ("round outline", "pointed outline", *z.concept_set.concept_names[2:])
    z = z.with_(concept_set=replace(z.concept_set, concept_names=names))
    old = z.annotate("conv4:0", "edges", concepts=("edges",), author=AUTHOR, author_kind="rule")
    report = check(old)
    finding = next(f for f in report.of("mislabelled-unit") if f.units == ("conv4:0",))
    assert finding.verdict == "inconclusive"
    assert "‘round outline’ and ‘pointed outline’" in finding.sentence
    (problem,) = [p for p in report.problems if p.code == "ambiguous-words"]
    assert "‘edges’ fits" in problem.message
    assert said(propose(old))["conv4:0"] == "round outline"


def test_a_column_the_lexicon_does_not_know_is_written_as_it_is(plant) -> None:
    from dataclasses import replace

    z = plant()
    names = ("zorb", *z.concept_set.concept_names[1:])
    z = propose(z.with_(concept_set=replace(z.concept_set, concept_names=names)))
    assert said(z)["conv4:0"] == "zorb"
    (found,) = [f for f in check(z).of("mislabelled-unit") if f.units == ("conv4:0",)]
    assert found.verdict == "supported"


def test_layers_and_bars_can_be_chosen(plant) -> None:
    assert len(propose(plant(noise=1.0), minimum=0.95).log) == 0
    with pytest.raises(LayerError, match="conv9"):
        propose(plant(), layers=["conv9"])
    with pytest.raises(MeasurementError):
        propose(plant().with_(measurements=None))
    assert propose(plant(), layers=[]).log == ()
