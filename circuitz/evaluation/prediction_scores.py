"""How often predictions are right: in all, by group, and off the shortcut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from circuitz.errors import InputsError
from circuitz.stats.counted_shares import Share, share_with_wilson_interval

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class WorstGroup:
    """The group with the lowest accuracy.

    Parameters
    ----------
    share
        Its accuracy. The lowest of many groups lies below a typical one by chance alone; the
        interval is that of the group by itself.
    group, cell
        Which class, on which ground.
    groups, smallest
        How many groups were compared, and how many inputs the smallest holds.
    """

    share: Share
    group: str
    cell: str
    groups: int
    smallest: int


def accuracy(predicted: Labels, labels: Labels) -> Share:
    """Share of predictions that are right."""
    _check_same_length(predicted, labels)
    return share_with_wilson_interval(int((predicted == labels).sum()), len(labels))


def accuracy_by_group(
    predicted: Labels,
    labels: Labels,
    cells: Labels,
    classes: Sequence[str],
    cell_names: Sequence[str],
) -> pd.DataFrame:
    """Return accuracy over class × cell, one row a group that occurs.

    Parameters
    ----------
    predicted, labels
        ``(n,)`` indices into ``classes``.
    cells
        ``(n,)`` indices into ``cell_names`` (the grounds).

    Returns
    -------
    ``class``, ``cell``, ``accuracy`` with its 95 % Wilson interval ``low`` and ``high``, and the
    counts ``right`` and ``n``.
    """
    _check_same_length(predicted, labels)
    _check_same_length(cells, labels)
    rows: list[dict[str, object]] = []
    for k, name in enumerate(classes):
        for c, cell in enumerate(cell_names):
            here = (labels == k) & (cells == c)
            if here.any():
                share = share_with_wilson_interval(
                    int((predicted[here] == k).sum()), int(here.sum())
                )
                rows.append(
                    {
                        "class": name,
                        "cell": cell,
                        "accuracy": share.value,
                        "low": share.low,
                        "high": share.high,
                        "right": share.right,
                        "n": share.n,
                    }
                )
    columns = ["class", "cell", "accuracy", "low", "high", "right", "n"]
    return pd.DataFrame(rows, columns=columns)


def worst_group(
    predicted: Labels,
    labels: Labels,
    cells: Labels,
    classes: Sequence[str],
    cell_names: Sequence[str],
) -> WorstGroup:
    """Return the group of class × cell with the lowest accuracy.

    Raises
    ------
    InputsError
        If there are no inputs at all.
    """
    table = accuracy_by_group(predicted, labels, cells, classes, cell_names)
    if table.empty:
        raise InputsError("There are no inputs to score.", "Give at least one labelled input.")
    # Among equals the largest group: its interval says most.
    row = table.sort_values(["accuracy", "n"], ascending=[True, False]).to_dict("records")[0]
    share = share_with_wilson_interval(int(row["right"]), int(row["n"]))
    return WorstGroup(
        share, str(row["class"]), str(row["cell"]), len(table), min(int(n) for n in table["n"])
    )


def accuracy_off_shortcut(
    predicted: Labels, labels: Labels, cells: Labels, label: int, shortcut: int
) -> Share:
    """Accuracy on inputs of one class that lack its shortcut (huskies off snow)."""
    _check_same_length(predicted, labels)
    _check_same_length(cells, labels)
    here = (labels == label) & (cells != shortcut)
    return share_with_wilson_interval(int((predicted[here] == label).sum()), int(here.sum()))


def overall_worst_and_off_shortcut_accuracy(
    predicted: Labels,
    labels: Labels,
    cells: Labels,
    classes: Sequence[str],
    cell_names: Sequence[str],
    *,
    shortcut_class: str,
    shortcut_cell: str,
) -> dict[str, float]:
    """Return the three figures of a set without the shortcut.

    Returns
    -------
    dict
        ``accuracy``, ``worst_group`` and ``off_shortcut``.

    Raises
    ------
    InputsError
        If the class or the cell of the shortcut is not among the names.
    """
    if shortcut_class not in classes or shortcut_cell not in cell_names:
        raise InputsError(
            f"{shortcut_class!r} on {shortcut_cell!r} does not occur.",
            f"Classes are {', '.join(classes)}; cells are {', '.join(cell_names)}.",
        )
    k, c = list(classes).index(shortcut_class), list(cell_names).index(shortcut_cell)
    return {
        "accuracy": accuracy(predicted, labels).value,
        "worst_group": worst_group(predicted, labels, cells, classes, cell_names).share.value,
        "off_shortcut": accuracy_off_shortcut(predicted, labels, cells, k, c).value,
    }


def _check_same_length(one: Labels, other: Labels) -> None:
    if np.shape(one) != np.shape(other) or np.ndim(one) != 1:
        raise InputsError(
            f"Predictions {np.shape(one)} and labels {np.shape(other)} do not fit.",
            "Give one of each for every input.",
        )
