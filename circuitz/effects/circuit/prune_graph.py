"""What flows where in a circuit graph, and which of it is kept. No torch.

Every node's incoming edges are taken by size and divided by their sum (what is unexplained
included), so that each row of the matrix A is what a node is made of. Influence on the class is
w·A + w·A² + …, with w on the class: the share of its effect that passes through a node. It is how
circuit-tracer prunes attribution graphs (Ameisen et al. 2025), but that what is cut off is added to
the unexplained instead of being forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PrunedGraph:
    """What is left of a graph of ``m`` nodes; the last one is the class.

    Parameters
    ----------
    nodes
        ``(m,)`` which are kept; the class always is.
    edges
        ``(m, m)`` row: target, column: source.
    influence
        ``(m,)`` share of the class's effect that passes through each node, in the pruned graph.
    unexplained
        ``(m,)`` share of everything that works on a node which no kept edge accounts for; 0 for
        units of the first layer, whose parents are pixels.
    replacement, completeness
        Scores, see :class:`circuitz.z.circuit.circuit_graph.CircuitGraph`.
    through_unexplained
        Share of the class's effect that comes out of what is unexplained.
    """

    nodes: Bool
    edges: Bool
    influence: F64
    unexplained: F64
    replacement: float
    completeness: float
    through_unexplained: float


def parent_fractions(shares: F64, measured_rows: Bool | None = None) -> F64:
    """Return what each node is made of: sizes of shares, in parts of all that works on it.

    Parameters
    ----------
    shares
        ``(m, m)`` signed share of a target (row) that a source (column) brings about; NaN where
        it is not known, 0 where there is no edge.
    measured_rows
        ``(m,)`` rows that were measured; those of others are all unexplained.

    Returns
    -------
    ``(m, m)``; rows sum to 1 less what is unexplained (interactions of sources, sources that
    were not measured).
    """
    size = np.nan_to_num(np.abs(shares), nan=0.0)
    rest = np.abs(1 - np.nan_to_num(shares, nan=0.0).sum(1))
    made = size / (size.sum(1) + rest)[:, None]
    if measured_rows is not None:
        made[~measured_rows] = 0.0
    return made


def influence_on_last_node(fractions: F64) -> F64:
    """Return the share of the last node's effect that passes through each node; 1 for itself."""
    current = np.zeros(len(fractions))
    current[-1] = 1.0
    total = current.copy()
    for _ in range(len(fractions)):
        current = current @ fractions
        if not current.any():
            break
        total += current
    return total


def mask_reaching_cumulative_share(scores: F64, share: float) -> Bool:
    """Return the fewest entries whose sum reaches a share of the whole; ties with the last stay."""
    if not scores.any():
        return np.zeros(scores.shape, bool)
    ordered = np.sort(scores.ravel())[::-1]
    sums = np.cumsum(ordered)
    last = min(int(np.searchsorted(sums, share * sums[-1] * (1 - 1e-12))), ordered.size - 1)
    return (scores >= ordered[last]) & (scores > 0)


def prune_graph(
    shares: F64,
    leaf: Bool,
    measured_rows: Bool,
    *,
    candidates: Bool | None = None,
    always: Bool | None = None,
    nodes: float = 0.8,
    edges: float = 0.98,
) -> PrunedGraph:
    """Keep the nodes and edges that carry the stated shares of influence.

    Parameters
    ----------
    shares
        As for :func:`parent_fractions`; no cycles; the last row is the class.
    leaf
        ``(m,)`` units of the first layer.
    measured_rows
        ``(m,)`` nodes whose incoming edges were measured.
    candidates
        ``(m,)`` which may be kept, by default all; what comes through others is unexplained.
    always
        ``(m,)`` which are, and do not count toward the share of nodes; by default none.
    nodes, edges
        Shares of influence to keep, 0 to 1.
    """
    made = parent_fractions(shares, measured_rows)
    flow = influence_on_last_node(made)
    last = len(made) - 1
    kept = np.zeros(len(made), bool)
    free = np.ones(len(made), bool) if candidates is None else candidates.copy()
    if always is not None:
        kept |= always
        free &= ~always
    kept[:last] |= mask_reaching_cumulative_share(np.where(free, flow, 0.0)[:last], nodes)
    kept[last] = True
    made = made * kept[:, None] * kept[None]
    lines = mask_reaching_cumulative_share(made * influence_on_last_node(made)[:, None], edges)
    # What leads nowhere goes, and what led only there.
    while True:
        alive = kept & (lines.any(0) | (np.arange(len(made)) == last))
        lines &= alive[:, None] & alive[None]
        if (alive == kept).all():
            break
        kept = alive
    made = np.where(lines, made, 0.0)
    flow = influence_on_last_node(made)
    inner = kept & ~leaf
    missing = np.where(inner, np.clip(1 - made.sum(1), 0.0, 1.0), 0.0)
    weight = flow[inner].sum()
    lost = float((flow * missing).sum())
    replacement = float(flow[leaf & kept].sum())
    return PrunedGraph(
        kept, lines, flow, missing, replacement,
        float(1 - lost / weight) if weight else 0.0, lost,
    )  # fmt: skip
