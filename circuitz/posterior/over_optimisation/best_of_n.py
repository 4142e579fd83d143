"""How much is really gained when the best of n z's by J is taken, and where to stop.

A score that is fitted to judgements is a proxy: the harder it is optimised, the more of what is
gained is its own error. The distance from drawing one z at random is that of best-of-n sampling,

    d = sqrt(log n − 1 + (1 / n))

and the true gain follows d (α − β d) (Gao, Schulman and Hilton 2023); it is highest at α / 2β.
Expectations over all draws of n are exact (the estimator of Nakano and others 2021, appendix).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from circuitz.errors import PosteriorError

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
# Z's a mean must rest on before its height is believed.
_SURE = 8


@dataclass(frozen=True, eq=False)
class BestOfN:
    """What is expected of the z that J puts first among n, for growing n.

    Parameters
    ----------
    n
        ``(g,)`` int64, how many z's are drawn.
    distance
        ``(g,)`` d.
    proxy, gold
        ``(g,)`` expected J of the one taken, and expected independent score.
    effective
        ``(g,)`` how many z's these means rest on: 1 / Σ share².
    """

    n: I64
    distance: F64
    proxy: F64
    gold: F64
    effective: F64


@dataclass(frozen=True)
class OverOptimisation:
    """Gao's curve through a best-of-n curve, and where it says to stop.

    Parameters
    ----------
    alpha, beta
        Of gain = d (α − β d).
    stop
        How many z's to choose among at most: where the curve is highest; all, where it still rises.
    gold_at_stop, highest_gold
        The independent score at the stop, and the highest that rests on enough z's.
    rising
        Whether the curve still rises at its end: nothing is over-optimised yet.
    """

    alpha: float
    beta: float
    stop: int
    gold_at_stop: float
    highest_gold: float
    rising: bool


def best_of_n_distance(n: npt.ArrayLike) -> F64:
    """Return d of best-of-n sampling: square root of its divergence from one draw, nats.

    Parameters
    ----------
    n
        How many are drawn, 1 or more.
    """
    n = np.asarray(n, np.float64)
    return np.sqrt(np.clip(np.log(n) - 1 + 1 / n, 0.0, None))


def best_of_n(proxy: npt.ArrayLike, gold: npt.ArrayLike, *, points: int = 24) -> BestOfN:
    """Return what is expected of the best by J among n z's, n from 1 to all.

    Parameters
    ----------
    proxy
        ``(z,)`` J.
    gold
        ``(z,)`` an independent score of the same z's: judgements that J was not fitted to, or,
        where truth is known, the worst group's accuracy.
    points
        How many n.

    Raises
    ------
    PosteriorError
        If there are fewer than eight z's, shapes differ, or a number is not finite.
    """
    j, g = np.asarray(proxy, np.float64), np.asarray(gold, np.float64)
    if j.ndim != 1 or j.shape != g.shape or len(j) < 8 or not np.isfinite([j, g]).all():
        raise PosteriorError(
            f"J {j.shape} and an independent score {g.shape} make no curve.",
            "Give one finite number of both kinds a z, of eight z's or more.",
        )
    z = len(j)
    n = np.unique(np.geomspace(1, z, points).round().astype(np.int64))
    order = np.argsort(j, kind="stable")
    # The z of rank i (from 0) is the best of n draws without replacement in C(i, n − 1) of C(z, n).
    rank = np.arange(z)[None]
    with np.errstate(invalid="ignore"):
        log_share = _log_choose(rank, n[:, None] - 1) - _log_choose(z, n[:, None])
    share = np.where(rank >= n[:, None] - 1, np.exp(log_share), 0.0)
    effective = 1 / (share**2).sum(1)
    return BestOfN(n, best_of_n_distance(n), share @ j[order], share @ g[order], effective)


def fit_over_optimisation(curve: BestOfN) -> OverOptimisation:
    """Fit Gao's curve, and return where to stop.

    The stop is where the measured curve is highest, among n whose mean rests on eight z's or more:
    at the largest n it is one z's score, which is noisy. Gao's two numbers are fitted to the same
    points (least squares, weighed by what they rest on), to be held beside other searches'.

    Parameters
    ----------
    curve
        See :func:`best_of_n`.
    """
    sure = curve.effective >= _SURE
    gain = curve.gold - curve.gold[0]
    columns = np.stack([curve.distance, -(curve.distance**2)], 1)
    weight = np.sqrt(curve.effective)[sure]
    fit = np.linalg.lstsq(columns[sure] * weight[:, None], gain[sure] * weight, rcond=None)[0]
    last = int(np.flatnonzero(sure)[-1])
    at = int(np.where(sure, curve.gold, -np.inf).argmax())
    rising = at == last
    stop = len(curve.n) - 1 if rising else at
    return OverOptimisation(
        float(fit[0]), float(fit[1]), int(curve.n[stop]), float(curve.gold[stop]),
        float(curve.gold[sure].max()), rising,
    )  # fmt: skip


def _log_choose(n: npt.ArrayLike, k: npt.ArrayLike) -> F64:
    """Return log C(n, k); NaN or −∞ where it is none."""
    n, k = np.asarray(n, np.float64), np.asarray(k, np.float64)
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(np.where(n >= k, n - k, np.nan) + 1)
