from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from circuitz.errors import InputsError
from circuitz.stats.unit_concept_match import (
    MINIMUM_IMAGES,
    match_units_with_concepts,
    nauprc_values_per_image,
)


def sample(n: int = 300, u: int = 7, c: int = 5, seed: int = 0):
    rng = np.random.default_rng(seed)
    y = (rng.random((n, c)) < rng.uniform(0.1, 0.6, c)).astype(np.float32)
    x = rng.normal(size=(n, u)).astype(np.float32)
    x[:, 0] += 2 * y[:, 0]
    x[:, 1] -= 1 * y[:, 1]
    return x, y


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("unknown", [0.0, 0.2])
def test_scores_equal_sklearn_and_corrcoef(ties: bool, unknown: float) -> None:
    x, y = sample()
    if ties:
        x = np.round(np.maximum(x, 0.3), 1)
    rng = np.random.default_rng(1)
    y[rng.random(y.shape) < unknown] = np.nan
    match = match_units_with_concepts(x, y)
    for u in range(x.shape[1]):
        for c in range(y.shape[1]):
            known = ~np.isnan(y[:, c])
            label, response = y[known, c], x[known, u].astype(np.float64)
            ap = average_precision_score(label, response)
            base = label.mean()
            assert match.ap[u, c] == pytest.approx(ap, abs=1e-6)
            assert match.base[c] == pytest.approx(base, abs=1e-6)
            assert match.nauprc[u, c] == pytest.approx((ap - base) / (1 - base), abs=1e-6)
            assert match.pearson[u, c] == pytest.approx(
                np.corrcoef(response, label)[0, 1], abs=1e-6
            )
            assert match.n_pos[c] == label.sum()
            assert match.n[c] == known.sum()
            value = np.nanmean(nauprc_values_per_image(response, label))
            assert value == pytest.approx(match.nauprc[u, c], abs=1e-6)


def test_rows_choose_images_by_mask_or_index() -> None:
    x, y = sample()
    mask = np.arange(len(x)) % 3 == 0
    by_mask, by_index = (
        match_units_with_concepts(x, y, mask),
        match_units_with_concepts(x, y, np.flatnonzero(mask)),
    )
    plain = match_units_with_concepts(x[mask], y[mask])
    np.testing.assert_array_equal(by_mask.ap, plain.ap)
    np.testing.assert_array_equal(by_index.p, plain.p)


def test_perfect_unit_scores_one_and_reversed_unit_below_zero() -> None:
    label = np.repeat([1.0, 0.0], [40, 160])
    match = match_units_with_concepts(np.stack([label, -label], 1), label[:, None])
    assert match.nauprc[0, 0] == pytest.approx(1)
    assert match.nauprc[1, 0] == pytest.approx(0)
    assert match.pearson[:, 0] == pytest.approx([1, -1])
    assert match.p[0, 0] < 1e-6
    assert match.p[1, 0] > 0.999


def test_unusable_concepts_are_nan_with_a_reason() -> None:
    x, _ = sample(n=60)
    y = np.zeros((60, 5), np.float32)
    y[:, 1] = 1
    y[:, 2] = np.nan
    y[:3, 3] = 1
    y[:20, 4] = 1
    match = match_units_with_concepts(x, y)
    assert np.isnan(match.nauprc[:, :3]).all()
    assert np.isnan(match.pearson[:, :3]).all()
    assert np.isnan(match.p[:, :4]).all()
    assert np.isfinite(match.p[:, 4]).all()
    assert "none of 60" in match.reasons[0]
    assert "all 60" in match.reasons[1]
    assert "no image is labelled" in match.reasons[2]
    assert str(MINIMUM_IMAGES) in match.reasons[3]
    assert match.reasons[4] == ""


def test_dead_and_broken_units() -> None:
    x, y = sample()
    x[:, 2] = 0.1
    x[5, 3] = np.inf
    match = match_units_with_concepts(x, y)
    assert match.nauprc[2] == pytest.approx(np.zeros(5), abs=1e-7)
    assert np.isnan(match.pearson[2]).all()
    assert (match.p[2] == 1).all()
    assert np.isnan(match.nauprc[3]).all()
    assert np.isnan(match.p[3]).all()
    assert np.isnan(nauprc_values_per_image(x[:, 3], y[:, 0])).all()


