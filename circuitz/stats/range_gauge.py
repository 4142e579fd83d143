"""Whether activity on some inputs lies outside what a reference set shows: order statistics.

Of ``n`` reference values, outside is what lies beyond the j-th smallest or the j-th largest. For
inputs that are like the reference, the share that lies outside follows a beta distribution whatever
the values' own distribution (David and Nagaraja, Order Statistics, 2003, section 2.5), and the count
of ``m`` a beta-binomial one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from scipy.stats import betabinom

F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

#: Fewer reference inputs, or inputs of a class, decide nothing.
FEWEST_REFERENCE, FEWEST_INPUTS = 60, 30
#: Share of the reference that may lie outside on either side.
TAIL = 0.005
#: A gauge from which it is asked.
LEAST_GAUGE = 0.15
#: By how much it must exceed units that nobody said a word of, or else the other classes.
EXCESS_OVER_SILENT, EXCESS_OVER_CLASSES = 0.10, 0.20
_QUANTILE = 0.999
_NEIGHBOURS = 5


@dataclass(frozen=True, eq=False)
class ReferenceRange:
    """What the reference shows of every unit.

    Parameters
    ----------
    low, high
        ``(u,)`` the j-th smallest and j-th largest response.
    n, order
        Reference inputs, and j.
    """

    low: F64
    high: F64
    n: int
    order: int

    def outside(self, responses: npt.ArrayLike) -> Bool:
        """Return which responses lie outside, ``(m, u)``; a value on the bound lies inside."""
        values = np.asarray(responses, np.float64)
        return (values < self.low) | (values > self.high)

    def count_by_chance(self, inputs: int, tests: int = 1) -> int:
        """Return how many of some inputs lie outside of one unit's range by chance, at most.

        The .999 quantile of the beta-binomial distribution, Bonferroni over ``tests``.
        """
        level = 1 - (1 - _QUANTILE) / max(tests, 1)
        return int(betabinom.ppf(level, inputs, 2 * self.order, self.n + 1 - 2 * self.order))


def reference_range(responses: npt.ArrayLike) -> ReferenceRange:
    """Return the range of reference responses ``(n, u)``, ``n`` at least 3."""
    values = np.sort(np.asarray(responses, np.float64), axis=0)
    n = len(values)
    order = max(1, round(TAIL * (n + 1)))
    return ReferenceRange(values[order - 1], values[n - order], n, order)


@dataclass(frozen=True, eq=False)
class GaugeOfClass:
    """How far the units that drive a class leave the reference's range on inputs of the class.

    Parameters
    ----------
    gauge
        Mean over units of the share of inputs that lie outside, weighted by the size of their drive.
    contribution
        ``(u,)`` what each unit adds to the gauge.
    top, count, by_chance
        Unit that adds most, its count of inputs outside, and how many are outside by chance.
    silent
        Median share of inputs outside, over units that nobody said a word of; NaN without any.
    others
        Median gauge of the other classes; NaN without any.
    inputs
        Inputs of the class.
    """

    gauge: float
    contribution: F64
    top: int
    count: int
    by_chance: int
    silent: float
    others: float
    inputs: int

    @property
    def asks(self) -> bool:
        """Whether somebody should look: beyond a floor, beyond chance, and beyond its peers.

        Where all inputs are of another kind than the reference, units leave their range whatever
        they are, and on inputs of all classes. So the gauge must exceed units that nobody said a
        word of, or the gauges of the other classes: what a class alone shows may move all units.
        """
        beyond_silent = self.gauge >= self.silent + EXCESS_OVER_SILENT
        beyond_classes = self.gauge >= self.others + EXCESS_OVER_CLASSES
        no_peers = bool(np.isnan(self.silent) and np.isnan(self.others))
        return (
            self.gauge >= LEAST_GAUGE
            and self.count > self.by_chance
            and (beyond_silent or beyond_classes or no_peers)
        )


def gauge_classes(
    reference: ReferenceRange,
    responses: npt.ArrayLike,
    shows: npt.ArrayLike,
    drive: npt.ArrayLike,
    silent: npt.ArrayLike,
) -> list[GaugeOfClass | None]:
    """Gauge the units of every class on its inputs.

    Parameters
    ----------
    reference
        Range of each unit.
    responses
        ``(m, u)`` on all inputs.
    shows
        ``(m, k)`` bool, which classes each input is of.
    drive
        ``(u, k)`` effect of each unit on each class; NaN counts as none.
    silent
        ``(u,)`` bool, units that nobody said a word of.

    Returns
    -------
    list of GaugeOfClass or None
        One entry a class, ``None`` where the reference has fewer than 60 inputs or the class fewer
        than 30, or nothing drives it.
    """
    outside, member = reference.outside(responses), np.asarray(shows, bool)
    size = np.abs(np.nan_to_num(np.asarray(drive, np.float64)))
    bare, classes = np.asarray(silent, bool), member.shape[1]
    share = np.full((classes, outside.shape[1]), np.nan)
    weight = np.zeros_like(share)
    for k in range(classes):
        enough = member[:, k].sum() >= FEWEST_INPUTS and reference.n >= FEWEST_REFERENCE
        if enough and size[:, k].sum() > 0:
            share[k] = outside[member[:, k]].mean(0)
            weight[k] = size[:, k] / size[:, k].sum()
    contribution = share * weight
    gauges = contribution.sum(1)
    found: list[GaugeOfClass | None] = []
    for k in range(classes):
        if np.isnan(gauges[k]):
            found.append(None)
            continue
        top, inputs = int(contribution[k].argmax()), int(member[:, k].sum())
        found.append(
            GaugeOfClass(
                gauge=float(gauges[k]),
                contribution=contribution[k],
                top=top,
                count=int(outside[member[:, k], top].sum()),
                by_chance=reference.count_by_chance(inputs, classes),
                silent=_median_or_nan(share[k, bare]),
                others=_median_or_nan(np.delete(gauges, k)),
                inputs=inputs,
            )
        )
    return found


def _median_or_nan(values: F64) -> float:
    there = values[~np.isnan(values)]
    return float(np.median(there)) if len(there) else float("nan")


def far_share(reference: npt.ArrayLike, others: npt.ArrayLike) -> float:
    """Return the share of inputs that lie farther from the reference than it does from itself.

    Distance is the mean to the 5 nearest reference inputs, for a reference input the others; far is
    beyond the 99.5 % quantile of the reference's own distances.

    Parameters
    ----------
    reference, others
        ``(n, u)`` and ``(m, u)``, scaled so that distances mean something.
    """
    base, asked = np.asarray(reference, np.float64), np.asarray(others, np.float64)
    tree = KDTree(base)
    count = min(_NEIGHBOURS, len(base) - 1)
    # The nearest to a reference input is itself.
    own = np.asarray(tree.query(base, k=count + 1)[0])[:, 1:].mean(1)
    far = np.asarray(tree.query(asked, k=count)[0]).mean(1)
    return float((far > np.quantile(own, 1 - TAIL)).mean())
