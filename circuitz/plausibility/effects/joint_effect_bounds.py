"""A joint effect and the tests of it against a bound, with what summing may miss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuitz.stats.clustered import (
    ClusteredMean,
    clusters_needed_to_decide,
    p_value_mean_above_bound,
    p_value_mean_below_bound,
    p_value_mean_within_bounds,
    power,
)
from circuitz.z.effect import Effect


@dataclass(frozen=True, eq=False)
class JointEffect:
    """Joint effect of some units on one class.

    Parameters
    ----------
    effect
        As reported; interval and p-value allow for the gap.
    mean
        The clustered mean itself, without the gap.
    """

    effect: Effect
    mean: ClusteredMean

    def p_beyond(self, bound: float) -> float:
        """One-sided p-value of "at most ``bound``"."""
        return float(p_value_mean_above_bound(self.mean, bound + self.effect.gap))

    def p_below(self, bound: float) -> float:
        """One-sided p-value of "at least ``bound``"."""
        return float(p_value_mean_below_bound(self.mean, bound - self.effect.gap))

    def p_within_margin(self, bound: float) -> float:
        """P-value of "``bound`` or more away from 0": small means equivalent to none."""
        room = bound - self.effect.gap
        return float(p_value_mean_within_bounds(self.mean, -room, room)) if room > 0 else 1.0

    def power(self, true: float, bound: float, alpha: float) -> float:
        """Probability of finding it beyond ``bound`` if it truly were ``true``."""
        return float(power(self.mean, true, bound + self.effect.gap, alpha))

    def scenes_needed(self, bound: float, alpha: float) -> int | None:
        """Scenes that would tell it from ``bound``; ``None`` when no number can be given."""
        side = np.sign(self.mean.mean - bound)
        wanted = float(
            clusters_needed_to_decide(self.mean, bound + side * self.effect.gap, alpha=alpha)
        )
        return int(wanted) if 0 < wanted < 1e6 else None


@dataclass(frozen=True)
class Cell:
    """An effect on the sources of one class, in one kind of surroundings where those are labelled.

    Parameters
    ----------
    source
        The class, and the surroundings: ``corgi``, ``corgi with grass``.
    estimate, n
        Mean effect, and images.
    p
        P-value of "at most the margin", by Bonferroni over cells.
    """

    source: str
    estimate: float
    n: int
    p: float
