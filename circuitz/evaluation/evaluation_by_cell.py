"""How often a network is right, by class and by what else the pictures show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from circuitz.errors import InputsError
from circuitz.stats.counted_shares import Share, share_with_wilson_interval

I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
COLUMNS = ("class", "group", "present", "accuracy", "low", "high", "right", "n")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of one network on one set with known truth.

    Parameters
    ----------
    overall
        Share of right answers; of all answers, where each class has its own.
    classes
        One row a class: accuracy, low, high, right, n.
    cells
        One row a class, group column and value of it that occurs: how often pictures of the
        class are right with it and without it.
    others
        The same columns for all *other* classes together; where each class has its own answer,
        for that answer on pictures that do not show the class.
    remarks
        What was left out, in sentences.
    """

    overall: Share
    classes: pd.DataFrame
    cells: pd.DataFrame
    others: pd.DataFrame
    remarks: tuple[str, ...] = ()

    @property
    def worst_cell(self) -> dict[str, Any] | None:
        """The cell with the lowest accuracy; the largest among equals. None without groups."""
        if self.cells.empty:
            return None
        ordered = self.cells.sort_values(["accuracy", "n"], ascending=[True, False])
        return _plain_row_values(ordered.to_dict("records")[0])

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "accuracy": share_json(self.overall),
            "worst": self.worst_cell,
            "classes": [_plain_row_values(r) for r in self.classes.to_dict("records")],
            "cells": [_plain_row_values(r) for r in self.cells.to_dict("records")],
            "others": [_plain_row_values(r) for r in self.others.to_dict("records")],
            "remarks": list(self.remarks),
        }


def score_by_class_and_group(
    right: Bool,
    members: Bool,
    classes: Sequence[str],
    groups: npt.NDArray[np.float32],
    group_names: Sequence[str],
) -> Evaluation:
    """Score answers by class, and by class and group.

    Parameters
    ----------
    right
        ``(n,)``: whether the answer is right; ``(n, k)`` where each class has its own answer.
    members
        ``(n, k)``: whether the picture is counted under the class.
    classes, group_names
        Names of the columns of ``members`` and of ``groups``.
    groups
        ``(n, g)`` of 0, 1 or NaN; a picture of unknown group is in none of its cells.

    Raises
    ------
    InputsError
        If there is nothing to score.
    """
    if not len(right):
        raise InputsError("There are no pictures to score.", "Give at least one.")
    answers = right if right.ndim == 2 else np.repeat(right[:, None], len(classes), 1)
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for k, name in enumerate(classes):
        mine = members[:, k]
        if not mine.any():
            continue
        rows.append({"class": name, **_accuracy_columns(answers[mine, k])})
        # With one answer a class the others are those that do not show it, and their answer to it.
        rest = np.zeros_like(members)
        if right.ndim == 2:
            rest[:, k] = ~mine
        else:
            rest |= members
            rest[:, k] = False
        for g, group in enumerate(group_names):
            for present in (True, False):
                here = groups[:, g] == float(present)
                key = {"class": name, "group": group, "present": present}
                if (mine & here).any():
                    cells.append({**key, **_accuracy_columns(answers[mine & here, k])})
                if (rest & here[:, None]).any():
                    others.append({**key, **_accuracy_columns(answers[rest & here[:, None]])})
    plain = [c for c in COLUMNS if c not in ("group", "present")]
    return Evaluation(
        _share_of_right(right),
        pd.DataFrame(rows, columns=plain),
        pd.DataFrame(cells, columns=list(COLUMNS)),
        pd.DataFrame(others, columns=list(COLUMNS)),
    )


def _share_of_right(right: Bool) -> Share:
    return share_with_wilson_interval(int(right.sum()), int(right.size))


def _accuracy_columns(right: Bool) -> dict[str, Any]:
    share = _share_of_right(right)
    return {
        "accuracy": share.value,
        "low": share.low,
        "high": share.high,
        "right": share.right,
        "n": share.n,
    }


def share_json(share: Share) -> dict[str, Any]:
    """Return a share as JSON values."""
    return {
        "value": share.value, "low": share.low, "high": share.high,
        "right": share.right, "n": share.n,
    }  # fmt: skip


def _plain_row_values(row: dict[Any, Any]) -> dict[str, Any]:
    """Return a row of a table with plain Python values."""
    return {str(k): v.item() if isinstance(v, np.generic) else v for k, v in row.items()}
