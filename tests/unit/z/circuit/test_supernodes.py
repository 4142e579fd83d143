"""Which units of a circuit are shown together, edited by hand."""

from __future__ import annotations

import pytest

from circuitz.errors import GraphError
from circuitz.z.bundle.load_save import load
from circuitz.z.circuit.attribution_graph import graph_from_json_text
from circuitz.z.circuit.circuit_graph import CircuitGraph, Edge, Node
from circuitz.z.circuit.stored_circuits import with_supernodes_of_stored_graph
from circuitz.z.circuit.supernodes import BEFORE, MOST, can_undo_supernode_edit, group_by_concept
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel


def made(extra: int = 0) -> CircuitGraph:
    nodes = [Node(f"a:{i}", "unit", 0, "a", 0.1) for i in range(3 + extra)]
    nodes += [Node(f"b:{i}", "unit", 1, "b", 0.2) for i in range(2)]
    nodes += [Node("unexplained", "unexplained", 0), Node("output:husky", "class", 2)]
    edges = [Edge(f"a:{i}", "b:0", 0.2) for i in range(3)] + [Edge("b:0", "output:husky", 0.6)]
    return CircuitGraph("husky", ("a", "b"), tuple(nodes), tuple(edges))


@pytest.fixture
def graph():
    return made()


def test_units_are_merged_renamed_and_split(graph):
    one = graph.merge(["a:2", "a:0"], "ground")
    assert one.supernode_units() == {"ground": ("a:0", "a:2")}
    # Nodes are meant by label, by id of the set's node, or by unit.
    node = next(n for n in one.collapse_supernodes().nodes if n.words == "ground")
    assert node.members == ("a:0", "a:2")
    two = one.merge([node.id, "a:1"], "cold ground")
    assert two.supernode_units() == {"cold ground": ("a:0", "a:1", "a:2")}
    assert two.rename("cold ground", "snow").supernode_units() == {"snow": ("a:0", "a:1", "a:2")}
    assert two.split("cold ground").supernode_units() == {}
    # The graph itself is as it was.
    assert [two.nodes, two.edges, two.scores] == [graph.nodes, graph.edges, graph.scores]


def test_a_unit_taken_into_another_set_leaves_its_own(graph):
    one = graph.merge(["a:0", "a:1"], "x")
    assert one.merge(["a:1", "a:2"], "y").supernode_units() == {"y": ("a:1", "a:2")}


def test_one_label_in_two_layers_is_told_apart(graph):
    both = graph.merge(["a:0", "a:1"], "snow").merge(["b:0", "b:1"], "snow")
    assert set(both.supernode_units()) == {"snow", "snow (b)"}
    assert sorted(n.words for n in both.collapse_supernodes().nodes if n.members) == [
        "snow",
        "snow",
    ]


@pytest.mark.parametrize(
    ("nodes", "label", "told"),
    [
        (["a:0"], "x", "cannot be one"),
        ([], "x", "cannot be one"),
        (["a:0", "a:0"], "x", "cannot be one"),
        (["a:0", "b:0"], "x", "2 layers"),
        (["unexplained", "output:husky"], "x", "cannot be one"),
        (["a:0", "a:9"], "x", "no node"),
        (["a:0", "a:1"], "  ", "needs a name"),
        (["a:0", "a:1"], "x" * 201, "too long"),
    ],
)
def test_what_cannot_be_merged_is_named(graph, nodes, label, told):
    with pytest.raises(GraphError, match=told):
        graph.merge(nodes, label)


def test_labels_are_not_given_twice_in_a_layer(graph):
    graph = made(1).merge(["a:0", "a:1"], "x").merge(["a:2", "a:3"], "y")
    with pytest.raises(GraphError, match="already"):
        graph.rename("y", "x")
    assert graph.rename("y", "y").supernode_units() == graph.supernode_units()
    with pytest.raises(GraphError, match="shows no units"):
        graph.split("z")


def test_edits_start_from_what_is_automatic_and_are_undone_one_by_one(graph):
    z = AnnotatedModel("z", ("husky",), layers=(LayerSpec("a", 3), LayerSpec("b", 2)))
    z = z.annotate("a:0", "snow").annotate("a:1", "snow")
    said = graph.with_current_words(z)
    assert list(said.supernode_units()) == ["snow"]
    step = said.rename("snow", "cold")
    last = step.split("cold")
    assert last.supernode_units() == {}
    assert last.undo().supernode_units() == step.supernode_units() == {"cold": ("a:0", "a:1")}
    first = last.undo().undo()
    assert (first.supernodes, list(first.supernode_units())) == (None, ["snow"])
    assert not can_undo_supernode_edit(first)
    with pytest.raises(GraphError, match="nothing to undo"):
        first.undo()
    again = group_by_concept(last)
    assert list(again.supernode_units()) == ["snow"]
    assert again.undo().supernode_units() == {}


def test_only_so_many_edits_are_kept(graph):
    for i in range(MOST + 5):
        graph = graph.merge(["a:0", "a:1"], "x") if i % 2 == 0 else graph.split("x")
    assert len(graph.settings[BEFORE]) == MOST


def test_sets_and_their_past_are_kept_in_the_bundle_and_in_json(graph, tmp_path):
    z = AnnotatedModel("z", ("husky",), layers=(LayerSpec("a", 3), LayerSpec("b", 2)))
    edited = graph.merge(["a:0", "a:1"], "x").rename("x", "y")
    found = load(z.with_graph(edited).save(tmp_path / "z.z")).graph("husky")
    assert found.supernode_units() == {"y": ("a:0", "a:1")}
    assert found.undo().supernode_units() == {"x": ("a:0", "a:1")}
    assert graph_from_json_text(edited.to_json()).supernode_units() == {"y": ("a:0", "a:1")}


def test_sets_outlive_a_new_measurement(graph):
    z = AnnotatedModel("z", ("husky",), layers=(LayerSpec("a", 3), LayerSpec("b", 2)))
    assert with_supernodes_of_stored_graph(z, graph) == graph
    edited = graph.merge(["a:0", "a:1", "a:2"], "x").merge(["b:0", "b:1"], "y")
    z = z.with_graph(edited)
    fewer = made()
    left = tuple(n for n in fewer.nodes if n.id not in {"a:1", "b:1"})
    edges = tuple(e for e in fewer.edges if e.source != "a:1")
    fewer = CircuitGraph("husky", ("a", "b"), left, edges)
    assert with_supernodes_of_stored_graph(z, fewer).supernode_units() == {"x": ("a:0", "a:2")}
    assert (
        z.with_graph(with_supernodes_of_stored_graph(z, fewer)).graph("husky").undo().supernodes
        is not None
    )
    broken = z.with_(notes={"graphs": {"husky": {"nodes": 3}}})
    assert with_supernodes_of_stored_graph(broken, fewer) == fewer


@pytest.mark.parametrize("past", [3, "x", [3], [{"x": "a:0"}], [{"x": [1]}], {"a": 1}])
def test_a_past_that_strangers_wrote_is_passed_over(graph, past):
    strange = graph.with_supernodes(None)
    strange = CircuitGraph(**{**strange.__dict__, "settings": {BEFORE: past}})
    assert not can_undo_supernode_edit(strange)
    assert strange.merge(["a:0", "a:1"], "x").undo().supernode_units() == {}
