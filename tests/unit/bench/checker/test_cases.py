"""Cases are what they claim to be, and the check's answers are scored as they should."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.bench.checker import edit_base as edit
from circuitz.bench.checker.base_network import BaseNetwork, DrawSizes
from circuitz.bench.checker.bench_world import ContextTie
from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.blind_check import (
    check_and_score_case,
    finding_names_planted,
    measure_case,
)
from circuitz.bench.checker.case_registry import (
    build_case,
    build_honest_network,
    case_names_of_role,
)
from circuitz.bench.checker.case_truth import CaseTruth
from circuitz.bench.checker.random_choices import tie_random_context_to_class
from circuitz.errors import BenchError
from circuitz.z.finding import Finding


@pytest.fixture(scope="module")
def base() -> BaseNetwork:
    """Return one honest hand-wired network."""
    return build_honest_network("wired", 3).with_fields(
        draws=DrawSizes(per_class=40, concept_set=200, unseen_pairs=300)
    )


def test_every_unit_of_an_honest_network_sees_what_its_words_say(base: BaseNetwork) -> None:
    truth = CaseTruth(CheckerCase(base))
    assert len(base.words) == len(base.world.concepts)
    for unit, text in base.words.items():
        assert truth.concepts_seen_by_unit(unit) == {text}
        assert truth.words_are_valid(unit) is True
    assert base.accuracy_on_own_data > 0.97


def test_truth_reads_a_wired_shortcut_off_renders(base: BaseNetwork) -> None:
    tie = ContextTie("snow", "husky")
    case = CheckerCase(edit.plant_shortcut(base.with_fields(ties=(tie,)), "snow", "husky", 0.5))
    truth, k = CaseTruth(case), base.world.classes.index("husky")
    unit = edit.first_unit_seeing_concept(base, "snow")
    assert truth.concept_drive_on_data("snow", k) > 0.3
    assert truth.class_share_from_units([unit], k) > 0.3
    assert abs(truth.concept_drive_on_data("snow", k + 1)) < 0.13
    assert abs(truth.concept_drive_on_data("grass", k)) < 0.07


def test_a_shortcut_the_network_does_not_use_drives_nothing(base: BaseNetwork) -> None:
    truth = CaseTruth(CheckerCase(base.with_fields(ties=(ContextTie("snow", "husky"),))))
    assert abs(truth.concept_drive_on_data("snow", 0)) < 0.07


@pytest.mark.parametrize("role", ["sabotage", "decoy"])
def test_every_case_is_built_and_keeps_accuracy(base: BaseNetwork, role: str) -> None:
    base = base.with_fields(draws=DrawSizes(per_class=16, concept_set=60, unseen_pairs=60))
    for name in case_names_of_role(role):  # pyright: ignore[reportArgumentType]
        case = build_case(role, name, base)  # pyright: ignore[reportArgumentType]
        assert case.base.accuracy_on_own_data >= 0.97
        assert bool(case.planted) == (role == "sabotage"), name
        ids = set(case.base.unit_ids)
        assert all(set(p.units) <= ids for p in (*case.planted, *case.innocent))


def test_a_case_that_forgets_d_is_refused(
    base: BaseNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    from circuitz.bench.checker.sabotages import open_shortcut

    monkeypatch.setattr(
        open_shortcut,
        "make_open_shortcut",
        lambda b, _: CheckerCase(edit.scale_class_weights(b, "husky", -1)),
    )
    with pytest.raises(BenchError, match="of D"):
        build_case("sabotage", "open-shortcut", base)


def test_an_open_shortcut_is_caught_and_an_honest_network_left_alone(base: BaseNetwork) -> None:
    base = build_honest_network("wired", 3)
    case = build_case("sabotage", "open-shortcut", base)
    found = check_and_score_case(case, measure_case(case))
    assert [p["caught"] for p in found["planted"]] == [True]
    honest = build_case("decoy", "honest", base)
    found = check_and_score_case(honest, measure_case(honest))
    assert not [f for f in found["findings"] if f["verdict"] == "flagged" and f["true"] is False]


def test_what_counts_as_caught() -> None:
    def finding(kind: str, units: str, target: str = "output:husky") -> Finding:
        return Finding("x", kind, 1, tuple(units.split()), target, "flagged", "")

    one = Planted(("implausible-driver",), ("units:1",), "husky")
    assert finding_names_planted(finding("implausible-driver", "units:1"), one)
    assert not finding_names_planted(finding("implausible-driver", "units:1 units:2"), one)
    assert not finding_names_planted(finding("implausible-driver", "units:1", "output:corgi"), one)
    assert not finding_names_planted(finding("mislabelled-unit", "units:1"), one)
    three = Planted(("split-shortcut",), ("units:1", "units:2", "units:3"), "husky")
    assert finding_names_planted(finding("split-shortcut", "units:1 units:2"), three)
    assert not finding_names_planted(finding("split-shortcut", "units:1 units:8 units:9"), three)


def test_ties_are_kept_in_d(base: BaseNetwork) -> None:
    some, tie = tie_random_context_to_class(base, np.random.default_rng(0))
    assert some.ties == (tie,)
    assert some.data.labels is not None
    assert len(some.data) == some.draws.per_class * len(base.world.classes)


def test_edits_of_units_do_what_they_say(base: BaseNetwork) -> None:
    unit = edit.first_unit_seeing_concept(base, "snow")
    gone = CaseTruth(CheckerCase(edit.rewire_unit_inputs(base, unit, {})))
    assert not gone.concepts_seen_by_unit(unit, 0.05)
    turned = CaseTruth(CheckerCase(edit.negate_unit(base, unit)))
    assert turned.unit_responses_to_concepts[unit, turned.column["snow"]] < -1
    some, parts = edit.split_unit(edit.wire_unit_to_class(base, unit, "husky", 0.4), unit, 4)
    assert edit.wired_share_of_class(some, parts, "husky") == pytest.approx(0.4)
    assert edit.wired_share_of_class(some, [unit], "husky") == 0


def test_linear_units_are_never_cut_off(base: BaseNetwork) -> None:
    some, unit = edit.add_unit(base, {"snow": 0.5, "grass": -0.5}, linear=True)
    both = edit.wire_unit_to_class(some, unit, "husky", 0.2)
    truth = CaseTruth(CheckerCase(both))
    assert truth.unit_responses_to_concepts[unit, truth.column["snow"]] > 0.4
    assert truth.unit_responses_to_concepts[unit, truth.column["grass"]] < -0.4
    # The lift is taken back at the class.
    assert both.head[0][1][0] < 0
    assert both.accuracy_on_own_data > 0.9


def test_unknown_names_are_told(base: BaseNetwork) -> None:
    with pytest.raises(BenchError, match="No feature sees"):
        edit.first_unit_seeing_concept(base, "moon")
    with pytest.raises(BenchError, match="no class"):
        edit.wire_unit_to_class(base, 0, "cat", 0.5)
    with pytest.raises(BenchError, match="no family"):
        build_honest_network("none", 0)
    with pytest.raises(BenchError, match="no sabotage"):
        build_case("sabotage", "none", base)
