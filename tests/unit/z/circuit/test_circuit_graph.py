from __future__ import annotations

import subprocess
import sys

import pytest

from circuitz.errors import GraphError
from circuitz.z.circuit.circuit_graph import CircuitGraph, Edge, Node
from circuitz.z.circuit.layout import layout_nodes
from circuitz.z.circuit.stored_circuits import graphs_by_class, with_graph
from circuitz.z.model import AnnotatedModel


def made(**changes):
    nodes = (
        Node("a:0", "unit", 0, "a", 0.4, "white", ("white",)),
        Node("a:1", "unit", 0, "a", 0.2, "white too", ("white",)),
        Node("unexplained", "unexplained", 0, influence=0.4),
        Node("b:0", "unit", 1, "b", 0.6, "snow", ("snow",)),
        Node("b:1", "unit", 1, "b", 0.2, "snow", ("snow",)),
        Node("b:2", "unit", 1, "b", 0.1),
        Node("output:husky", "class", 2, influence=1.0),
    )
    edges = (
        Edge("a:0", "b:0", 0.5, 0.4, 0.6),
        Edge("a:1", "b:0", 0.25, 0.2, 0.3),
        Edge("a:0", "b:1", 0.1, 0.0, 0.2),
        Edge("b:0", "output:husky", 0.6, 0.5, 0.7),
        Edge("b:1", "output:husky", 0.2, 0.1, 0.3),
        Edge("unexplained", "output:husky", 0.2),
    )
    fields = {"target": "husky", "layers": ("a", "b"), "nodes": nodes, "edges": edges}
    return CircuitGraph(**{**fields, **changes})


def shares(graph):
    return {(e.source, e.target): e.share for e in graph.edges}


def test_units_that_share_a_concept_are_one_node():
    graph = made()
    assert graph.supernode_units() == {"white": ("a:0", "a:1"), "snow": ("b:0", "b:1")}
    small = graph.collapse_supernodes()
    snow, white = "group:b:0,b:1", "group:a:0,a:1"
    assert {n.id for n in small.nodes} == {
        snow, white, "b:2", "unexplained", "output:husky",
    }  # fmt: skip
    assert small.node(snow).influence == pytest.approx(0.8)
    assert small.node(snow).words == "snow"
    assert small.node(snow).members == ("b:0", "b:1")
    found = shares(small)
    assert found[snow, "output:husky"] == pytest.approx(0.8)  # what they do adds up
    # What is done to them is a mean, b:0 counting three times.
    assert found[white, snow] == pytest.approx(0.75 * 0.75 + 0.1 * 0.25)
    assert found["unexplained", "output:husky"] == pytest.approx(0.2)


def test_sets_named_by_hand_win_and_can_be_taken_back():
    graph = made().with_supernodes({"ground": ["b:0", "b:2"]})
    assert graph.supernode_units() == {"ground": ("b:0", "b:2")}
    assert graph.with_supernodes(None).supernode_units() == made().supernode_units()
    assert made().with_supernodes({}).supernode_units() == {}


@pytest.mark.parametrize(
    "sets",
    [{"x": ["a:0", "b:0"]}, {"x": ["b:0", "b:1"], "y": ["b:1", "b:2"]}, {"x": ["b:7"]}, {"x": []}],
)
def test_sets_that_cannot_be(sets):
    with pytest.raises(GraphError):
        made().with_supernodes(sets)


def test_words_on_a_group_name_it():
    graph = made(settings={"groups": {"cold ground": ["b:0", "b:1", "b:9"]}})
    assert graph.supernode_units() == {"cold ground": ("b:0", "b:1"), "white": ("a:0", "a:1")}


def test_columns_follow_the_layers():
    places = layout_nodes(made())
    assert {places[u][0] for u in ("a:0", "a:1", "unexplained")} == {0}
    assert places["output:husky"] == (2, 0.0)
    assert places["unexplained"][1] > max(places["a:0"][1], places["a:1"][1])


def test_networkx_and_plotly():
    nx = pytest.importorskip("networkx")
    pytest.importorskip("plotly")
    found = made().networkx()
    assert isinstance(found, nx.DiGraph)
    assert found["b:0"]["output:husky"] == {"weight": 0.6, "low": 0.5, "high": 0.7}
    assert found.nodes["b:0"]["words"] == "snow"
    assert nx.is_directed_acyclic_graph(found)
    figure = made(target="<b>husky").figure()
    assert len(figure.data) == len(made().collapse_supernodes().edges) + 1
    assert "&lt;b&gt;husky" in figure.layout.title.text
    assert "<b>" not in str(figure.to_dict())


def test_without_plotly_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(GraphError, match=r"circuitz\[graph\]"):
        made().figure()
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(GraphError, match=r"circuitz\[graph\]"):
        made().networkx()


def test_a_z_keeps_graphs_and_only_of_its_classes():
    z = AnnotatedModel("z", ("husky", "corgi"))
    assert graphs_by_class(z) == {}
    assert graphs_by_class(with_graph(z, made())) == {"husky": z.with_graph(made()).graph("husky")}
    with pytest.raises(GraphError, match="not a class"):
        with_graph(AnnotatedModel("z", ("cat",)), made())
    with pytest.raises(GraphError):
        graphs_by_class(z.with_(notes={"graphs": [1]}))
    with pytest.raises(GraphError):
        graphs_by_class(z.with_(notes={"graphs": {"husky": {"nodes": 3}}}))


def test_it_says_what_changed():
    z = AnnotatedModel("z", ("husky",))
    assert made(settings={"weights": "other"}).stale_parts(z) == ("weights",)
    assert made(settings={"weights": z.weights_hash}).stale_parts(z) == ()


def test_graphs_are_read_without_torch():
    code = "import sys, circuitz.z.circuit.stored_circuits, circuitz.z.circuit.layout; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
