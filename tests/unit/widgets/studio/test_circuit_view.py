from __future__ import annotations

import json

import pytest

from circuitz.errors import NetworkError
from circuitz.widgets.studio import circuit_view as circuits
from circuitz.widgets.studio import live_network as live
from circuitz.widgets.studio.studio import Studio
from circuitz.z.bundle.load_save import load
from circuitz.z.circuit.circuit_graph import CircuitGraph, Edge, Node
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel


def made():
    nodes = (
        Node("a:0", "unit", 0, "a", 0.6),
        Node("unexplained", "unexplained", 0, influence=0.4),
        Node("b:0", "unit", 1, "b", 0.5),
        Node("b:1", "unit", 1, "b", 0.1),
        Node("output:husky", "class", 2, influence=1.0),
    )
    edges = (
        Edge("a:0", "b:0", 0.9, 0.8, 1.0),
        Edge("b:0", "output:husky", 0.5, 0.4, 0.6),
        Edge("b:1", "output:husky", 0.1, 0.0, 0.2),
        Edge("unexplained", "output:husky", 0.4),
    )
    return CircuitGraph("husky", ("a", "b"), nodes, edges)


@pytest.fixture
def z():
    layers = (LayerSpec("a", 2), LayerSpec("b", 2))
    return AnnotatedModel("z", ("husky", "corgi"), layers=layers, cut=("b",)).with_graph(made())


def test_a_circuit_is_json_with_places_and_words_of_now(z):
    said = z.annotate("b:0", "snow").annotate("b:1", "snow on the ground")
    found = json.loads(json.dumps(circuits.stored_circuits_payload(said, "z.z")))
    assert (found["path"], found["problem"]) == ("z.z", "")
    circuit = found["circuits"]["husky"]
    snow = next(n for n in circuit["nodes"] if n["words"] == "snow")
    assert snow["members"] == ["b:0", "b:1"]
    assert snow["column"] == 1
    ids = [n["id"] for n in circuit["nodes"]]
    into = {ids[e[0]]: e[2] for e in circuit["edges"] if ids[e[1]] == "output:husky"}
    assert into == {snow["id"]: pytest.approx(0.6), "unexplained": 0.4}
    assert circuit["columns"] == ["a", "b", "husky"]
    assert circuit["units"] == 3


def test_words_move_nodes_together_as_they_are_written(z):
    studio = Studio(z)
    assert len(studio.graphs["circuits"]["husky"]["nodes"]) == 5
    studio._reply_to_action("annotate", {"unit": "b:0", "text": "snow"})
    studio._reply_to_action("annotate", {"unit": "b:1", "text": "snow"})
    assert len(studio.graphs["circuits"]["husky"]["nodes"]) == 4
    studio._reply_to_action("undo", {})
    assert len(studio.graphs["circuits"]["husky"]["nodes"]) == 5


def test_what_is_no_graph_is_said_and_hides_nothing_else(z):
    broken = z.with_(notes={"graphs": {"husky": {"nodes": 3}}})
    found = circuits.stored_circuits_payload(broken, "")
    assert found["circuits"] == {}
    assert "no attribution graph" in found["problem"]
    assert Studio(broken).units["count"]


def test_without_a_network_or_torch_the_answer_says_so(z, monkeypatch):
    studio = Studio(z)
    answer, _ = studio._reply_to_action("clamp", {"units": ["b:0"]})
    assert (answer["ok"], answer["code"]) == (False, "inputs")
    answer, _ = studio._reply_to_action("clamp", {"units": ["b:7"]})
    assert answer["code"] == "unknown-unit"

    def missing(name):
        raise ImportError(name, name="torch")

    monkeypatch.setattr(live, "import_module", missing)
    with pytest.raises(NetworkError, match="torch is not installed"):
        circuits.outputs_before_and_while_clamped(z, ["b:0"])
    answer, _ = studio._reply_to_action("circuit", {"target": "husky"})
    assert answer["code"] == "network"


def test_a_reader_cannot_measure(z):
    answer, _ = Studio(z, read_only=True)._reply_to_action("circuit", {"target": "husky"})
    assert answer["code"] == "read-only"


def test_what_is_measured_is_kept_on_disk(z, tmp_path, monkeypatch):
    place = z.with_(notes={}).save(tmp_path / "z.z")
    studio = Studio(place)
    assert studio.graphs["circuits"] == {}
    monkeypatch.setattr(circuits, "with_measured_circuit", lambda z, target: z.with_graph(made()))
    answer, _ = studio._reply_to_action("circuit", {"target": "husky"})
    assert answer["ok"]
    assert set(studio.graphs["circuits"]) == {"husky"}
    assert load(place).graph("husky") == z.graph("husky")


def act(studio, edit, nodes=(), label=""):
    asked = {"target": "husky", "edit": edit, "nodes": list(nodes), "label": label}
    return studio._reply_to_action("regroup", asked)[0]


def words(studio):
    return sorted(n["words"] for n in studio.graphs["circuits"]["husky"]["nodes"] if n["words"])


def test_nodes_are_merged_renamed_split_and_undone_on_disk(z, tmp_path):
    place = z.save(tmp_path / "z.z")
    studio = Studio(place)
    assert studio.graphs["circuits"]["husky"]["automatic"]
    assert not studio.graphs["circuits"]["husky"]["undo"]
    assert act(studio, "merge", ["b:0", "b:1"], "ears")["said"] == "Shown together as ears."
    assert words(studio) == ["ears"]
    circuit = studio.graphs["circuits"]["husky"]
    assert (circuit["automatic"], circuit["undo"]) == (False, True)
    node = next(n["id"] for n in circuit["nodes"] if n["words"] == "ears")
    assert act(studio, "rename", [node], "pointed ears")["ok"]
    assert load(place).graph("husky").supernode_units() == {"pointed ears": ("b:0", "b:1")}
    # Another screen goes on from there, and takes both back.
    other = Studio(place)
    assert act(other, "undo")["ok"]
    assert words(other) == ["ears"]
    assert act(other, "split", ["ears"])["ok"]
    assert words(other) == []
    assert act(other, "automatic")["ok"]
    assert load(place).graph("husky").supernodes is None


@pytest.mark.parametrize(
    ("edit", "nodes", "label"),
    [
        ("merge", ["a:0", "b:0"], "x"),
        ("merge", ["b:0", "b:1"], ""),
        ("rename", [], "x"),
        ("split", ["b:0"], ""),
        ("undo", [], ""),
        ("explode", [], ""),
    ],
)
def test_edits_that_make_no_sense_change_nothing(z, edit, nodes, label):
    studio = Studio(z)
    before = studio.graphs
    answer = act(studio, edit, nodes, label)
    assert (answer["ok"], answer["code"]) == (False, "graph")
    assert studio.graphs == before
    assert act(Studio(z, read_only=True), edit, nodes, label)["code"] == "read-only"


def test_words_written_meanwhile_stay(z, tmp_path):
    place = z.save(tmp_path / "z.z")
    one, two = Studio(place), Studio(place)
    two._reply_to_action("annotate", {"unit": "a:0", "text": "grass"})
    assert act(one, "merge", ["b:0", "b:1"], "ears")["ok"]
    assert load(place).effective()["a:0"].text == "grass"
