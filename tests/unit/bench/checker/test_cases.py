"""Cases are what they claim to be, and the check's answers are scored as they should."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.bench.checker import edit_base as edit
from circuitz.bench.checker.base_network import Base, Draws
from circuitz.bench.checker.bench_world import Tie
from circuitz.bench.checker.benchmark_case import Case, Planted
from circuitz.bench.checker.blind_check import is_about, look, measured
from circuitz.bench.checker.case_registry import base_of, build, case_names
from circuitz.bench.checker.case_truth import Truth
from circuitz.bench.checker.random_choices import tied
from circuitz.errors import BenchError
from circuitz.z.finding import Finding


@pytest.fixture(scope="module")
def base() -> Base:
    """Return one honest hand-wired network."""
    return base_of("wired", 3).with_(draws=Draws(each=40, known=200, fresh=300))


def test_every_unit_of_an_honest_network_sees_what_its_words_say(base: Base) -> None:
    truth = Truth(Case(base))
    assert len(base.words) == len(base.world.concepts)
    for unit, text in base.words.items():
        assert truth.seen(unit) == {text}
        assert truth.valid(unit) is True
    assert base.accuracy > 0.97


def test_truth_reads_a_wired_shortcut_off_renders(base: Base) -> None:
    tie = Tie("snow", "husky")
    case = Case(edit.shortcut(base.with_(ties=(tie,)), "snow", "husky", 0.5))
    truth, k = Truth(case), base.world.classes.index("husky")
    unit = edit.unit_of(base, "snow")
    assert truth.drives("snow", k) > 0.3
    assert truth.share([unit], k) > 0.3
    assert abs(truth.drives("snow", k + 1)) < 0.13
    assert abs(truth.drives("grass", k)) < 0.07


def test_a_shortcut_the_network_does_not_use_drives_nothing(base: Base) -> None:
    truth = Truth(Case(base.with_(ties=(Tie("snow", "husky"),))))
    assert abs(truth.drives("snow", 0)) < 0.07


@pytest.mark.parametrize("role", ["sabotage", "decoy"])
def test_every_case_is_built_and_keeps_accuracy(base: Base, role: str) -> None:
    base = base.with_(draws=Draws(each=16, known=60, fresh=60))
    for name in case_names(role):  # pyright: ignore[reportArgumentType]
        case = build(role, name, base)  # pyright: ignore[reportArgumentType]
        assert case.base.accuracy >= 0.97
        assert bool(case.planted) == (role == "sabotage"), name
        ids = set(case.base.unit_names)
        assert all(set(p.units) <= ids for p in (*case.planted, *case.innocent))


def test_a_case_that_forgets_d_is_refused(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    from circuitz.bench.checker.sabotages import open_shortcut

    monkeypatch.setattr(open_shortcut, "make", lambda b, _: Case(edit.weaken(b, "husky", -1)))
    with pytest.raises(BenchError, match="of D"):
        build("sabotage", "open-shortcut", base)


def test_an_open_shortcut_is_caught_and_an_honest_network_left_alone(base: Base) -> None:
    base = base_of("wired", 3)
    case = build("sabotage", "open-shortcut", base)
    found = look(case, measured(case))
    assert [p["caught"] for p in found["planted"]] == [True]
    honest = build("decoy", "honest", base)
    found = look(honest, measured(honest))
    assert not [f for f in found["findings"] if f["verdict"] == "flagged" and f["true"] is False]


def test_what_counts_as_caught() -> None:
    def finding(kind: str, units: str, target: str = "output:husky") -> Finding:
        return Finding("x", kind, 1, tuple(units.split()), target, "flagged", "")

    one = Planted(("implausible-driver",), ("units:1",), "husky")
    assert is_about(finding("implausible-driver", "units:1"), one)
    assert not is_about(finding("implausible-driver", "units:1 units:2"), one)
    assert not is_about(finding("implausible-driver", "units:1", "output:corgi"), one)
    assert not is_about(finding("mislabelled-unit", "units:1"), one)
    three = Planted(("split-shortcut",), ("units:1", "units:2", "units:3"), "husky")
    assert is_about(finding("split-shortcut", "units:1 units:2"), three)
    assert not is_about(finding("split-shortcut", "units:1 units:8 units:9"), three)


def test_ties_are_kept_in_d(base: Base) -> None:
    some, tie = tied(base, np.random.default_rng(0))
    assert some.ties == (tie,)
    assert some.data.labels is not None
    assert len(some.data) == some.draws.each * len(base.world.classes)


def test_edits_of_units_do_what_they_say(base: Base) -> None:
    unit = edit.unit_of(base, "snow")
    gone = Truth(Case(edit.rewire_unit(base, unit, {})))
    assert not gone.seen(unit, 0.05)
    turned = Truth(Case(edit.negate(base, unit)))
    assert turned.sees[unit, turned.column["snow"]] < -1
    some, parts = edit.split_unit(edit.wire(base, unit, "husky", 0.4), unit, 4)
    assert edit.share_of(some, parts, "husky") == pytest.approx(0.4)
    assert edit.share_of(some, [unit], "husky") == 0


def test_linear_units_are_never_cut_off(base: Base) -> None:
    some, unit = edit.add_unit(base, {"snow": 0.5, "grass": -0.5}, linear=True)
    both = edit.wire(some, unit, "husky", 0.2)
    truth = Truth(Case(both))
    assert truth.sees[unit, truth.column["snow"]] > 0.4
    assert truth.sees[unit, truth.column["grass"]] < -0.4
    # The lift is taken back at the class.
    assert both.head[0][1][0] < 0
    assert both.accuracy > 0.9


def test_unknown_names_are_told(base: Base) -> None:
    with pytest.raises(BenchError, match="No feature sees"):
        edit.unit_of(base, "moon")
    with pytest.raises(BenchError, match="no class"):
        edit.wire(base, 0, "cat", 0.5)
    with pytest.raises(BenchError, match="no family"):
        base_of("none", 0)
    with pytest.raises(BenchError, match="no sabotage"):
        build("sabotage", "none", base)
