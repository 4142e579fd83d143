from __future__ import annotations

import math

import pytest

from circuitz.demo.plotted_shares import (
    PlottedShare,
    Scale,
    number_as_text,
    p_value_as_text,
    percent_as_text,
    scale_around,
    share_with_interval,
)


def test_places_stay_on_the_scale() -> None:
    scale = Scale(-0.2, 1.0)
    assert scale.position_of(-0.2) == 0
    assert scale.position_of(1.0) == 100
    assert scale.position_of(0.4) == 50
    assert [scale.position_of(v) for v in (-9, 9, math.nan, math.inf)] == [0, 100, 0, 0]


@pytest.mark.parametrize("scale", [Scale(0, 1), Scale(-0.22, 1.02), Scale(-2, 3), Scale(0, 0.31)])
def test_ticks_are_few_round_and_in_order(scale: Scale) -> None:
    ticks = scale.ticks
    assert 2 <= len(ticks) <= 7
    assert [at for at, _ in ticks] == sorted(at for at, _ in ticks)
    assert all(0 <= at <= 100 for at, _ in ticks)
    assert "0\u00a0%" in [text for _, text in ticks]


def test_a_scale_holds_what_it_is_for() -> None:
    scale = scale_around([-0.4, 1.3, math.nan])
    assert scale.low < -0.4
    assert scale.high > 1.3
    assert scale_around([]).low < -0.1


def test_counts_give_intervals_and_the_unknown_none() -> None:
    found = share_with_interval(0.9, 50)
    assert found.low < 0.9 < found.high
    assert found.count_in_words == "n = 50"
    assert share_with_interval(0.0, 10).low == 0
    for unknown in (share_with_interval(0.9, 0), share_with_interval(math.nan, 5)):
        assert not unknown.has_interval
        assert unknown.interval == ""
        assert unknown.count_in_words == ""


def test_numbers_are_written_for_people() -> None:
    assert percent_as_text(-0.001) == "0\u00a0%"
    assert percent_as_text(-0.126) == "−13\u00a0%"
    assert percent_as_text(math.nan) == "–"
    assert number_as_text(-0.004) == "0.00"
    assert number_as_text(-1234.5, 1) == "−1,234.5"
    assert p_value_as_text(1e-30) == "< 0.001"
    assert p_value_as_text(0.163) == "0.16"
    assert PlottedShare(0.5, 0.4, 0.6).interval == "[40, 60]"
