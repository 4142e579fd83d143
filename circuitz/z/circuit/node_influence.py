"""Influence of nodes as files of circuit-tracer and Neuronpedia hold it, and as shares.

In their files a node's ``influence`` is cumulative. Nodes are sorted by their share of all
influence, the largest first, and each holds the sum of the shares up to its own: the smaller the
number, the more influential the node, and pruning keeps what lies below a threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.z.circuit.feature_numbers import none_or_finite_number, require_finite_number

CUMULATIVE = "cumulative"

# Rounding of the float32 sums in such files.
_ROUNDING = 1e-4


@dataclass(frozen=True)
class InfluenceShares:
    """Shares, and what has to be said of them.

    Parameters
    ----------
    shares
        One a node, 0 to 1.
    remarks
        Sentences; none where the shares are exact.
    """

    shares: tuple[float, ...]
    remarks: tuple[str, ...] = ()


def cumulative_influence(shares: Sequence[float]) -> list[float]:
    """Return what files hold for shares: the sum of all that are as large or larger, of 1.

    Where nothing has influence, everything is held to have the least.
    """
    values = np.maximum(np.array(shares, np.float64), 0)
    whole = float(values.sum())
    if not whole > 0:
        return [1.0] * len(values)
    order = np.argsort(-values, kind="stable")
    sums = np.empty(len(values))
    sums[order] = np.minimum(np.cumsum(values[order]) / whole, 1)
    return sums.tolist()


def shares_of_influence(influence: Sequence[float | None]) -> InfluenceShares:
    """Return the shares that a file's numbers come to.

    Cumulative numbers are subtracted from each other in their order. Where nodes between two that
    are there were pruned away, the difference holds their shares too; no share is larger than that
    of the node before, so the smaller of the two is taken, and the remark calls it an upper bound.

    Parameters
    ----------
    influence
        One a node, ``None`` where the file has none.
    """
    values = np.array([np.nan if v is None else v for v in influence], np.float64)
    missing = np.isnan(values)
    remarks: list[str] = []
    if missing.any():
        remarks.append(f"{int(missing.sum())} nodes have no influence in the file; read as 0.")
    numbers = values[~missing]
    shares = np.zeros(len(values))
    if len(numbers) and (numbers.min() < 0 or numbers.max() > 1 + _ROUNDING):
        whole = np.abs(numbers).sum()
        shares[~missing] = np.abs(numbers) / whole
        remarks.append(
            "Influence reaches below 0 or above 1, so it cannot be cumulative: it was guessed to be "
            "a size, and divided by the sum."
        )
        return InfluenceShares(tuple(shares.tolist()), tuple(remarks))
    before, largest, cut = 0.0, np.inf, False
    for i in np.argsort(np.where(missing, np.inf, values), kind="stable")[: len(numbers)]:
        gap = max(float(values[i]) - before, 0.0)
        cut |= gap > largest + _ROUNDING
        shares[i] = largest = min(gap, largest)
        before = float(values[i])
    if cut:
        remarks.append(
            "Nodes were pruned between those that are there: some shares of influence are upper "
            "bounds."
        )
    return InfluenceShares(tuple(shares.tolist()), tuple(remarks))


def influence_along_edges(
    sources: Sequence[int],
    targets: Sequence[int],
    weights: Sequence[float],
    start: npt.NDArray[np.float64],
) -> tuple[float, ...]:
    """Return shares of influence computed from a graph, as circuit-tracer does.

    Parameters
    ----------
    sources, targets, weights
        Edges between nodes by number. What works on a node is divided to sum to 1 in size.
    start
        ``(n,)`` weight of each node that influence starts from: the logits.
    """
    tails, heads = np.array(sources, np.int64), np.array(targets, np.int64)
    sizes = np.abs(np.array(weights, np.float64))
    into = np.bincount(heads, sizes, len(start)) if len(heads) else np.zeros(len(start))
    parts = sizes / np.maximum(into[heads], 1e-10) if len(heads) else sizes
    whole, flow = np.zeros(len(start)), start.astype(np.float64)
    for _ in range(len(start)):  # no path is longer, unless it goes in circles
        flow = np.bincount(tails, flow[heads] * parts, len(start)) if len(heads) else flow * 0
        if not flow.sum() > 1e-12:
            break
        whole += flow
    total = float(whole.sum())
    return tuple((whole / total if total > 0 else whole).tolist())


def influence_of_records(
    records: Sequence[Mapping[str, Any]],
    classes: Sequence[int],
    ends: Sequence[tuple[int, int]],
    weights: Sequence[float],
    ours: Mapping[str, Any],
) -> InfluenceShares:
    """Return shares of influence of a file's nodes, however it holds them.

    Parameters
    ----------
    records
        Its nodes.
    classes
        Numbers of those that are logits. Their share is that of their probability.
    ends, weights
        Source and target of each link by number, and its weight: what influence is computed from
        where the file has none.
    ours
        What a file of ours says of itself; empty for one of others.

    Raises
    ------
    GraphError
        If a number is none.
    """
    stored = [none_or_finite_number(record.get("influence")) for record in records]
    if ours and all("share" in record for record in records):
        return InfluenceShares(tuple(require_finite_number(record["share"]) for record in records))
    if ours and ours.get("influence") != CUMULATIVE:
        return InfluenceShares(tuple(value or 0.0 for value in stored))
    shares = _logit_weights(records, classes)
    parts = [i for i in range(len(records)) if i not in set(classes)]
    if any(stored[i] is not None for i in parts):
        flow = shares_of_influence([stored[i] for i in parts])
        shares[parts] = flow.shares
        return InfluenceShares(tuple(shares.tolist()), flow.remarks)
    along = influence_along_edges([a for a, _ in ends], [b for _, b in ends], weights, shares)
    shares[parts] = [along[i] for i in parts]
    remark = "The file says nothing of influence: it was computed from its links."
    return InfluenceShares(tuple(shares.tolist()), (remark,) if parts else ())


def _logit_weights(
    records: Sequence[Mapping[str, Any]], classes: Sequence[int]
) -> npt.NDArray[np.float64]:
    """Return what influence starts from: logits by their probability, or alike."""
    start = np.zeros(len(records))
    numbers = [none_or_finite_number(records[i].get("token_prob")) or 0.0 for i in classes]
    whole = sum(numbers)
    for i, probability in zip(classes, numbers, strict=True):
        start[i] = probability / whole if whole > 0 else 1 / len(classes)
    return start
