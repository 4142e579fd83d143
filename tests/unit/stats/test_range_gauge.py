"""The range gauge's statistics: exact by chance, and beyond floor, chance and peers where it asks."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.stats.range_gauge import far_share, gauge_classes, reference_range


def test_outside_is_beyond_the_jth_smallest_or_largest() -> None:
    ranges = reference_range(np.arange(100.0)[:, None])
    assert (ranges.n, ranges.order, ranges.low[0], ranges.high[0]) == (100, 1, 0, 99)
    assert ranges.outside([[-0.5], [0.0], [99.0], [99.5]])[:, 0].tolist() == [1, 0, 0, 1]
    ranges = reference_range(np.arange(599.0)[:, None])
    assert (ranges.order, ranges.low[0], ranges.high[0]) == (3, 2, 596)


@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_inputs_like_the_reference_exceed_the_count_as_rarely_as_it_says(draw: str) -> None:
    rng = np.random.default_rng(0)
    sample = getattr(rng, draw)
    exceeded = 0
    for _ in range(3000):
        ranges = reference_range(sample(size=(200, 1)))
        outside = ranges.outside(sample(size=(60, 1))).sum()
        exceeded += outside > ranges.count_by_chance(60)
    # The quantile is .999: 3 of 3,000 are expected at most.
    assert exceeded <= 9


def test_more_tests_need_more_inputs_outside() -> None:
    ranges = reference_range(np.random.default_rng(1).normal(size=(300, 1)))
    assert ranges.count_by_chance(200, 100) > ranges.count_by_chance(200)


def classes(shift: float, *, unit: int = 0, of: tuple[int, ...] = (0,), bare: bool = True):
    rng = np.random.default_rng(2)
    reference = reference_range(rng.normal(size=(300, 4)))
    shows = np.repeat(np.eye(3, dtype=bool), 50, axis=0)
    values = rng.normal(size=(150, 4))
    for k in of:
        values[shows[:, k], unit] += shift
    drive = np.array([[0.8, 0.1, 0.2], [0.1, -0.9, 0.1], [0.1, 0.0, 0.7], [0.0, 0.0, 0.0]])
    silent = np.array([False, False, False, bare])
    return gauge_classes(reference, values, shows, drive, silent)


def test_a_class_whose_drivers_leave_the_range_is_asked_about() -> None:
    husky, beagle, corgi = classes(8)
    assert [husky.asks, beagle.asks, corgi.asks] == [True, False, False]
    assert husky.gauge == pytest.approx(0.8, abs=0.03)
    assert (husky.top, husky.count, husky.inputs) == (0, 50, 50)


def test_nothing_is_asked_of_inputs_like_the_reference() -> None:
    assert not any(found.asks for found in classes(0) if found is not None)


def test_a_unit_that_drives_little_adds_little() -> None:
    husky, *_ = classes(8, unit=1)
    assert husky.gauge < 0.15
    assert not husky.asks


def test_where_all_units_leave_it_on_all_classes_nothing_is_asked() -> None:
    rng = np.random.default_rng(3)
    reference = reference_range(rng.normal(size=(300, 4)))
    shows = np.repeat(np.eye(3, dtype=bool), 50, axis=0)
    drive, silent = np.eye(4, 3) + 0.1, np.array([False, False, False, True])
    elsewhere = gauge_classes(reference, rng.normal(size=(150, 4)) + 8, shows, drive, silent)
    assert [f.gauge for f in elsewhere] == pytest.approx([1, 1, 1])
    assert [f.asks for f in elsewhere] == [False] * 3


def test_what_one_class_shows_is_asked_about_though_it_moves_units_without_words() -> None:
    rng = np.random.default_rng(3)
    reference = reference_range(rng.normal(size=(300, 4)))
    shows = np.repeat(np.eye(3, dtype=bool), 50, axis=0)
    drive, silent = np.eye(4, 3) + 0.1, np.array([False, False, False, True])
    values = rng.normal(size=(150, 4)) + 8 * shows[:, :1]
    husky, beagle, corgi = gauge_classes(reference, values, shows, drive, silent)
    assert husky.silent == 1
    assert [husky.asks, beagle.asks, corgi.asks] == [True, False, False]


def test_too_few_inputs_are_untested() -> None:
    rng = np.random.default_rng(4)
    shows, drive, silent = np.ones((29, 1), bool), np.ones((2, 1)), np.zeros(2, bool)
    few = reference_range(rng.normal(size=(59, 2)))
    enough = reference_range(rng.normal(size=(60, 2)))
    values = rng.normal(size=(40, 2))
    assert gauge_classes(enough, values[:29], shows, drive, silent) == [None]
    assert gauge_classes(few, values, np.ones((40, 1), bool), drive, silent) == [None]
    assert gauge_classes(enough, values, np.ones((40, 1), bool), 0 * drive, silent) == [None]
    assert gauge_classes(enough, values, np.ones((40, 1), bool), drive, silent)[0] is not None


def test_far_is_what_lies_between_clusters_too() -> None:
    rng = np.random.default_rng(5)
    centre = np.where(rng.random((400, 1)) < 0.5, -10, 10)
    reference = rng.normal(size=(400, 2)) + centre
    like = rng.normal(size=(100, 2)) + np.where(rng.random((100, 1)) < 0.5, -10, 10)
    between = rng.normal(size=(100, 2)) * 0.1
    assert far_share(reference, like) < 0.05
    # No unit is outside its range there; all of them together are.
    assert not reference_range(reference).outside(between).any()
    assert far_share(reference, between) == 1
