from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import InputsError
from circuitz.evaluation.prediction_scores import (
    accuracy,
    accuracy_by_group,
    accuracy_off_shortcut,
    overall_worst_and_off_shortcut_accuracy,
    worst_group,
)
from circuitz.stats.counted_shares import share_with_wilson_interval

CLASSES, CELLS = ("husky", "corgi"), ("snow", "grass")
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1])
GROUND = np.array([0, 0, 1, 1, 0, 0, 1, 1])
PREDICTED = np.array([0, 0, 1, 0, 0, 1, 1, 1])


def test_wilson_matches_published_values() -> None:
    # Newcombe 1998, table I: 81 of 263 and 0 of 20.
    share = share_with_wilson_interval(81, 263)
    assert (round(share.low, 4), round(share.high, 4)) == (0.2553, 0.3662)
    none = share_with_wilson_interval(0, 20)
    assert (none.low, round(none.high, 4)) == (0.0, 0.1611)
    assert share_with_wilson_interval(5, 5).high == 1.0
    assert np.isnan(share_with_wilson_interval(0, 0).value)
    assert "n = 263" in str(share)
    with pytest.raises(InputsError):
        share_with_wilson_interval(3, 2)


def test_groups() -> None:
    table = accuracy_by_group(PREDICTED, LABELS, GROUND, CLASSES, CELLS)
    assert table["n"].tolist() == [2, 2, 2, 2]
    assert table["accuracy"].tolist() == [1.0, 0.5, 0.5, 1.0]
    worst = worst_group(PREDICTED, LABELS, GROUND, CLASSES, CELLS)
    assert worst.share.value == 0.5
    assert (worst.groups, worst.smallest) == (4, 2)
    assert worst.share.low < 0.5 < worst.share.high
    assert accuracy(PREDICTED, LABELS).value == 0.75
    assert accuracy_off_shortcut(PREDICTED, LABELS, GROUND, 0, 0).value == 0.5


def test_groups_that_do_not_occur_are_left_out() -> None:
    table = accuracy_by_group(PREDICTED[:2], LABELS[:2], GROUND[:2], CLASSES, CELLS)
    assert len(table) == 1


def test_summary() -> None:
    found = overall_worst_and_off_shortcut_accuracy(
        PREDICTED, LABELS, GROUND, CLASSES, CELLS, shortcut_class="husky", shortcut_cell="snow"
    )
    assert found == {"accuracy": 0.75, "worst_group": 0.5, "off_shortcut": 0.5}
    with pytest.raises(InputsError, match="does not occur"):
        overall_worst_and_off_shortcut_accuracy(
            PREDICTED, LABELS, GROUND, CLASSES, CELLS, shortcut_class="cat", shortcut_cell="snow"
        )


def test_shapes_must_fit() -> None:
    with pytest.raises(InputsError):
        accuracy(PREDICTED[:3], LABELS)
    with pytest.raises(InputsError):
        worst_group(PREDICTED[:0], LABELS[:0], GROUND[:0], CLASSES, CELLS)
