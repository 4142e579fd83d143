"""How sure edges are: intervals by bootstrap over scenes, and which are found again. No torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.stats.clustered import clustered_mean, confidence_interval

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

# Products of one batch of resamples, so that memory does not grow with the number of pairs.
_NUMBERS = 4 * 2**20


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of a layer's effect on each unit of another, ``(u, v)`` each.

    Parameters
    ----------
    estimate
        Ratio of means over images; NaN where the unit does not move at all.
    low, high
        Bootstrap interval.
    recurrence
        Share of resamples in which the edge is among the strongest, as many as were found.
    detected
        Whether the share is at least as large as asked, its interval on one side of zero.
    stability
        Mean overlap (Jaccard) of the strongest edges of a resample with those of all images;
        NaN when none was found.
    """

    estimate: F64
    low: F64
    high: F64
    recurrence: F64
    detected: Bool
    stability: float


def bootstrap_edge_shares(
    change: F32,
    whole: F32,
    scene: I64,
    *,
    least: float = 0.05,
    level: float = 0.95,
    resamples: int = 200,
    seed: int = 0,
    count: int | None = None,
) -> Shares:
    """Return shares with their intervals and how stable the strongest of them are.

    Parameters
    ----------
    change
        ``(n, u, v)`` change of each target unit when one source unit is changed.
    whole
        ``(n, v)`` its change when all of the layer is.
    scene
        ``(n,)`` scenes; images of one are resampled together.
    least
        Smallest share that counts as an edge.
    level, resamples, seed
        Of the bootstrap.
    count
        Number of strongest edges compared over resamples; by default those found.
    """
    n, u, v = change.shape
    moves = mask_of_moving_targets(whole, scene, level)
    ids = np.unique(scene, return_inverse=True)[1]
    clusters = int(ids.max()) + 1 if n else 0
    parts = np.zeros((clusters, u * v))
    np.add.at(parts, ids, change.reshape(n, -1).astype(np.float64))
    wholes = np.zeros((clusters, v))
    np.add.at(wholes, ids, whole.astype(np.float64))
    estimate = _share_where_moving(parts.sum(0).reshape(u, v), wholes.sum(0), moves)
    draw = np.random.default_rng([seed, 31])
    weights = draw.multinomial(clusters, np.full(clusters, 1 / clusters), resamples)
    low, high = _bootstrap_interval(weights, parts, wholes, (u, v), level)
    low[:, ~moves], high[:, ~moves] = np.nan, np.nan
    found = (np.abs(np.nan_to_num(estimate)) >= least) & ((low > 0) | (high < 0))
    wanted = int(found.sum()) if count is None else min(count, found.size)
    often, again = _edge_recurrence_and_stability(weights, parts, wholes, estimate, moves, wanted)
    return Shares(estimate, low, high, often, found, again)


def mask_of_moving_targets(whole: F32, scene: I64, level: float) -> Bool:
    """Return which units move when all of the layer is changed: of others no share can be told."""
    mean = clustered_mean(whole, scene)
    low, high = confidence_interval(mean, level)
    return ((low > 0) | (high < 0)) & (np.abs(mean.mean) > 1e-9)


def mark_strongest_edges(estimate: F64, count: int) -> Bool:
    """Return which edges are the strongest; ties go to the earlier one, so that it is always the same."""
    size = np.nan_to_num(np.abs(estimate).ravel(), nan=-1.0)
    best = np.argsort(-size, kind="stable")[:count]
    chosen = np.zeros(size.shape, bool)
    chosen[best[size[best] > 0]] = True
    return chosen.reshape(estimate.shape)


def jaccard_overlap_of_edges(a: Bool, b: Bool) -> float:
    """Return the Jaccard similarity of two sets of edges; NaN when both are empty."""
    either = int((a | b).sum())
    return float((a & b).sum() / either) if either else float("nan")


def _share_where_moving(part: F64, whole: F64, moves: Bool) -> F64:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(moves, part / whole, np.nan)


def _bootstrap_interval(
    weights: I64, parts: F64, wholes: F64, shape: tuple[int, int], level: float
) -> tuple[F64, F64]:
    """Return percentiles of the resampled shares, a few columns at a time."""
    u, v = shape
    low, high = np.empty((2, u, v))
    tails = [100 * (1 - level) / 2, 100 * (1 + level) / 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        bottom = weights @ wholes  # (b, v)
        step = max(1, _NUMBERS // max(1, len(weights) * v))
        cube = parts.reshape(len(parts), u, v)
        for i in range(0, u, step):
            top = np.tensordot(weights, cube[:, i : i + step], 1)
            both = np.percentile(np.nan_to_num(top / bottom[:, None]), tails, axis=0)
            low[i : i + step], high[i : i + step] = both
    return low, high


def _edge_recurrence_and_stability(
    weights: I64, parts: F64, wholes: F64, estimate: F64, moves: Bool, count: int
) -> tuple[F64, float]:
    often = np.zeros(estimate.shape)
    if not count:
        return often, float("nan")
    first = mark_strongest_edges(estimate, count)
    same: list[float] = []
    for row in weights:
        again = mark_strongest_edges(
            _share_where_moving((row @ parts).reshape(estimate.shape), row @ wholes, moves), count
        )
        often += again
        same.append(jaccard_overlap_of_edges(first, again))
    return often / len(weights), float(np.mean(same))
