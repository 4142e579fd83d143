"""How far raters agree: with each other, with themselves, and with what is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_RESAMPLES = 1000


@dataclass(frozen=True)
class IntervalEstimate:
    """A number with its 95 % interval.

    Parameters
    ----------
    estimate, low, high
        The number and its interval.
    n
        What it rests on.
    """

    estimate: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float | int]:
        """Return it by name."""
        return {"estimate": self.estimate, "low": self.low, "high": self.high, "n": self.n}


def right_share_with_interval(right: int, n: int) -> IntervalEstimate | None:
    """Return a share with its Wilson score interval; ``None`` of nothing."""
    if n == 0:
        return None
    z, p = 1.959964, right / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if right == 0 else centre - half
    high = 1.0 if right == n else centre + half
    return IntervalEstimate(round(p, 4), round(low, 4), round(high, 4), n)


def krippendorff_alpha(
    answers: Mapping[str, Sequence[str]], seed: int = 0
) -> IntervalEstimate | None:
    """Return Krippendorff's alpha for categories, with a bootstrap interval over items.

    1 is full agreement, 0 as much as by chance, below 0 less. It allows for missing answers and
    any number of raters (Krippendorff, Content Analysis, 2004, chapter 11).

    Parameters
    ----------
    answers
        Answers by item; items with a single answer do not count.
    seed
        Seed of the bootstrap.

    Returns
    -------
    Figure or None
        ``None`` when no item has two answers, or every answer is the same category: then there
        is nothing to agree about.
    """
    shared = [list(given) for given in answers.values() if len(given) > 1]
    names = sorted({name for given in shared for name in given})
    if len(names) < 2:
        return None
    index = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(shared), len(names)))
    for row, given in enumerate(shared):
        for name in given:
            counts[row, index[name]] += 1
    estimate = _krippendorff_alpha_of_counts(counts)
    if estimate is None:
        return None
    rng = np.random.default_rng([seed, 41])
    drawn = [
        found
        for _ in range(_RESAMPLES)
        if (
            found := _krippendorff_alpha_of_counts(
                counts[rng.integers(0, len(counts), len(counts))]
            )
        )
        is not None
    ]
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (estimate, estimate)
    return IntervalEstimate(
        round(estimate, 4),
        round(min(float(low), estimate), 4),
        round(max(float(high), estimate), 4),
        len(shared),
    )


def _krippendorff_alpha_of_counts(counts: npt.NDArray[np.float64]) -> float | None:
    each = counts.sum(1)
    total = float(each.sum())
    # Pairs of differing answers within an item, each item's pairs weighed by its number of raters.
    observed = float((((each**2 - (counts**2).sum(1)) / (each - 1)).sum()) / total)
    whole = counts.sum(0)
    expected = float((total**2 - (whole**2).sum()) / (total * (total - 1)))
    return None if expected <= 0 else 1 - observed / expected
