from __future__ import annotations

import numpy as np
import pytest

from circuitz.stats.edge_bootstrap import (
    bootstrap_edge_shares,
    jaccard_overlap_of_edges,
    mark_strongest_edges,
    mask_of_moving_targets,
)


def made(n=40, noise=0.05, seed=0):
    draw = np.random.default_rng(seed)
    known = np.array([[0.7, 0.0], [0.3, 0.1], [0.0, 0.9]])
    whole = draw.uniform(1, 3, (n, 2)).astype(np.float32)
    change = known * whole[:, None] + draw.normal(0, noise, (n, 3, 2))
    return known, change.astype(np.float32), whole


def test_shares_and_their_intervals_hold_the_truth():
    known, change, whole = made()
    found = bootstrap_edge_shares(change, whole, np.arange(40))
    assert np.abs(found.estimate - known).max() < 0.03
    assert (found.low <= known + 0.02).all()
    assert (found.high >= known - 0.02).all()
    assert found.detected.tolist() == (known >= 0.05).tolist()


def test_a_target_that_does_not_move_has_no_share():
    _, change, whole = made()
    whole[:, 1] = np.where(np.arange(40) % 2, 1, -1)
    found = bootstrap_edge_shares(change, whole, np.arange(40))
    assert np.isnan(found.estimate[:, 1]).all()
    assert np.isnan(found.low[:, 1]).all()
    assert not found.detected[:, 1].any()
    assert mask_of_moving_targets(whole, np.arange(40), 0.95).tolist() == [True, False]
    assert not mask_of_moving_targets(np.zeros((5, 1), np.float32), np.arange(5), 0.95).any()


def test_clear_edges_are_found_again_and_noise_is_not():
    _, change, whole = made()
    assert bootstrap_edge_shares(change, whole, np.arange(40)).stability == 1
    draw = np.random.default_rng(1)
    noise = draw.normal(0, 1, (20, 30, 4)).astype(np.float32)
    nothing = bootstrap_edge_shares(noise, np.ones((20, 4), np.float32), np.arange(20), count=6)
    assert nothing.stability < 0.8
    assert nothing.recurrence.sum() == pytest.approx(6)


def test_images_of_one_scene_count_once():
    _, change, whole = made(noise=0.5)
    alone = bootstrap_edge_shares(change, whole, np.arange(40))
    together = bootstrap_edge_shares(
        change[:1].repeat(40, 0), whole[:1].repeat(40, 0), np.zeros(40, int)
    )
    assert not together.detected.any()  # one scene: nothing is known of the spread
    assert np.isnan(together.estimate).all()
    assert not np.isnan(alone.estimate).any()


def test_the_same_arguments_give_the_same_numbers():
    _, change, whole = made(noise=0.5)
    a, b = (bootstrap_edge_shares(change, whole, np.arange(40), seed=3) for _ in range(2))
    assert np.array_equal(a.low, b.low)
    assert a.stability == b.stability


def test_strongest_and_overlap():
    values = np.array([[0.1, -0.5], [np.nan, 0.0]])
    assert mark_strongest_edges(values, 1).tolist() == [[False, True], [False, False]]
    assert (
        mark_strongest_edges(values, 9).sum() == 2
    )  # nothing and what is not known are never among them
    none = np.zeros((2, 2), bool)
    assert np.isnan(jaccard_overlap_of_edges(none, none))
    assert (
        jaccard_overlap_of_edges(mark_strongest_edges(values, 1), mark_strongest_edges(values, 2))
        == 0.5
    )
