"""What an unsettled claim about a concept's unnamed path says is the test that is open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuitz.plausibility.case import Case
from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.effects.unnamed_effect import UnnamedEffect, cached_unnamed_effects
from circuitz.plausibility.rules.unnamed_claims import unnamed_claim
from circuitz.stats.clustered import ClusteredMean


@pytest.fixture
def case(plant) -> Case:
    sees = ({"snow": 1.0}, {"snow": 1.0}, {"pointed ears": 1.0}, {"floppy ears": 1.0})
    speaks = {"husky": {1: 3.0, 2: 2.0}, "beagle": {3: 3.0}, "corgi": {2: 3.0}, "poodle": {3: 1.0}}
    words = {0: "snow", 2: "pointed ears", 3: "floppy ears"}
    return Case.from_model(
        plant(sees=sees, speaks=speaks, words=words, noise=0.1), None, CheckSettings()
    )


@pytest.fixture
def one(case) -> UnnamedEffect:
    return next(c for c in cached_unnamed_effects(case) if c.concept == "snow" and c.k == 0)


def _mean(value: float, se: float = 0.01) -> ClusteredMean:
    return ClusteredMean(value, se, 39, 40, 40)


def _said(case: Case, one: UnnamedEffect, *, leads: bool = True, **parts: float) -> tuple[str, str]:
    figures = {"mean": 0.5, "net": 0.5, "lead": 0.5, **parts}
    changed = replace(one, gap=0.0, **{name: _mean(value) for name, value in figures.items()})
    claim = unnamed_claim(case, changed, leads=leads, family=3)
    return claim.write_sentence("inconclusive"), claim.decide


def test_the_margin_is_named_where_the_effect_lies_on_it(case, one) -> None:
    said, _ = _said(case, one, mean=0.1)
    assert "raises husky by 10 % [8, 12]" in said
    assert said.endswith("neither shown to exceed 10 % nor to stay below.")


def test_the_net_effect_is_named_where_others_doing_is_the_matter(case, one) -> None:
    said, decide = _said(case, one, net=0.11)
    assert "raises husky by 50 %" in said
    assert "net of what happens to other classes, 11 % [9, 13]" in said
    assert "more pair" in decide


def test_the_named_units_are_named_where_they_may_do_as_much(case, one) -> None:
    said, decide = _said(case, one, lead=0.01)
    assert said.endswith("; that those called so do less is not shown.")
    assert "more pair" in decide
    said, _ = _said(case, one, lead=0.01, leads=False)
    assert "called so do less" not in said


def test_many_claims_are_named_where_each_test_is_passed(case, one) -> None:
    assert _said(case, one)[0].endswith("among 3 such claims that is not beyond chance.")


def test_what_goes_the_other_way_on_the_split_judged_is_said_so(case, one) -> None:
    said, _ = _said(case, one, mean=-0.04)
    assert "‘snow’ lowers husky by 4 % [2, 6]" in said
