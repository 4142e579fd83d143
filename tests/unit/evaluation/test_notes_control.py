from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from circuitz.errors import LabellingError
from circuitz.evaluation.evaluation_sets import EXCLUSIVE, InputsWithTruth
from circuitz.evaluation.interview import simulate_perceptions
from circuitz.evaluation.notes_control import choose_rows_balanced_by_class, notes_card
from circuitz.evaluation.simulated_rater import SimulatedRater


def test_examples_are_balanced() -> None:
    labels = np.array([0] * 50 + [1] * 50 + [2] * 5)
    rows = choose_rows_balanced_by_class(labels, 60, 0)
    assert len(set(rows.tolist())) == 60
    counts = np.bincount(labels[rows])
    assert counts[2] == 5
    assert abs(int(counts[0]) - int(counts[1])) <= 1
    assert (choose_rows_balanced_by_class(labels, 60, 0) == rows).all()
    with pytest.raises(LabellingError):
        choose_rows_balanced_by_class(labels, 200, 0)


def test_notes_from_d_call_the_husky_a_snow_dog(make_known: Callable[..., InputsWithTruth]) -> None:
    known = make_known("D", 40)
    rows = choose_rows_balanced_by_class(known.truth.labels, 60, 0)
    seen = simulate_perceptions(
        SimulatedRater(seed=0, exclusive=EXCLUSIVE), known, rows, [str(r) for r in rows]
    )
    labels = [known.truth.classes[known.truth.labels[i]] for i in rows]
    card = notes_card(labels, seen, known.truth.classes, subject="dog")
    first = card.entry_of_class("husky").cues[0]
    assert first.words == "snow"
    assert first.strength > 0
    assert first.strength_grade == "very strong"
    against = [c for e in card.classes[1:] for c in e.cues if c.words == "snow"]
    assert all(c.strength < 0 for c in against)
    assert any(c.words == "curled tail" for c in card.entry_of_class("husky").cues)


def test_log_odds_by_hand() -> None:
    seen = [{"x": True}, {"x": True}, {"x": False}, {}]
    card = notes_card(["a", "a", "b", "b"], seen, ("a", "b", "c"))
    want = np.log(2.5 / 0.5) - np.log(0.5 / 1.5)
    assert card.entry_of_class("a").cues[0].strength == pytest.approx(0.1 * want, abs=1e-4)
    assert card.entry_of_class("b").cues[0].strength == pytest.approx(-0.1 * want, abs=1e-4)
    assert card.entry_of_class("c").cues == ()
    with pytest.raises(LabellingError):
        notes_card(["a"], [], ("a",))
