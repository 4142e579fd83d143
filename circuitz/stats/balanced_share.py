"""A share counted in each group by itself and averaged: groups of any size weigh alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm


@dataclass(frozen=True)
class BalancedShare:
    """The mean over groups of the share that is right in each.

    Parameters
    ----------
    value
        NaN when every group is empty.
    low, high
        Its interval.
    groups
        Groups that hold anything.
    """

    value: float
    low: float
    high: float
    groups: int

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%})"


def balanced_share(right: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> BalancedShare:
    """Return the mean of the shares of groups, with its interval.

    Each group's variance is that at Agresti and Coull's (1998) estimate of its share, which adds
    z²/2 successes and failures, so that a group without a mistake does not count as certain.

    Parameters
    ----------
    right, n
        ``(groups,)`` right answers, and all answers; empty groups are left out.
    """
    hits, all_ = np.asarray(right, float), np.asarray(n, float)
    hits, all_ = hits[all_ > 0], all_[all_ > 0]
    if not len(all_):
        return BalancedShare(float("nan"), 0.0, 1.0, 0)
    z = float(norm.ppf(0.5 + level / 2))
    near = (hits + z * z / 2) / (all_ + z * z)
    spread = z * float(np.sqrt((near * (1 - near) / all_).sum())) / len(all_)
    value = float((hits / all_).mean())
    return BalancedShare(value, max(0.0, value - spread), min(1.0, value + spread), len(all_))
