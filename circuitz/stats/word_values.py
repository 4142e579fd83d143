"""What a unit puts out when its words are taken at their word: from labels of words to responses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

F64 = npt.NDArray[np.float64]

#: Fewer labelled pictures tell nothing about a unit.
FEWEST_ROWS = 8
# As one picture's worth of no difference.
_RIDGE = 1.0


@dataclass(frozen=True, eq=False)
class ResponseFromWords:
    """A unit's response as a function of its words, ``intercept + slopes · t``.

    Parameters
    ----------
    intercept, slopes
        In units of the response; one slope a word.
    expected, quantiles
        ``(q,)`` values of that function on the pictures it was fitted to, and the mean of those
        responses that have the same ranks. ``None`` for one yes-or-no word, whose two values are
        conditional means already.
    """

    intercept: float
    slopes: F64
    expected: F64 | None = None
    quantiles: F64 | None = None

    def predict(self, values: npt.ArrayLike) -> F64:
        """Return responses ``(n,)`` for values of the words ``(n, w)`` in 0..1."""
        line = self.intercept + np.asarray(values, np.float64) @ self.slopes
        if self.expected is None or self.quantiles is None:
            return line
        return np.interp(line, self.expected, self.quantiles)


def fit_response_from_words(
    responses: npt.ArrayLike, labels: npt.ArrayLike, signs: Sequence[int] | None = None
) -> ResponseFromWords | None:
    """Fit a unit's responses to labels of its words.

    One yes-or-no word gives two conditional means. Several words, or graded ones, give a ridge
    regression, whose values are mapped to the responses of the same rank: a regression draws
    towards the mean, and a network downstream answers to what units really put out.

    Parameters
    ----------
    responses
        ``(n,)`` of one unit.
    labels
        ``(n, w)`` in 0..1, NaN where not known; rows with NaN are left out.
    signs
        Of each word: 1 where the unit is said to respond more with it, -1 for less, 0 where
        nothing is said of that. A slope that would have the other sign is 0.

    Returns
    -------
    ResponseFromWords or None
        ``None`` where fewer than 8 rows are known.
    """
    y, t = np.asarray(responses, np.float64), np.asarray(labels, np.float64)
    there = ~np.isnan(t).any(1)
    y, t = y[there], t[there]
    if len(y) < FEWEST_ROWS:
        return None
    if t.shape[1] == 1 and np.isin(t, (0.0, 1.0)).all():
        shows = t[:, 0] == 1
        if shows.all() or not shows.any():
            return ResponseFromWords(float(y.mean()), np.zeros(1))
        off, on = float(y[~shows].mean()), float(y[shows].mean())
        if signs is not None and (on - off) * signs[0] < 0:
            return ResponseFromWords(float(y.mean()), np.zeros(1))
        return ResponseFromWords(off, np.array([on - off]))
    centre = t.mean(0)
    moved = t - centre
    gram = moved.T @ moved + _RIDGE * np.eye(t.shape[1])
    slopes = np.linalg.solve(gram, moved.T @ (y - y.mean()))
    if signs is not None and (slopes * np.asarray(signs) < 0).any():
        slopes = _slopes_of_these_signs(moved, y - y.mean(), np.asarray(signs))
    intercept = float(y.mean() - centre @ slopes)
    line = intercept + t @ slopes
    # Values that are alike but for rounding share their ranks.
    expected, group = np.unique(line.round(9), return_inverse=True)
    ends = np.cumsum(np.bincount(group))
    ranked = np.sort(y)
    quantiles = np.array([part.mean() for part in np.split(ranked, ends[:-1])])
    return ResponseFromWords(intercept, slopes, expected, quantiles)


def _slopes_of_these_signs(moved: F64, y: F64, signs: npt.NDArray[np.int_]) -> F64:
    """Return the ridge regression's slopes, none of another sign than it is said to have."""
    # A slope of any sign is the difference of two that are not negative; ridge draws one to nothing.
    twice = [moved[:, signs >= 0], -moved[:, signs <= 0]]
    both = np.concatenate(twice, axis=1)
    root = np.linalg.cholesky(both.T @ both + _RIDGE * np.eye(both.shape[1]))
    size, _ = nnls(root.T, np.linalg.solve(root, both.T @ y))
    slopes = np.zeros(len(signs))
    more = int((signs >= 0).sum())
    slopes[signs >= 0] += size[:more]
    slopes[signs <= 0] -= size[more:]
    return slopes
