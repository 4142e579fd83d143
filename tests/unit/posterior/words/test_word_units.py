from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from circuitz.posterior.words.word_units import (
    WordUnits,
    fit_word_probe,
    labels_of_word,
    make_word_units,
)
from circuitz.z.inputs import InputSet
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements, Measurements

N = 400


def measured(responses: np.ndarray, drive: Any) -> Measurements:
    u = responses.shape[1]
    none = np.zeros((0, u, 2), np.float32)
    effects = EffectMeasurements(
        units=tuple(f"conv:{i}" for i in range(u)), targets=("b", "a"),
        scale=np.ones(2, np.float32), sufficiency=none, necessity=none,
        split=np.zeros(0, np.uint8), scene=np.zeros(0, np.int64), source=np.zeros(0, np.int64),
        drive=np.asarray(drive, np.float32), span=np.ones(u, np.float32),
    )  # fmt: skip
    layer = LayerMeasurements(
        "conv", responses.astype(np.float32), responses.astype(np.float32),
        np.full((u, 9), -1, np.int64), np.zeros((u, 9, 4), np.int16),
        np.zeros((u, 9, 2, 2), np.uint8), np.zeros((u, 4), np.int64), np.zeros((u, 5), np.float32),
    )  # fmt: skip
    return Measurements({"conv": layer}, effects)


def concept_set(shows: np.ndarray, name: str = "snow") -> InputSet:
    return InputSet(
        np.zeros((len(shows), 2, 2, 3), np.uint8), concepts=shows[:, None].astype(np.float32),
        concept_names=(name,), split=(np.arange(len(shows)) % 3).astype(np.uint8), role="concepts",
    )  # fmt: skip


@pytest.fixture
def world() -> tuple[np.ndarray, np.ndarray]:
    """Unit 0 sees snow; unit 1 is noise; unit 2 never changes."""
    rng = np.random.default_rng(0)
    shows = rng.random(N) < 0.3
    responses = np.column_stack(
        [shows + rng.normal(0, 0.1, N), rng.normal(0, 1, N), np.full(N, 7.0)]
    )
    return responses, shows


def make(world: tuple[np.ndarray, np.ndarray], drive: Any, *units: int) -> WordUnits:
    responses, shows = world
    names = [f"conv:{u}" for u in units]
    return make_word_units(
        "snow", names, measured(responses, drive), concept_set(shows), ("a", "b")
    )


def test_units_are_active_where_they_are_clearly_on_and_silent_where_they_are_off(world) -> None:
    responses, shows = world
    found = make(world, [[0, 0.5], [0, 0], [0, 0]], 0)
    active, silent = found.active_mask(responses), found.silent_mask(responses)
    assert active.mean() == pytest.approx(0.15, abs=0.05)
    assert silent.mean() == pytest.approx(0.50, abs=0.07)
    assert shows[active].all()
    assert not shows[silent].any()
    assert not (active & silent).any()
    leaning = found.leaning_mask(responses)
    assert (active <= leaning).all()
    assert not (leaning & silent).any()


def test_what_drives_more_weighs_more_and_dead_units_nothing(world) -> None:
    responses, shows = world
    # The columns of the drive are the classes b and a, those of the word's units a and b.
    found = make(world, [[0.0, 0.5], [0.0, 0.01], [0.3, 0.3]], 0, 1, 2)
    assert found.units == ("conv:0", "conv:1", "conv:2")
    assert len(found.columns) == 2
    assert found.drive[0] == pytest.approx([0.5, 0.0])
    assert list(found.classes_driven) == [True, False]
    assert shows[found.active_mask(responses)].all()
    noisy = make(world, [[0.0, 0.01], [0.0, 0.5], [0, 0]], 0, 1)
    assert shows[noisy.active_mask(responses)].mean() < 0.6, "the noise drives, and is what counts"
    contributed = found.contributions(responses)
    assert contributed[shows, 0].mean() > 5 * contributed[~shows, 0].mean()
    assert contributed[:, 1].max() < 1e-9
    dead = make(world, np.zeros((3, 2)), 2)
    assert not dead.active_mask(responses).any()


def test_a_rare_word_is_active_on_fewer() -> None:
    rng = np.random.default_rng(1)
    shows = rng.random(N) < 0.04
    world = (np.column_stack([shows + rng.normal(0, 0.1, N)]), shows)
    found = make(world, [[0.5, 0.5]], 0)
    active = found.active_mask(world[0])
    assert active.mean() < 0.08
    assert shows[active].mean() > 0.8


def test_a_probe_expects_the_word_where_its_labels_are(world) -> None:
    responses, shows = world
    found = make(world, [[0, 0.5], [0, 0], [0, 0]], 1)
    expected = fit_word_probe(found, concept_set(shows), responses)(responses)
    assert ((expected >= 0.5) == shows).mean() > 0.95
    few = concept_set(np.where(np.arange(N) < 6, shows, np.nan))
    unlabelled = make_word_units(
        "snow", ["conv:0"], measured(responses, np.ones((3, 2))), few, ("a",)
    )
    assert not fit_word_probe(unlabelled, few, responses)(responses).any()


def test_labels_that_contradict_each_other_are_no_labels() -> None:
    labels = np.array([[1, 1], [0, 0], [1, 0], [np.nan, 1], [np.nan, np.nan]], np.float32)
    both = InputSet(
        np.zeros((5, 2, 2, 3), np.uint8), concepts=labels, concept_names=("snow", "ears"),
        role="concepts",
    )  # fmt: skip
    assert np.array_equal(labels_of_word(both, "snow"), labels[:, 0], equal_nan=True)
    assert np.isnan(labels_of_word(both, "tail")).all()
