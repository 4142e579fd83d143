from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.posterior.words.population_pictures import half_of_picture, rows_of_half
from circuitz.posterior.words.word_draws import draw_pictures
from circuitz.posterior.words.word_units import WordUnits


def bearer(word: str = "snow", drive: Any = ((0.5, 0.0, 0.01),)) -> WordUnits:
    """One unit, off at 0 and on at 1: silent up to .2, active from .8."""
    drives = np.array(drive, float)
    weight = np.abs(drives).max()
    return WordUnits(
        word, ("conv:0",), np.array([0]), np.zeros(1), np.ones(1), drives,
        0.2 * weight, 0.8 * weight, np.full(3, np.nan),
    )  # fmt: skip


def pictures(n: int, seed: int = 0) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    hashes = [f"{seed} {i}" for i in range(n)]
    return hashes, rng.random((n, 1)).astype(np.float32), rng.random(n), rng.integers(0, 3, n)


def test_half_are_active_a_quarter_silent_a_quarter_expected() -> None:
    hashes, responses, expected, predicted = pictures(2000)
    draws = draw_pictures(bearer(), hashes, responses, expected, predicted, most=60)
    assert Counter(d.stratum for d in draws) == {"active": 30, "silent": 15, "expected": 15}
    assert len({d.index for d in draws}) == 60, "every picture once"
    for d in draws:
        level = responses[d.index, 0]
        assert not 0.2 < level < 0.8, "in between, units say neither"
        assert d.units_say_yes == (level >= 0.8)
        assert d.stratum != "expected" or expected[d.index] >= 0.5
        # Of three classes the unit drives one.
        assert d.stratum != "active" or predicted[d.index] == 0
    # At every point the shares are about what they are meant to be.
    for n in (4, 12, 24):
        assert Counter(d.stratum for d in draws[:n])["active"] == n // 2


def test_active_pictures_come_in_proportion_to_what_the_units_contribute() -> None:
    # Two kinds of pictures, equally many; the units add three times as much on one.
    responses = np.tile([[1.0], [3.0]], (300, 1)).astype(np.float32)
    none = np.zeros(600)
    first: Counter[float] = Counter()
    for seed in range(300):
        hashes = [f"{i}" for i in range(600)]
        draws = draw_pictures(
            bearer(), hashes, responses, none, none.astype(int), most=1, seed=seed
        )
        first[float(responses[draws[0].index, 0])] += 1
    # 3/4, within four standard errors.
    assert first[3.0] / 300 == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 300))


def test_classes_that_the_units_drive_are_drawn_from_equally() -> None:
    hashes, responses, expected, _ = pictures(3000)
    predicted = np.repeat([0, 1, 2], [2400, 300, 300])
    drive = [[0.5, -0.3, 0.01]]
    draws = draw_pictures(bearer(drive=drive), hashes, responses, expected, predicted, most=60)
    classes = Counter(int(predicted[d.index]) for d in draws if d.stratum == "active")
    assert classes == {0: 15, 1: 15}
    # Units that drive nothing say their word all the same.
    idle = draw_pictures(
        bearer(drive=[[0.01, 0.0, 0.0]]), hashes, responses, expected, predicted, most=60
    )
    assert len({int(predicted[d.index]) for d in idle if d.stratum == "active"}) == 3


def test_z_that_are_active_on_the_same_pictures_ask_about_the_same_ones() -> None:
    hashes, responses, expected, predicted = pictures(800)
    noise = np.random.default_rng(5).normal(0, 0.01, responses.shape).astype(np.float32)
    one = draw_pictures(bearer(), hashes, responses, expected, predicted, most=40)
    other = draw_pictures(
        bearer(drive=[[0.7, 0, 0]]), hashes, responses + noise, expected, predicted, most=40
    )
    shared = {d.index for d in one} & {d.index for d in other}
    assert len(shared) >= 32, "of 40"
    words = draw_pictures(bearer("ears"), hashes, responses, expected, predicted, most=40)
    assert len({d.index for d in one} & {d.index for d in words}) < 32
    assert one == draw_pictures(bearer(), hashes, responses, expected, predicted, most=40)
    order = np.random.default_rng(1).permutation(800)
    shuffled = draw_pictures(
        bearer(), [hashes[i] for i in order], responses[order], expected[order], predicted[order],
        most=40,
    )  # fmt: skip
    assert [int(order[d.index]) for d in shuffled] == [d.index for d in one]


@settings(max_examples=60)
@given(st.integers(0, 40), st.integers(0, 10_000), st.floats(0, 1))
def test_small_sets_give_what_they_have(n: int, seed: int, scale: float) -> None:
    hashes, responses, expected, predicted = pictures(n, seed)
    responses *= scale
    word_units = bearer()
    draws = draw_pictures(word_units, hashes, responses, expected, predicted, most=60)
    assert len({d.index for d in draws}) == len(draws)
    active = word_units.active_mask(responses) if n else np.zeros(0, bool)
    leaning = word_units.leaning_mask(responses) if n else np.zeros(0, bool)
    driven = predicted == 0
    if not leaning.any():
        assert not draws, "where the units are active nowhere there is nothing to test"
    for d in draws:
        assert d.units_say_yes or not active[d.index]
        # What leans is asked after what is active: never while a clearly active one is left.
    leans = [k for k, d in enumerate(draws) if d.stratum == "active" and not active[d.index]]
    if leans and (active & driven).any():
        clear = {d.index for d in draws[: leans[0]]}
        assert set(np.flatnonzero(active & driven)) <= clear or not driven[leaning].any()


def test_halves_are_by_content_and_hold_every_picture_once() -> None:
    hashes = [f"picture {i % 300}" for i in range(400)]
    halves = {half: rows_of_half(hashes, half) for half in ("search", "audit")}
    assert sorted(np.concatenate([*halves.values()])) == list(range(300)), "copies count once"
    for half, rows in halves.items():
        assert all(half_of_picture(hashes[row]) == half for row in rows)
        # An even share, within four standard errors.
        assert len(rows) == pytest.approx(150, abs=4 * np.sqrt(75))
    some = rows_of_half(hashes, "search", frozenset(hashes[:100]), most=20)
    assert len(some) == 20
    assert some.min() >= 100
