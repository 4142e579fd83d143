from __future__ import annotations

import pytest

from circuitz.effects.circuit.graph import graph
from circuitz.errors import GraphError, InputsError, MeasurementError, UnitError
from circuitz.z.circuit.attribution_graph import graph_from_json_text

FEW = {"images": 60, "resamples": 50}


@pytest.fixture(scope="module")
def husky(deep):
    return graph(deep, "husky", **FEW)


def test_the_circuit_is_the_one_that_was_wired(husky):
    units = {n.id for n in husky.nodes if n.kind == "unit"}
    assert {"mixed:0", "colour:2"} <= units
    assert not units & {"mixed:3", "colour:3"}  # one drives nothing, one is never on
    shares = {(e.source, e.target): e for e in husky.edges}
    blue = shares["colour:2", "mixed:0"]
    assert (blue.share, blue.low, blue.high) == pytest.approx((1, 1, 1), abs=1e-5)
    top = shares["mixed:0", "output:husky"]
    assert top.low < top.share < top.high
    assert husky.node("mixed:0").influence > 0.5
    assert husky.node("mixed:0").influence == pytest.approx(husky.node("colour:2").influence)
    assert husky.node("output:husky").rank == 2


def test_scores_and_what_is_left(husky):
    assert husky.node("unexplained").influence == pytest.approx(1 - husky.scores["replacement"])
    assert 0.5 < husky.scores["replacement"] < 1
    assert 0.5 < husky.scores["completeness"] <= 1
    assert (
        husky.scores["recovered_low"] < husky.scores["recovered"] < husky.scores["recovered_high"]
    )
    assert husky.scores["recovered"] > 0.7
    assert husky.scores["lost_low"] < husky.scores["lost"] < husky.scores["lost_high"]
    assert husky.scores["lost"] > 0.7
    assert husky.counts == {"units": 8, "edges": 4 + 4 * 3, "images": 40}
    assert husky.stability["exact"] > 0.9


def test_keeping_everything_leaves_only_what_bends(deep):
    every = graph(deep, "husky", nodes=1, edges=1, **FEW)
    few = graph(deep, "husky", nodes=0.5, **FEW)
    assert every.scores["replacement"] > few.scores["replacement"]
    assert {n.id for n in few.nodes} <= {n.id for n in every.nodes}


def test_it_is_kept_with_z_and_takes_its_words_from_there(deep, husky):
    z = deep.with_graph(husky).annotate("mixed:0", "snow").annotate("colour:2", "blue")
    assert z.hash == deep.annotate("mixed:0", "snow").annotate("colour:2", "blue").hash
    assert z.graph("husky").node("mixed:0").words == "snow"
    assert z.graph("output:husky").node("colour:2").words == "blue"
    assert z.graph("husky").stale_parts(z) == ()
    with pytest.raises(GraphError, match="has not been measured"):
        z.graph("corgi")
    assert graph_from_json_text(z.graph("husky").to_json()) == z.graph("husky")


@pytest.mark.parametrize(
    ("change", "arguments", "error", "said"),
    [
        ({}, {"target": "cat"}, UnitError, "husky"),
        ({}, {"target": "husky", "nodes": 0}, GraphError, "from 0 to 1"),
        ({"data": None}, {"target": "husky"}, InputsError, "not at hand"),
        ({"measurements": None}, {"target": "husky"}, MeasurementError, "not been measured"),
    ],
)
def test_wrong_questions(deep, change, arguments, error, said):
    with pytest.raises(error, match=said):
        graph(deep.with_(**change), **arguments, **FEW)


def test_progress_goes_up_to_the_end(deep):
    seen = []
    graph(deep, "corgi", progress=lambda done, n: seen.append((done, n)), **FEW)
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
