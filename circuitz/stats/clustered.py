"""Means of effects clustered by scene, their intervals and tests. No torch.

Images of one scene are not independent, so a mean's standard error comes from sums over scenes
(the sandwich estimator of Liang and Zeger 1986, with the factor G / (G - 1)), and its t
distribution has one degree of freedom less than there are scenes.

Everything works on one column of effects ``(n,)`` and on many ``(n, m)`` at once: then each field
of :class:`ClusteredMean` is an array ``(m,)``, and so is each result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ClusteredMean:
    """A mean with its standard error; floats for one column, arrays ``(m,)`` for many.

    Parameters
    ----------
    mean
        Mean over values that are not NaN; NaN where there are none.
    se
        Standard error; infinite with fewer than two clusters.
    df
        Degrees of freedom of its t distribution: clusters less one, at least 0.
    n, clusters
        Values, and clusters with at least one value.
    """

    mean: Any
    se: Any
    df: Any
    n: Any
    clusters: Any


def clustered_mean(values: npt.ArrayLike, clusters: npt.ArrayLike | None = None) -> ClusteredMean:
    """Return the mean of values whose errors may be correlated within clusters.

    Parameters
    ----------
    values
        ``(n,)`` or ``(n, m)``; NaN = no value. A column is averaged over its own values.
    clusters
        ``(n,)`` cluster of each row; every row its own when omitted.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    v = np.asarray(values, np.float64)
    flat = v.ndim == 1
    if flat:
        v = v[:, None]
    ids = np.arange(len(v)) if clusters is None else np.asarray(clusters)
    if v.ndim != 2 or ids.shape != (len(v),):
        raise ValueError(f"values {v.shape} and clusters {ids.shape} do not fit")
    known = ~np.isnan(v)
    n = known.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, v, 0.0).sum(0) / np.where(n > 0, n, np.nan)
        error = np.where(known, v - mean, 0.0)
        sums, present = _cluster_sums_and_presence(error, known, ids)
        g = present.sum(0)
        variance = (sums**2).sum(0) / n**2 * (g / (g - 1.0))
        se = np.where(g > 1, np.sqrt(variance), np.inf)
    df = np.maximum(g - 1, 0)
    if flat:
        return ClusteredMean(float(mean[0]), float(se[0]), int(df[0]), int(n[0]), int(g[0]))
    return ClusteredMean(mean, se, df, n, g)


def _cluster_sums_and_presence(
    error: F64, valid: npt.NDArray[np.bool_], ids: npt.NDArray[Any]
) -> tuple[F64, npt.NDArray[np.bool_]]:
    """Return sums of errors, and whether there is any value, a cluster and column."""
    if not len(ids):
        return np.zeros((0, error.shape[1])), np.zeros((0, error.shape[1]), bool)
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.r_[True, ids[order][1:] != ids[order][:-1]])
    return np.add.reduceat(error[order], starts), np.logical_or.reduceat(valid[order], starts)


def p_value_mean_above_bound(cm: ClusteredMean, bound: float = 0.0) -> Any:
    """Return the one-sided p-value against "the mean is at most ``bound``".

    With fewer than two clusters nothing can be concluded and p is 1.
    """
    return _one_if_single_cluster(
        cm, special.stdtr(_degrees_of_freedom(cm), -_t_statistic(cm, bound))
    )


def p_value_mean_below_bound(cm: ClusteredMean, bound: float = 0.0) -> Any:
    """Return the one-sided p-value against "the mean is at least ``bound``"."""
    return _one_if_single_cluster(
        cm, special.stdtr(_degrees_of_freedom(cm), _t_statistic(cm, bound))
    )


def p_value_mean_within_bounds(cm: ClusteredMean, low: float, high: float) -> Any:
    """Return the p-value of two one-sided tests against "the mean is outside (low, high)"."""
    return _one_if_single_cluster(
        cm, np.maximum(p_value_mean_above_bound(cm, low), p_value_mean_below_bound(cm, high))
    )


def confidence_interval(cm: ClusteredMean, level: float = 0.95) -> tuple[Any, Any]:
    """Return the two-sided t interval at ``level``; infinite with fewer than two clusters."""
    with np.errstate(invalid="ignore"):
        half = special.stdtrit(_degrees_of_freedom(cm), 0.5 + level / 2) * np.asarray(cm.se, float)
    half = np.where(np.asarray(cm.clusters) > 1, half, np.inf)
    if isinstance(cm.mean, float):
        return float(cm.mean - half), float(cm.mean + half)
    return cm.mean - half, cm.mean + half


def power(cm: ClusteredMean, true_effect: float, bound: float = 0.0, alpha: float = 0.05) -> Any:
    """Return the probability that ``p_greater(cm, bound) <= alpha`` for that true effect.

    The standard error is taken as known from ``cm``; the statistic is then noncentral t.
    """
    df = _degrees_of_freedom(cm)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = (true_effect - bound) / np.asarray(cm.se, float)
    # Beyond 30 standard errors the answer is 0 or 1 and the series would overflow.
    shift = np.clip(np.nan_to_num(shift, nan=0.0, posinf=30.0, neginf=-30.0), -30.0, 30.0)
    won = 1.0 - special.nctdtr(df, shift, special.stdtrit(df, 1.0 - alpha))
    return _float_if_scalar(cm, np.where(np.asarray(cm.clusters) > 1, np.clip(won, 0.0, 1.0), 0.0))


def clusters_needed_to_decide(
    cm: ClusteredMean, bound: float, *, alpha: float = 0.05, target_power: float = 0.8
) -> Any:
    """Return how many clusters would decide on which side of ``bound`` the mean lies.

    Normal approximation: the mean and the spread between clusters stay as they are.
    """
    z = special.ndtri(1 - alpha) + special.ndtri(target_power)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = z * np.asarray(cm.se, float) / np.abs(np.asarray(cm.mean) - bound)
        need = np.ceil(np.asarray(cm.clusters) * ratio**2)
    return _float_if_scalar(cm, np.where(np.isfinite(need), np.maximum(need, 2), np.inf))


def _degrees_of_freedom(cm: ClusteredMean) -> F64:
    return np.maximum(np.asarray(cm.df, np.float64), 1.0)


def _t_statistic(cm: ClusteredMean, bound: float) -> F64:
    """Return the t statistic; signed infinity where the values do not vary at all."""
    difference = np.asarray(cm.mean, np.float64) - bound
    se = np.asarray(cm.se, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = np.where(difference == 0, 0.0, difference * np.inf)
        return np.where(se > 0, difference / se, limit)


def _one_if_single_cluster(cm: ClusteredMean, p: Any) -> Any:
    """Return p, or 1 where fewer than two clusters leave the spread unknown."""
    return _float_if_scalar(cm, np.where(np.asarray(cm.clusters) > 1, p, 1.0))


def _float_if_scalar(cm: ClusteredMean, value: Any) -> Any:
    return float(value) if isinstance(cm.mean, float) else np.asarray(value)
