"""By how much a rival concept fits a unit better than the words on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circuitz.plausibility.check_settings import CheckSettings
from circuitz.stats.clustered import (
    ClusteredMean,
    confidence_interval,
    p_value_mean_above_bound,
    p_value_mean_below_bound,
    power,
)


@dataclass(frozen=True)
class RivalMargin:
    """By how much the rival's score exceeds the best named one, paired image by image.

    Parameters
    ----------
    mean
        The lead as a clustered mean.
    bound
        What it must exceed to count.
    low, high
        Its interval.
    p_above, p_below
        One-sided p-values of "at most the bound" and "at least the bound".
    power
        Probability of finding a lead of twice the bound.
    """

    mean: ClusteredMean
    bound: float
    low: float
    high: float
    p_above: float
    p_below: float
    power: float


def compute_rival_margins(
    means: Sequence[ClusteredMean | None], named: Sequence[bool], settings: CheckSettings
) -> list[RivalMargin | None]:
    """Test all leads at once; where no concept is named, the bound is the bar of a match."""
    known = [i for i, mean in enumerate(means) if mean is not None]
    if not known:
        return [None] * len(means)
    some = [mean for mean in means if mean is not None]
    bound = np.array([settings.delta if named[i] else settings.match_bar for i in known])
    arrays = ClusteredMean(
        *(
            np.array([getattr(m, name) for m in some])
            for name in ("mean", "se", "df", "n", "clusters")
        )
    )
    # The tests take one bound for all, so the bound is moved to 0.
    moved = ClusteredMean(arrays.mean - bound, arrays.se, arrays.df, arrays.n, arrays.clusters)
    above, below = p_value_mean_above_bound(moved, 0.0), p_value_mean_below_bound(moved, 0.0)
    # Power for a lead of twice the bound, which moved is once the bound.
    strength = power(moved, bound, 0.0, settings.q)  # pyright: ignore[reportArgumentType]
    low, high = confidence_interval(arrays, settings.level)
    found: list[RivalMargin | None] = [None] * len(means)
    for j, i in enumerate(known):
        figures = (bound, low, high, above, below, strength)
        found[i] = RivalMargin(some[j], *(float(values[j]) for values in figures))
    return found
