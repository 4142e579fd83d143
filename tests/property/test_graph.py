"""Circuit graphs: pruning, layout and their file, whatever the graph."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.effects.circuit.prune_graph import (
    influence_on_last_node,
    mask_reaching_cumulative_share,
    parent_fractions,
    prune_graph,
)
from circuitz.z.circuit.attribution_graph import (
    cantor_pair,
    cantor_unpair,
    graph_from_json_text,
    graph_to_json_text,
)
from circuitz.z.circuit.circuit_graph import (
    UNEXPLAINED,
    CircuitGraph,
    Edge,
    Node,
    class_node_id,
    ordered_edges,
    ordered_nodes,
)
from circuitz.z.circuit.layout import crossing_weight, layout_nodes

numbers = st.integers(0, 10**6)


@st.composite
def matrices(draw):
    """Shares between layers of random sizes; the class last."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    layer = np.repeat(np.arange(len(sizes) + 1), [*sizes, 1])
    seed = draw(numbers)
    values = np.random.default_rng(seed).normal(0, 0.6, (len(layer), len(layer)))
    values[np.random.default_rng(seed + 1).random(values.shape) < 0.3] = 0
    return np.where(layer[:, None] > layer[None], values, 0.0), layer == 0


@st.composite
def graphs(draw):
    matrix, leaf = draw(matrices())
    pruned = prune_graph(
        matrix, leaf, ~leaf, nodes=draw(st.floats(0.1, 1)), edges=draw(st.floats(0.1, 1))
    )
    depth = np.zeros(len(matrix), int)
    for row in range(len(matrix)):
        before = np.flatnonzero(matrix[row])
        depth[row] = depth[before].max() + 1 if len(before) else 0
    last = len(matrix) - 1
    rank = np.where(np.arange(len(matrix)) == last, depth.max() + 1, depth)
    words = draw(st.lists(st.text(max_size=12), min_size=last + 1, max_size=last + 1))
    names = [f"l{rank[i]}:{i}" for i in range(last)] + [class_node_id("husky")]
    nodes = [
        Node(names[i], "unit", int(rank[i]), f"l{rank[i]}", float(pruned.influence[i]), words[i])
        for i in range(last)
        if pruned.nodes[i]
    ]
    nodes += [Node(names[last], "class", int(rank[last]), influence=1.0)]
    nodes += [Node(UNEXPLAINED, "unexplained", 0, influence=pruned.through_unexplained)]
    edges = [
        Edge(names[c], names[r], float(matrix[r, c]), float(matrix[r, c]) - 0.1, None)
        for r, c in np.argwhere(pruned.edges)
    ]
    return CircuitGraph(
        "husky",
        tuple(f"l{i}" for i in range(int(rank[last]))),
        ordered_nodes(nodes),
        ordered_edges(edges),
    )


@given(matrices(), st.floats(0.05, 1), st.floats(0.05, 1))
@settings(max_examples=80, deadline=None)
def test_what_is_pruned_is_added_to_the_unexplained(made, nodes, edges):
    matrix, leaf = made
    pruned = prune_graph(matrix, leaf, ~leaf, nodes=nodes, edges=edges)
    whole = prune_graph(matrix, leaf, ~leaf, nodes=1, edges=1)
    assert pruned.nodes[-1]
    assert (whole.nodes | ~pruned.nodes).all()
    # Everything that reaches the class comes from the first layer or from what is unexplained.
    assert pruned.replacement + pruned.through_unexplained == np.float64(1).item() or np.isclose(
        pruned.replacement + pruned.through_unexplained, 1
    )
    assert pruned.replacement <= whole.replacement + 1e-9
    assert (pruned.influence <= whole.influence + 1e-9).all()
    assert -1e-9 <= pruned.completeness <= 1 + 1e-9
    for row, column in np.argwhere(pruned.edges):
        assert pruned.nodes[row]
        assert pruned.nodes[column]
        assert matrix[row, column] != 0
    # Every node that is kept leads to the class.
    reached = {len(matrix) - 1}
    for row in range(len(matrix) - 1, -1, -1):
        if row in reached:
            reached |= set(np.flatnonzero(pruned.edges[row]).tolist())
    assert set(np.flatnonzero(pruned.nodes).tolist()) == reached


@given(matrices())
@settings(max_examples=50, deadline=None)
def test_influence_is_the_sum_over_all_paths(made):
    matrix, _ = made
    parts = parent_fractions(matrix)
    closed = np.linalg.inv(np.eye(len(parts)) - parts)[-1]
    assert np.allclose(influence_on_last_node(parts), closed)


@given(
    st.lists(st.floats(0, 10, allow_subnormal=False), min_size=1, max_size=30), st.floats(0.01, 1)
)
def test_the_fewest_that_reach_the_share_are_kept(values, share):
    scores = np.array(values)
    kept = mask_reaching_cumulative_share(scores, share)
    assert scores[kept].sum() >= share * scores.sum() * (1 - 1e-9)
    if kept.any() and not kept.all():
        assert scores[kept].min() >= scores[~kept].max()


@given(graphs(), numbers)
@settings(max_examples=60, deadline=None)
def test_the_layout_is_the_same_for_any_order_and_never_stacks_nodes(graph, seed):
    places = layout_nodes(graph)
    nodes, edges = list(graph.nodes), list(graph.edges)
    random.Random(seed).shuffle(nodes)
    random.Random(seed).shuffle(edges)
    again = layout_nodes(CircuitGraph("husky", graph.layers, tuple(nodes), tuple(edges)))
    assert again == places
    assert len(set(places.values())) == len(places) == len(graph.nodes)
    for edge in graph.edges:
        assert places[edge.source][0] < places[edge.target][0]


@given(graphs())
@settings(max_examples=40, deadline=None)
def test_the_layout_crosses_no_more_than_the_order_of_influence(graph):
    places = layout_nodes(graph)
    ranks = {n.id: n.rank for n in graph.nodes}
    drawn = [n for n in graph.nodes if n.kind != "unexplained"]
    depth = max(n.rank for n in drawn) + 1
    plain = [
        [n.id for n in sorted(drawn, key=lambda n: (-n.influence, n.id)) if n.rank == r]
        for r in range(depth)
    ]
    ours = [sorted(column, key=lambda name: places[name][1]) for column in plain]
    edges = list(graph.edges)
    assert crossing_weight(ours, edges, ranks) <= crossing_weight(plain, edges, ranks) + 1e-9


@given(graphs())
@settings(max_examples=40, deadline=None)
def test_a_file_gives_back_the_graph(graph):
    assert graph_from_json_text(graph_to_json_text(graph)) == graph


@given(numbers, numbers)
def test_pairs_of_layer_and_index_come_back(layer, index):
    assert cantor_unpair(cantor_pair(layer, index)) == (layer, index)
