"""Shares of a count, with their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import norm

from circuitz.errors import InputsError


@dataclass(frozen=True)
class Share:
    """A share of ``n`` with its Wilson interval.

    Parameters
    ----------
    value
        Right answers over all answers; NaN when there are none.
    low, high
        95 % Wilson score interval (Wilson 1927).
    right, n
        Right answers, and all.
    """

    value: float
    low: float
    high: float
    right: int
    n: int

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%}, n = {self.n})"


def share_with_wilson_interval(right: int, n: int, level: float = 0.95) -> Share:
    """Return a share with its Wilson score interval.

    Raises
    ------
    InputsError
        If there are more right answers than answers.
    """
    if not 0 <= right <= n:
        raise InputsError(f"{right} of {n} cannot be right.", "Count again.")
    if n == 0:
        return Share(float("nan"), 0.0, 1.0, 0, 0)
    low, high = wilson_interval(right / n, n, level)
    # At 0 and n the bound is exact; rounding must not push it past the value.
    return Share(right / n, 0.0 if right == 0 else low, 1.0 if right == n else high, right, n)


def wilson_interval(share: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share of ``n``, which need not be whole."""
    z = float(norm.ppf(0.5 + level / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