def test_empty_inputs() -> None:
    match = match_units_with_concepts(np.zeros((0, 3)), np.zeros((0, 2)))
    assert match.ap.shape == (3, 2)
    assert np.isnan(match.ap).all()
    assert match_units_with_concepts(np.zeros((10, 0)), np.zeros((10, 2))).ap.shape == (0, 2)
    assert match_units_with_concepts(np.zeros((10, 2)), np.zeros((10, 0))).ap.shape == (2, 0)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros((4, 2)), np.zeros((5, 2))),
        (np.zeros(4), np.zeros((4, 2))),
        (np.zeros((4, 2)), np.full((4, 1), 0.5)),
        (np.zeros((4, 2)), np.full((4, 1), -1.0)),
    ],
)
def test_malformed_inputs_are_named(x: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(InputsError):
        match_units_with_concepts(x, y)


def test_purity_is_one_for_a_single_concept_and_shared_between_two() -> None:
    y = np.zeros((400, 3))
    y[:100, 0] = y[100:200, 1] = y[200:300, 2] = 1
    both = y[:, 0] + y[:, 1] + 1e-3 * np.random.default_rng(0).random(400)
    match = match_units_with_concepts(np.stack([y[:, 0], both], 1), y)
    assert match.purity[0, 0] == pytest.approx(1, abs=0.01)
    assert match.purity[1, 0] == pytest.approx(0.5, abs=0.15)
    assert match.purity[1, :2].sum() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("clustered", [False, True])
def test_p_values_keep_their_level_when_nothing_is_related(clustered: bool) -> None:
    rng = np.random.default_rng(3)
    scene = np.repeat(np.arange(100), 3) if clustered else np.arange(300)
    x = rng.exponential(size=(300, 150))
    y = (rng.random((300, 30)) < 0.25).astype(float)
    if clustered:
        # Images of one scene share nearly everything: only 100 of them are independent.
        x, y = x[scene * 3] + 0.01 * x, y[scene * 3]
    p = match_units_with_concepts(x, y, scene=scene).p
    # Products of two skewed variables make the score test a little cautious, never bold.
    assert 0.015 < np.mean(p <= 0.05) < 0.06
    assert np.mean(p <= 0.5) == pytest.approx(0.5, abs=0.06)
    if clustered:
        assert np.mean(match_units_with_concepts(x, y).p <= 0.05) > 0.1


def test_p_values_with_unknown_labels_equal_those_of_the_known_rows() -> None:
    x, y = sample()
    scene = np.random.default_rng(0).integers(0, 120, len(x))
    y[::4, 2] = np.nan
    whole = match_units_with_concepts(x, y, scene=scene)
    known = np.arange(len(x)) % 4 != 0
    part = match_units_with_concepts(x[known], y[known], scene=scene[known])
    np.testing.assert_allclose(whole.p[:, 2], part.p[:, 2], rtol=1e-9)
    np.testing.assert_allclose(whole.pearson[:, 2], part.pearson[:, 2], rtol=1e-9)
    np.testing.assert_allclose(whole.ap[:, 2], part.ap[:, 2], rtol=1e-9)


def test_influence_values_give_the_sampling_error_of_a_paired_difference() -> None:
    rng = np.random.default_rng(7)

    def draw(n: int = 300):
        a = (rng.random(n) < 0.3).astype(float)
        b = np.where(rng.random(n) < 0.3, a, rng.random(n) < 0.3).astype(float)
        return a + 0.8 * rng.normal(size=n), a, b

    found, stated = [], []
    for _ in range(300):
        x, a, b = draw()
        values = nauprc_values_per_image(x, a) - nauprc_values_per_image(x, b)
        found.append(values.mean())
        stated.append(values.std() / np.sqrt(len(values)))
    assert np.mean(stated) == pytest.approx(np.std(found), rel=0.12)


def test_influence_is_the_effect_of_adding_an_image() -> None:
    x, y = sample(n=2000)
    values = nauprc_values_per_image(x[:, 0], y[:, 0])
    score = values.mean()
    for i in (0, 7, 500, 1999):
        again = 20
        heavier = np.mean(
            nauprc_values_per_image(
                np.append(x[:, 0], [x[i, 0]] * again), np.append(y[:, 0], [y[i, 0]] * again)
            )
        )
        expected = (values[i] - score) * again / (len(x) + again)
        assert heavier - score == pytest.approx(expected, abs=5e-4)


def test_a_large_response_without_a_label_costs_no_digits() -> None:
    response = np.zeros((40, 1))
    response[2], response[39] = 0.7, 812729.0
    label = np.full((40, 1), np.nan)
    label[:6, 0] = [1, 1, 0, 1, 0, 1]
    expected = np.corrcoef(response[:6, 0], label[:6, 0])[0, 1]
    assert match_units_with_concepts(response, label).pearson[0, 0] == pytest.approx(
        expected, abs=1e-12
    )
