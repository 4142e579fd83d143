"""Runs a network on D and counts its right answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError
from circuitz.models.run.open_runtime import runtime
from circuitz.stats.balanced_share import BalancedShare, balanced_share
from circuitz.stats.counted_shares import share_with_wilson_interval
from circuitz.z.data_accuracy import ACCURACY_NOTE, DataAccuracy, accuracy_note
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel

I64 = npt.NDArray[np.int64]
_COUNTED = 400


def sample_rows_to_check(rows: I64, most: int = 2000, seed: int = 0) -> I64:
    """Return rows to try a network on: all, or so many of them at random."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng([seed, 17]).choice(rows, most, replace=False))


def accuracy_on_data(z: AnnotatedModel, rows: I64 | None = None) -> DataAccuracy:
    """Run the network on D and count right answers.

    Parameters
    ----------
    z
        A model with D and labels, whose network can be run.
    rows
        ``(n,)`` rows of D; all by default.

    Raises
    ------
    InputsError
        If D is not at hand or has no labels, or has classes that z has not.
    """
    if z.data is None or z.data.labels is None:
        raise InputsError(
            "D is not at hand." if z.data is None else "D has no labels.",
            "Attach it: z = z.with_(data=data).",
        )
    rows = np.arange(len(z.data)) if rows is None else rows
    members = _class_members(z.data, z.classes)[rows]
    logits = runtime(z).logits(z.data.images[rows])
    if z.head == "multi-label":
        # A yes or no for every class, each counted.
        right = (logits > 0) == members
        guess = float(np.maximum(members.mean(0), 1 - members.mean(0)).mean())
        groups = np.concatenate([members, ~members], 1)
        balanced, chance = _balanced(np.concatenate([right, right], 1), groups), 0.5
    else:
        right = logits.argmax(1) == members.argmax(1)
        guess = float(members.mean(0).max())
        balanced = _balanced(np.repeat(right[:, None], members.shape[1], 1), members)
        chance = 1 / max(balanced.groups, 1)
    share = share_with_wilson_interval(int(right.sum()), int(right.size))
    return DataAccuracy(share, guess, balanced, chance)


def with_accuracy(z: AnnotatedModel, rows: I64 | None = None) -> AnnotatedModel:
    """Return a z whose ``accuracy`` is counted; as it is where it is known, or D has no labels.

    Parameters
    ----------
    z
        A model whose network can be run.
    rows
        ``(n,)`` rows of D; by default four hundred at random.
    """
    if z.data is None or z.data.labels is None or not len(z.data):
        return z
    if rows is None:
        if z.accuracy is not None:
            return z
        rows = sample_rows_to_check(np.arange(len(z.data)), _COUNTED)
    found = accuracy_on_data(z, rows)
    return z.with_(notes={**z.notes, ACCURACY_NOTE: accuracy_note(found, z)})


def _balanced(right: npt.NDArray[np.bool_], groups: npt.NDArray[np.bool_]) -> BalancedShare:
    """Return the balanced share of ``(n, groups)`` answers, each row being of some groups."""
    return balanced_share((right & groups).sum(0), groups.sum(0))


def _class_members(data: InputSet, classes: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Return which of z's classes each row of D shows, ``(n, k)``; a class may be in none."""
    assert data.labels is not None
    unknown = [name for name in data.classes if name not in classes]
    if unknown:
        raise InputsError(
            f"D has class {unknown[0]!r}, which the model does not have.",
            f"The model's classes are {', '.join(classes[:12])}.",
        )
    columns = [classes.index(name) for name in data.classes] or list(range(len(classes)))
    if data.labels.ndim == 1 and len(data.labels) and int(data.labels.max()) >= len(columns):
        raise InputsError(
            f"A label of D is {int(data.labels.max())}; there are {len(columns)} classes.",
            "Count classes from 0, in the order of the logits.",
        )
    members = np.zeros((len(data), len(classes)), bool)
    if data.labels.ndim == 2:
        members[:, columns] = data.labels == 1
    else:
        members[np.arange(len(data)), np.array(columns)[data.labels]] = True
    return members
