from __future__ import annotations

import numpy as np
import pytest

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.make_card import empty_card
from circuitz.errors import LabellingError
from circuitz.posterior.likelihood import log_likelihood
from circuitz.z.measurements import EffectMeasurements

CLASSES = ("a", "b", "c")
UNITS = ("l:0", "l:1", "l:2", "l:3")


def effects(drive: np.ndarray | None = None) -> EffectMeasurements:
    drive = np.vstack([np.eye(3), np.zeros(3)]) if drive is None else drive
    none = np.zeros((0, 4, 3), np.float32)
    return EffectMeasurements(
        UNITS, CLASSES, np.full(3, 4, np.float32), none, none, np.zeros(0, np.uint8),
        np.zeros(0, np.int64), np.zeros(0, np.int64), drive.astype(np.float32),
        np.full(4, 2, np.float32),
    )  # fmt: skip


def card(which: dict[str, tuple[str, ...]]) -> Card:
    return Card(
        tuple(
            ClassEntry(c, tuple(Cue(u, (u,), (u,), 0.5) for u in which.get(c, ()))) for c in CLASSES
        )
    )


FULL = card({"a": ("l:0",), "b": ("l:1",), "c": ("l:2",)})


def world(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=n)
    responses = 0.2 * rng.normal(size=(n, 4))
    responses[np.arange(n), labels] += 2
    return responses, labels


def test_a_card_that_tells_beats_one_that_does_not() -> None:
    responses, labels = world()
    good = log_likelihood(FULL, responses, UNITS, labels, effects())
    half = log_likelihood(card({"a": ("l:0",)}), responses, UNITS, labels, effects())
    none = log_likelihood(empty_card(CLASSES), responses, UNITS, labels, effects())
    assert good.accuracy > 0.99
    assert good.total > half.total > none.total
    assert none.per_input == pytest.approx(np.log(1 / 3))
    assert none.accuracy == pytest.approx(1 / 3)
    assert (good.per_input <= 0).all()
    assert good.total == pytest.approx(good.per_input.sum())
    assert good.mean == pytest.approx(good.per_input.mean())


def test_only_units_on_the_card_of_a_class_count() -> None:
    responses, labels = world()
    cross = card({"a": ("l:1",), "b": ("l:2",), "c": ("l:0",)})
    none = log_likelihood(cross, responses, UNITS, labels, effects())
    assert none.mean == pytest.approx(np.log(1 / 3))


def test_words_do_not_matter_only_units_do() -> None:
    responses, labels = world()
    renamed = Card(
        tuple(
            ClassEntry(e.name, tuple(Cue("snow", ("snow",), c.units, c.strength) for c in e.cues))
            for e in FULL.classes
        )
    )
    first = log_likelihood(FULL, responses, UNITS, labels, effects())
    assert log_likelihood(renamed, responses, UNITS, labels, effects()).total == first.total


def test_formula_by_hand() -> None:
    responses = np.array([[2.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 1.0, 9.0]])
    found = log_likelihood(FULL, responses, UNITS, [0, 1, 2], effects())
    mean = responses.mean(0)
    activity = np.clip((responses - mean) / 2, -1, 1)[:, :3]
    raised = np.exp(activity * 4 / found.temperature)
    p = 0.98 * raised / raised.sum(1, keepdims=True) + 0.02 / 3
    assert found.per_input == pytest.approx(np.log(np.diag(p)))


def test_a_lapse_bounds_the_loss_of_one_input() -> None:
    responses, labels = world()
    labels[:3] = (labels[:3] + 1) % 3
    found = log_likelihood(FULL, responses, UNITS, labels, effects())
    assert found.per_input.min() >= np.log(0.02 / 3) - 1e-9


def test_temperature_is_fitted_on_select_rows_alone() -> None:
    responses, labels = world()
    select = np.arange(300) < 150
    first = log_likelihood(FULL, responses, UNITS, labels, effects(), select=select)
    labels[150:] = (labels[150:] + 1) % 3
    second = log_likelihood(FULL, responses, UNITS, labels, effects(), select=select)
    assert first.temperature == second.temperature
    assert (first.per_input[:150] == second.per_input[:150]).all()


def test_dead_and_unknown_effects_are_neutral() -> None:
    responses, labels = world()
    measured = effects(np.vstack([np.eye(3), np.full(3, np.nan)]))
    measured.span[1] = 0.0
    which = card({"a": ("l:0", "l:3"), "b": ("l:1",), "c": ("l:2",)})
    found = log_likelihood(which, responses, UNITS, labels, measured)
    assert np.isfinite(found.per_input).all()


@pytest.mark.parametrize("what", ["nan", "labels", "shape", "unit", "lapse", "select", "none"])
def test_bad_input_is_named(what: str) -> None:
    responses, labels = world(10)
    units: tuple[str, ...] = UNITS
    extra: dict[str, object] = {}
    if what == "nan":
        responses[0, 0] = np.nan
    elif what == "labels":
        labels[0] = 3
    elif what == "shape":
        responses = responses[:5]
    elif what == "unit":
        units = ("l:9", *UNITS[1:])
    elif what == "lapse":
        extra["lapse"] = 0.0
    elif what == "select":
        extra["select"] = np.zeros(10, bool)
    else:
        responses, labels = responses[:0], labels[:0]
    with pytest.raises(LabellingError):
        log_likelihood(FULL, responses, units, labels, effects(), **extra)
