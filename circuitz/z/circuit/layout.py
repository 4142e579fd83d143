"""Where the nodes of a circuit graph stand: columns by rank, few crossings, always the same."""

from __future__ import annotations

from circuitz.z.circuit.circuit_graph import CircuitGraph, Edge, ordered_edges

_SWEEPS = 12
Columns = list[list[str]]


def layout_nodes(graph: CircuitGraph) -> dict[str, tuple[int, float]]:
    """Return column and place of every node.

    Columns are ranks, which come from the order of the layers. Within a column nodes are sorted by
    the mean place of what they are connected to, edges weighted by size, there and back until
    nothing gets better (the barycentre method of Sugiyama 1981); ties go by influence, then id.

    Returns
    -------
    ``{id: (rank, place)}``; the places of a column are one apart and centred at 0. What is
    unexplained stands below the first column.
    """
    ranks = {n.id: n.rank for n in graph.nodes}
    influence = {n.id: n.influence for n in graph.nodes}
    drawn = [n for n in graph.nodes if n.kind != "unexplained"]
    columns: Columns = [[] for _ in range(max((n.rank for n in drawn), default=0) + 1)]
    for node in sorted(drawn, key=lambda n: (-n.influence, n.id)):
        columns[node.rank].append(node.id)
    known = {n.id for n in drawn}
    edges = [e for e in ordered_edges(graph.edges) if {e.source, e.target} <= known]
    best, least = columns, crossing_weight(columns, edges, ranks)
    for sweep in range(_SWEEPS):
        columns = _sort_by_neighbours(columns, edges, influence, down=sweep % 2 == 0)
        now = crossing_weight(columns, edges, ranks)
        if now < least:
            best, least = columns, now
    found: dict[str, tuple[int, float]] = {}
    for rank, column in enumerate(best):
        for i, name in enumerate(column):
            found[name] = (rank, i - (len(column) - 1) / 2)
    lowest = max((place for _, place in found.values()), default=0.0)
    unexplained = sorted(n.id for n in graph.nodes if n.kind == "unexplained")
    for i, name in enumerate(unexplained):
        found[name] = (0, lowest + 1 + i)
    return found


def crossing_weight(columns: Columns, edges: list[Edge], ranks: dict[str, int]) -> float:
    """Return the weight of all crossings of edges between the same two columns."""
    place = {name: i for column in columns for i, name in enumerate(column)}
    by_pair: dict[tuple[int, int], list[tuple[int, int, float]]] = {}
    for e in edges:
        pair = (ranks[e.source], ranks[e.target])
        by_pair.setdefault(pair, []).append((place[e.source], place[e.target], abs(e.share)))
    total = 0.0
    for lines in by_pair.values():
        for i, (a, b, w) in enumerate(lines):
            total += sum(w * v for c, d, v in lines[:i] if (a - c) * (b - d) < 0)
    return total


def _sort_by_neighbours(
    columns: Columns, edges: list[Edge], influence: dict[str, float], *, down: bool
) -> Columns:
    """Sort each column by the mean place of its neighbours on one side."""
    place = _centred_places(columns)
    near: dict[str, list[tuple[str, float]]] = {}
    for e in edges:
        mine, other = (e.source, e.target) if down else (e.target, e.source)
        near.setdefault(mine, []).append((other, abs(e.share)))
    new = [list(column) for column in columns]
    for rank in sorted(range(len(new)), reverse=down):
        means: dict[str, float] = {}
        for name in new[rank]:
            around = near.get(name, [])
            weight = sum(w for _, w in around)
            mean = sum(place[o] * w for o, w in around) / weight if weight else place[name]
            means[name] = round(mean, 9)
        new[rank].sort(key=lambda name: (means[name], -influence[name], name))
        place |= _centred_places([new[rank]])
    return new


def _centred_places(columns: Columns) -> dict[str, float]:
    return {name: i - (len(column) - 1) / 2 for column in columns for i, name in enumerate(column)}
