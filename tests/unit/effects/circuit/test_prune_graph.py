"""Scores of a pruned graph, beside those that circuit-tracer defines on one with error nodes."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.effects.circuit.prune_graph import prune_graph


def as_circuit_tracer_scores(shares, kept, leaf):
    """Replacement and completeness of Ameisen et al. 2025, with an error node for each node."""
    m = len(shares)
    size = np.abs(shares)
    made = size / (size.sum(1) + np.abs(1 - shares.sum(1)))[:, None]
    made = np.where(kept, made, 0.0)
    inner = ~leaf
    whole = np.zeros((2 * m, 2 * m))
    whole[:m, :m] = made
    for i in np.flatnonzero(inner):
        whole[i, m + i] = 1 - made[i].sum()  # what no kept edge brings
    flow = np.zeros(2 * m)
    flow[m - 1] = 1.0
    total = flow.copy()
    while flow.any():
        flow = flow @ whole
        total += flow
    ends, lost = total[:m][leaf].sum(), total[m:].sum()
    weight = total[:m] * inner
    completeness = (weight * (1 - whole[:m, m:].sum(1))).sum() / weight.sum()
    return ends / (ends + lost), completeness, lost


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("nodes", "edges"), [(0.6, 0.9), (0.8, 0.98), (1.0, 1.0)])
def test_scores_are_those_of_the_graph_with_error_nodes(seed, nodes, edges):
    draw = np.random.default_rng(seed)
    m = 9  # four leaves, four between, the class
    shares = np.tril(draw.normal(0.3, 0.3, (m, m)), -1)
    shares[:4] = 0
    leaf = np.arange(m) < 4
    found = prune_graph(shares, leaf, ~leaf, nodes=nodes, edges=edges)
    alive = leaf & found.nodes
    gone = ~found.nodes
    replacement, completeness, lost = as_circuit_tracer_scores(shares, found.edges, alive | gone)
    assert found.replacement == pytest.approx(replacement)
    assert found.completeness == pytest.approx(completeness)
    assert found.through_unexplained == pytest.approx(lost)
    assert found.replacement + found.through_unexplained == pytest.approx(1), "nothing is forgotten"
