from __future__ import annotations

import json

import pytest

from circuitz.cli import graph as command
from circuitz.cli.shell import main
from circuitz.z.bundle.load_save import load
from circuitz.z.circuit.attribution_graph import graph_from_json_text
from circuitz.z.circuit.circuit_graph import CircuitGraph, Edge, Node
from circuitz.z.model import AnnotatedModel

SETTINGS = {"split": "test", "images": 120, "seed": 0}


def made():
    nodes = (
        Node("unexplained", "unexplained", 0, influence=0.4),
        Node("a:0", "unit", 0, "a", 0.6),
        Node("output:husky", "class", 1, influence=1.0),
    )
    edges = (
        Edge("a:0", "output:husky", 0.5, 0.4, 0.6),
        Edge("unexplained", "output:husky", 0.4),
    )
    scores = {"replacement": 0.6, "completeness": 0.6, "recovered": 0.5}
    scores |= {"recovered_low": 0.4, "recovered_high": 0.6}
    return CircuitGraph(
        "husky", ("a",), nodes, edges, scores, {"nodes": 0.8, "edges": 0.98}, settings=SETTINGS
    )


@pytest.fixture
def place(tmp_path):
    z = AnnotatedModel("z", ("husky", "corgi")).with_graph(made())
    return z.save(tmp_path / "z.z")


def run(capsys, monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["circuitz", "graph", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    told = capsys.readouterr()
    return stop.value.code, told.out, told.err


def test_what_is_kept_is_told_without_running_anything(place, capsys, monkeypatch):
    code, out, _ = run(capsys, monkeypatch, place, "--class", "husky")
    assert code == 0
    assert "replacement 0.60" in out
    assert "a:0 → output:husky" in out
    code, out, _ = run(capsys, monkeypatch, place, "--class", "husky", "--json")
    assert graph_from_json_text(out) == load(place).graph("husky")


def test_files(place, tmp_path, capsys, monkeypatch):
    pytest.importorskip("plotly")
    file, page = tmp_path / "g.json", tmp_path / "g.html"
    assert run(capsys, monkeypatch, place, "--class", "husky", "--out", file)[0] == 0
    assert json.loads(file.read_text())["metadata"]["schema_version"] == 1
    assert run(capsys, monkeypatch, place, "--class", "husky", "--out", page)[0] == 0
    text = page.read_text()
    assert "husky: replacement 60%" in text
    assert '<script src="http' not in text
    code, _, err = run(capsys, monkeypatch, place, "--class", "husky", "--out", tmp_path / "g.png")
    assert code == 1
    assert "neither .html nor .json" in err


def test_other_questions_are_measured_and_kept(place, capsys, monkeypatch):
    asked = []

    def measure(z, target, *, progress, **arguments):
        asked.append((target, arguments))
        progress(1, 1)
        return made()

    monkeypatch.setattr("circuitz.effects.circuit.graph.graph", measure)
    for extra in (["--nodes", "0.5"], ["--fresh"], ["--images", "60"], ["--basis", "conv4@nmf"]):
        assert run(capsys, monkeypatch, place, "--class", "husky", *extra)[0] == 0
    assert [a["nodes"] for _, a in asked] == [0.5, 0.8, 0.8, 0.8]
    assert [a["bases"] for _, a in asked] == [[], [], [], ["conv4@nmf"]]
    assert load(place).graph("husky") == AnnotatedModel("z", ("husky",)).with_graph(made()).graph(
        "husky"
    )
    assert command.graph.__doc__


def test_a_class_that_is_not_there(place, capsys, monkeypatch):
    code, _, err = run(capsys, monkeypatch, place, "--class", "cat")
    assert code == 1
    assert "husky" in err or "live module" in err
