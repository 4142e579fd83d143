"""The range gauge's records become questions, and nothing but questions."""

from __future__ import annotations

import pytest

from circuitz.plausibility.check import check
from circuitz.z.range_record import RangeRecord, with_range_records

KIND = "outside-range"


def record(z, *, asks=True, **changes) -> RangeRecord:
    fields = {
        "population": "D", "target": "husky", "asks": asks, "gauge": 0.6 if asks else 0.02,
        "silent": 0.01, "others": 0.02, "far": 1.0, "inputs": 200, "reference": 300,
        "units": (("conv4:0", 0.4), ("conv4:7", 0.2)), "count": 180, "by_chance": 12, "pictures": (),
        "weights_hash": z.weights_hash, "inputs_hash": z.data_hash, "concepts_hash": z.concepts_hash,
    }  # fmt: skip
    return RangeRecord(**{**fields, **changes})


def test_a_record_that_asks_is_a_question_with_its_figures(plant) -> None:
    z = plant()
    (found,) = check(with_range_records(z, [record(z)], {})).of(KIND)
    assert found.verdict == "inconclusive"
    assert (found.target, found.units) == ("output:husky", ("conv4:0", "conv4:7"))
    assert "60 %" in found.sentence
    assert "180 of 200" in found.sentence
    assert "husky" in found.decide
    assert (found.estimate, found.family) == (0.6, 0)


def test_a_record_that_does_not_ask_is_silent(plant) -> None:
    z = plant()
    assert check(with_range_records(z, [record(z, asks=False)], {})).of(KIND) == ()
    assert check(z).of(KIND) == ()


def test_questions_of_both_populations_have_ids_of_their_own(plant) -> None:
    z = plant()
    both = with_range_records(z, [record(z), record(z, population="D'", inputs_hash="x")], {})
    ids = [f.id for f in check(both).of(KIND)]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    "changed", [{"weights_hash": "x"}, {"concepts_hash": "x"}, {"target": "cat"}]
)
def test_a_stale_record_asks_nothing(plant, changed) -> None:
    z = plant()
    assert check(with_range_records(z, [record(z, **changed)], {})).of(KIND) == ()


def test_a_question_convicts_nobody(plant) -> None:
    z = plant()
    before, after = check(z), check(with_range_records(z, [record(z)], {}))
    assert after.flagged == before.flagged
    assert after.exit_code() == before.exit_code()
