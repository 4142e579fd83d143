"""How far raters agree: with each other, with themselves, and with what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.stats.counted_shares import share_with_wilson_interval, wilson_interval

F64 = npt.NDArray[np.float64]
_RESAMPLES = 1000
_FEWEST_ITEMS = 3


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
    share = share_with_wilson_interval(right, n)
    return IntervalEstimate(round(share.value, 4), round(share.low, 4), round(share.high, 4), n)


def krippendorff_alpha(
    answers: Mapping[str, Sequence[str]], seed: int = 0
) -> IntervalEstimate | None:
    """Return Krippendorff's alpha for categories, with an interval over items.

    1 is full agreement, 0 as much as by chance, below 0 less. It allows for missing answers and
    any number of raters (Krippendorff, Content Analysis, 2004, chapter 11).

    The interval is the wider, on each side, of two: a bootstrap over items, and Wilson's interval
    of the share of disagreeing pairs set against what chance gives. The bootstrap alone draws the
    same few items again: where all of them agree it has no width at all. That both together hold
    the truth is tried on simulated studies (``tests/unit/stats/test_agreement.py``). Below 3 items
    nothing is known, and the interval is the whole range from -1 to 1.

    Parameters
    ----------
    answers
        Answers by item; items with a single answer do not count.
    seed
        Seed of the bootstrap.

    Returns
    -------
    IntervalEstimate or None
        ``None`` when no item has two answers, or every answer is the same category: then there
        is nothing to agree about.
    """
    shared = [sorted(given) for given in answers.values() if len(given) > 1]
    names = sorted({name for given in shared for name in given})
    if len(names) < 2:
        return None
    # Items answered alike are one pattern: there are few of them, however many items.
    patterns = Counter(tuple(given) for given in shared)
    index = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(patterns), len(names)))
    for row, given in enumerate(patterns):
        for name in given:
            counts[row, index[name]] += 1
    times = np.array(list(patterns.values()), np.float64)
    estimate, disagreement, by_chance = (
        float(a[0]) for a in _alpha_and_disagreements(counts, times[None])
    )
    n = len(shared)
    low, high = -1.0, 1.0
    if n >= _FEWEST_ITEMS:
        rng = np.random.default_rng([seed, 41])
        drawn = rng.multinomial(n, times / n, size=_RESAMPLES).astype(np.float64)
        resampled = _alpha_and_disagreements(counts, drawn)[0]
        resampled = resampled[np.isfinite(resampled)]
        ends = np.quantile(resampled, [0.025, 0.975]) if len(resampled) else (estimate, estimate)
        each = counts.sum(1)
        total = float(times @ each)
        least, most = wilson_interval(disagreement, total**2 / float(times @ each**2))
        # What chance gives is estimated without bias; of few answers it may as well be less.
        less = by_chance * (total - 1) / total
        low = max(-1.0, min(float(ends[0]), 1 - most / less, estimate))
        high = min(1.0, max(float(ends[1]), 1 - least / by_chance, estimate))
    return IntervalEstimate(round(estimate, 4), round(low, 4), round(high, 4), n)


def _alpha_and_disagreements(counts: F64, times: F64) -> tuple[F64, F64, F64]:
    """Alpha, and the share of differing pairs as observed and as chance would give, ``(m,)`` each.

    ``counts`` ``(p, k)`` are answers by pattern and category; ``times`` ``(m, p)`` says how often
    each pattern occurs. Alpha is NaN where all answers are of one category.
    """
    each = counts.sum(1)
    total = times @ each
    # Pairs of differing answers within an item, each item's pairs weighed by its number of raters.
    observed = (times @ ((each**2 - (counts**2).sum(1)) / (each - 1))) / total
    whole = times @ counts
    expected = (total**2 - (whole**2).sum(1)) / (total * (total - 1))
    alpha = 1 - np.divide(observed, expected, out=np.full_like(total, np.nan), where=expected > 0)
    return alpha, observed, expected
