from __future__ import annotations

import math

import pytest

from circuitz.demo.scale_figures import Figure, Scale, around, counted, number, percent, small


def test_places_stay_on_the_scale() -> None:
    scale = Scale(-0.2, 1.0)
    assert scale.at(-0.2) == 0
    assert scale.at(1.0) == 100
    assert scale.at(0.4) == 50
    assert [scale.at(v) for v in (-9, 9, math.nan, math.inf)] == [0, 100, 0, 0]


@pytest.mark.parametrize("scale", [Scale(0, 1), Scale(-0.22, 1.02), Scale(-2, 3), Scale(0, 0.31)])
def test_ticks_are_few_round_and_in_order(scale: Scale) -> None:
    ticks = scale.ticks
    assert 2 <= len(ticks) <= 7
    assert [at for at, _ in ticks] == sorted(at for at, _ in ticks)
    assert all(0 <= at <= 100 for at, _ in ticks)
    assert "0\u00a0%" in [text for _, text in ticks]


def test_a_scale_holds_what_it_is_for() -> None:
    scale = around([-0.4, 1.3, math.nan])
    assert scale.low < -0.4
    assert scale.high > 1.3
    assert around([]).low < -0.1


def test_counts_give_intervals_and_the_unknown_none() -> None:
    found = counted(0.9, 50)
    assert found.low < 0.9 < found.high
    assert found.counted == "n = 50"
    assert counted(0.0, 10).low == 0
    for unknown in (counted(0.9, 0), counted(math.nan, 5)):
        assert not unknown.known
        assert unknown.interval == ""
        assert unknown.counted == ""


def test_numbers_are_written_for_people() -> None:
    assert percent(-0.001) == "0\u00a0%"
    assert percent(-0.126) == "−13\u00a0%"
    assert percent(math.nan) == "–"
    assert number(-0.004) == "0.00"
    assert number(-1234.5, 1) == "−1,234.5"
    assert small(1e-30) == "< 0.001"
    assert small(0.163) == "0.16"
    assert Figure(0.5, 0.4, 0.6).interval == "[40, 60]"
