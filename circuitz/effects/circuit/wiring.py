"""What drives what in a graph that is being measured: a matrix of shares, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.effects.circuit.prune_graph import (
    PrunedGraph,
    influence_on_last_node,
    parent_fractions,
)
from circuitz.stats.edge_bootstrap import Shares
from circuitz.z.circuit.circuit_graph import (
    INPUT,
    UNEXPLAINED,
    Edge,
    Node,
    class_node_id,
    ordered_edges,
    ordered_nodes,
)

Bool = npt.NDArray[np.bool_]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Column:
    """Units of one layer, or directions of one basis, one after the other in the matrix.

    Parameters
    ----------
    name
        Of the layer, or of the basis over it.
    size
        How many of them.
    rest
        Whether one more stands for what the basis does not explain: it is measured as they are,
        and never a node.
    """

    name: str
    size: int
    rest: bool = False


class Wiring:
    """The whole matrix of a graph, filled from the class backwards.

    Parameters
    ----------
    target
        The class, which comes last.
    columns
        Layers, in the order in which they are done.
    tokens
        Whether the input itself is a node as well, because it is read behind the first layer too.

    Attributes
    ----------
    ids
        Of all rows and columns; the class is the last.
    matrix
        ``(m, m)`` signed share of a target (row) that a source (column) brings about.
    tokens
        Which row and column the input is; -1 where it is none.
    measured_rows, leaf, candidates, is_input
        ``(m,)`` whose incoming edges were measured; whose parents are the input; which may be
        nodes; which is the input itself.
    measured_edges
        Number of edges that were.
    """

    def __init__(self, target: str, columns: Sequence[Column], *, tokens: bool = False) -> None:
        self.target, self.columns = target, tuple(columns)
        self.ids: list[str] = []
        self._home: list[int] = []
        self.start: dict[str, int] = {}
        hidden: list[int] = []
        for rank, column in enumerate(self.columns):
            self.start[column.name] = len(self.ids)
            self.ids += [f"{column.name}:{u}" for u in range(column.size)]
            if column.rest:
                hidden.append(len(self.ids))
                self.ids.append(f"{column.name}:rest")
            self._home += [rank] * (len(self.ids) - len(self._home))
        self.tokens = len(self.ids) if tokens else -1
        if tokens:
            self.ids.append(INPUT)
            self._home.append(0)
        self.ids.append(class_node_id(target))
        many = len(self.ids)
        self.matrix = np.zeros((many, many))
        self.measured_rows, self.leaf = np.zeros(many, bool), np.zeros(many, bool)
        self.candidates = np.ones(many, bool)
        self.candidates[hidden] = False
        self.leaf[: self.columns[0].size] = True
        self.is_input = np.zeros(many, bool)
        if tokens:
            self.leaf[self.tokens] = self.is_input[self.tokens] = True
        self.measured_edges = 0
        self._intervals: dict[tuple[int, int], tuple[float, float]] = {}
        self._stability: list[tuple[int, float, float, float]] = []

    @property
    def candidate_unit_count(self) -> int:
        """How many units may be nodes."""
        return int(self.candidates.sum()) - 1 - (self.tokens >= 0)

    def enter_shares(self, shares: Shares, columns: I64, rows: I64) -> None:
        """Write measured shares ``(u, v)`` of rows ``rows`` that columns ``columns`` make."""
        self.matrix[np.ix_(rows, columns)] = np.nan_to_num(shares.estimate.T, nan=0.0)
        self.measured_rows[rows[~np.isnan(shares.estimate).all(0)]] = True
        self.measured_edges += shares.estimate.size
        for b, row in enumerate(rows):
            for a, column in enumerate(columns):
                ends = float(shares.low[a, b]), float(shares.high[a, b])
                self._intervals[int(row), int(column)] = ends

    def enter_shares_of_class(self, share: F64, low: F64, high: F64, columns: I64) -> None:
        """Write what drives the class, ``(u,)`` each."""
        self.matrix[-1, columns] = np.nan_to_num(share, nan=0.0)
        for u, a, b in zip(columns, low, high, strict=True):
            self._intervals[len(self.ids) - 1, int(u)] = float(a), float(b)
        self.measured_rows[-1] = True
        self.measured_edges += len(columns)

    def influence_so_far(self) -> F64:
        """Return the share of the class's effect that passes through each, ``(m,)``, as known so far."""
        return influence_on_last_node(parent_fractions(self.matrix, self.measured_rows))

    def unexplained_by_bases(self) -> float:
        """Return the share of the class's effect that passes through what bases leave out."""
        return float(self.influence_so_far()[~self.candidates].sum())

    def note_stability(self, edges: int, exact: float, rough: float, agreement: float) -> None:
        """Note how stable the edges between two layers are."""
        if edges:
            self._stability.append((edges, exact, rough, agreement))

    def mean_stability(self) -> dict[str, float | None]:
        """Return means over pairs of layers, weighted by edges."""
        if not self._stability:
            return {"exact": None, "eap_ig": None, "agreement": None}
        table = np.array(self._stability)
        means = np.average(table[:, 1:], axis=0, weights=table[:, 0])
        named = zip(("exact", "eap_ig", "agreement"), means.tolist(), strict=True)
        return {name: None if np.isnan(mean) else mean for name, mean in named}

    def kept_nodes(self, pruned: PrunedGraph) -> tuple[Node, ...]:
        """Return what was kept, and the unexplained."""
        rank = len(self.columns)
        found = [Node(class_node_id(self.target), "class", rank, influence=1.0)]
        for i in np.flatnonzero(pruned.nodes[:-1]):
            at, flow = self._home[i], float(pruned.influence[i])
            if i == self.tokens:
                found.append(Node(INPUT, "input", 0, influence=flow))
            else:
                found.append(Node(self.ids[i], "unit", at, self.columns[at].name, flow))
        found.append(Node(UNEXPLAINED, "unexplained", 0, influence=pruned.through_unexplained))
        return ordered_nodes(found)

    def kept_edges(self, pruned: PrunedGraph) -> tuple[Edge, ...]:
        """Return the edges that were kept, and what of each node is unexplained."""
        found: list[Edge] = []
        for row, column in np.argwhere(pruned.edges):
            low, high = self._intervals[int(row), int(column)]
            share = float(self.matrix[row, column])
            found.append(Edge(self.ids[column], self.ids[row], share, low, high))
        for row in np.flatnonzero(pruned.unexplained > 0):
            found.append(Edge(UNEXPLAINED, self.ids[row], float(pruned.unexplained[row])))
        return ordered_edges(found)
