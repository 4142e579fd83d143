from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.errors import LabellingError
from circuitz.labelling.tasks.questions import choose_questions


def test_equally_many_of_each_predicted_class_and_a_share_of_unsure_ones() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3000, 6)) * 3
    found = choose_questions(logits, 200, seed=3)
    counts = np.bincount(logits[found.rows].argmax(1), minlength=6)
    assert counts.min() >= 33
    assert counts.max() <= 34
    assert found.uncertain.mean() == pytest.approx(0.25, abs=0.03)
    gap = np.diff(np.sort(logits, 1)[:, -2:], axis=1)[:, 0]
    assert gap[found.rows[found.uncertain]].mean() < gap.mean() / 4
    assert set(found.unasked_rows().tolist()) == set(range(3000)) - set(found.rows.tolist())
    again = choose_questions(logits, 200, seed=3)
    assert (again.rows == found.rows).all()
    assert set(choose_questions(logits, 200, seed=4).rows.tolist()) != set(found.rows.tolist())
    assert found.to_json()["seed"] == 3


@settings(max_examples=50, deadline=None)
@given(
    n=st.integers(1, 60),
    k=st.integers(2, 5),
    wanted=st.integers(1, 80),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_as_many_as_asked_none_twice(n: int, k: int, wanted: int, share: float, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(size=(n, k)) * np.array([5.0, *[1.0] * (k - 1)])
    found = choose_questions(logits, wanted, seed=seed, uncertain=share)
    assert len(found) == min(n, wanted) == len(set(found.rows.tolist()))
    assert len(found.unasked_rows()) == n - len(found)


@pytest.mark.parametrize(
    ("logits", "extra"),
    [
        (np.zeros((0, 3)), {}),
        (np.zeros((4, 1)), {}),
        (np.full((4, 3), np.nan), {}),
        (np.zeros((4, 3)), {"n": 0}),
        (np.zeros((4, 3)), {"uncertain": 2.0}),
    ],
)
def test_bad_input_is_named(logits: np.ndarray, extra: dict[str, float]) -> None:
    with pytest.raises(LabellingError):
        choose_questions(logits, **extra)  # pyright: ignore[reportArgumentType]
