"""What a unit responds to beyond its main word: words chosen one after another, then confirmed.

Forward selection by the share of variance that a word adds (Efroymson 1960), on one sample; on another
each must add variance again, with the same sign, beyond chance.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

F64 = npt.NDArray[np.float64]

#: Share of a unit's variance that a word must add, where it is chosen and where it is confirmed.
LEAST_GAIN = 0.02
#: Fewer labelled rows choose and confirm nothing.
FEWEST_ROWS = 60


@dataclass(frozen=True)
class FurtherWord:
    """One word that adds to what others say.

    Parameters
    ----------
    column
        Of the labels.
    sign
        1 where the unit responds more with it, all else alike; -1 for less.
    p
        Of the slope on the sample that confirms, two-sided, all other words of the unit in it.
    """

    column: int
    sign: int
    p: float


def choose_further_words(
    chosen_on: tuple[F64, F64],
    confirmed_on: tuple[F64, F64],
    main: Sequence[int],
    most: int,
    banned: Collection[int] = (),
) -> list[FurtherWord]:
    """Choose words that a unit's response needs beside its main ones, the weightiest first.

    Parameters
    ----------
    chosen_on, confirmed_on
        Responses ``(n,)`` of the unit and labels ``(n, c)`` in 0..1, NaN where not known, on two
        samples.
    main
        Columns that the unit is said to be.
    most
        Further words at most.
    banned
        Columns that may not be chosen.
    """
    chosen: list[tuple[int, int]] = []
    taken = list(main)
    allowed = [c for c in range(chosen_on[1].shape[1]) if c not in {*main, *banned}]
    while len(chosen) < most and allowed:
        gains, signs, _ = _gains_of_words(*chosen_on, taken, allowed)
        best = int(gains.argmax())
        if gains[best] < LEAST_GAIN:
            break
        column = allowed.pop(best)
        taken.append(column)
        chosen.append((column, int(signs[best])))
    found: list[FurtherWord] = []
    for column, sign in chosen:
        others = [*main, *(word.column for word in found)]
        gains, signs, p = _gains_of_words(*confirmed_on, others, [column])
        if gains[0] >= LEAST_GAIN and signs[0] == sign:
            found.append(FurtherWord(column, sign, float(p[0])))
    return found


def _gains_of_words(
    responses: F64, labels: F64, others: Sequence[int], columns: Sequence[int]
) -> tuple[F64, F64, F64]:
    """Return for each column the share of variance it adds to others, its slope's sign, and p."""
    gains, signs, p = np.zeros(len(columns)), np.zeros(len(columns)), np.ones(len(columns))
    known = np.isfinite(labels)
    base = known[:, list(others)].all(1)
    patterns, group = np.unique(known[:, list(columns)], axis=1, return_inverse=True)
    for i, pattern in enumerate(patterns.T):
        rows, at = base & pattern, np.flatnonzero(group.ravel() == i).tolist()
        n, y = int(rows.sum()), responses[rows]
        free = n - len(others) - 2
        if n < FEWEST_ROWS or free < 1 or y.var() <= 0:
            continue
        words = labels[rows][:, [columns[j] for j in at]]
        before = np.column_stack([np.ones(n), labels[rows][:, list(others)]])
        fitted = np.linalg.lstsq(before, np.column_stack([y, words]), rcond=None)[0]
        rest, *own = (np.column_stack([y, words]) - before @ fitted).T
        own = np.array(own)
        size = (own**2).sum(1)
        tells = size > 1e-6 * n  # else the others say it already
        slope = np.divide(own @ rest, size, out=np.zeros(len(at)), where=tells)
        left = ((rest - slope[:, None] * own) ** 2).sum(1)
        error = np.sqrt(left / free / np.where(tells, size, 1.0))
        score = np.divide(np.abs(slope), error, out=np.full(len(at), np.inf), where=error > 0)
        gains[at] = slope**2 * size / n / y.var()
        signs[at] = np.sign(slope)
        p[at] = np.where(tells, 2 * student.sf(score, free), 1.0)
    return gains, signs, p
