"""Graphs of others: what circuit-tracer and Neuronpedia write."""

from __future__ import annotations

import json

import pytest

from circuitz.errors import GraphError
from circuitz.z.circuit.attribution_graph import (
    cantor_pair,
    graph_from_json_text,
    unit_index_from_feature,
)


def theirs(version=1):
    """Two features, an error node and a logit, as circuit-tracer numbers them."""

    def number(layer, index):
        return cantor_pair(layer, index) if version == 1 else layer * 10**5 + index

    nodes = [
        {"node_id": "3_42_1", "feature": number(3, 42), "layer": "3", "ctx_idx": 1,
         "feature_type": "cross layer transcoder", "jsNodeId": "3_42-0", "clerp": "Texas",
         "influence": 0.3},
        {"node_id": "7_7_2", "feature": number(7, 7), "layer": "7", "ctx_idx": 2,
         "feature_type": "cross layer transcoder", "jsNodeId": "7_7-0", "clerp": "capital"},
        {"node_id": "5_-1_2", "feature": -1, "layer": "5", "ctx_idx": 2,
         "feature_type": "mlp reconstruction error", "jsNodeId": "5_-1-2"},
        {"node_id": "6_-1_2", "feature": -1, "layer": "6", "ctx_idx": 2,
         "feature_type": "mlp reconstruction error", "jsNodeId": "6_-1-2"},
        {"node_id": "E_100_0", "feature": 0, "layer": "E", "ctx_idx": 0,
         "feature_type": "embedding", "jsNodeId": "E_100-0", "clerp": "the"},
        {"node_id": "9_502_2", "feature": 502, "layer": "9", "ctx_idx": 2, "feature_type": "logit",
         "is_target_logit": True, "token_prob": 0.4, "jsNodeId": "L_502-2", "clerp": "Austin"},
    ]  # fmt: skip
    links = [
        {"source": "3_42_1", "target": "7_7_2", "weight": 2.5},
        {"source": "5_-1_2", "target": "7_7_2", "weight": -0.5},
        {"source": "7_7_2", "target": "9_502_2", "weight": 4},
    ]
    meta = {"slug": "austin", "scan": "gemma-2-2b", "prompt_tokens": ["the"], "prompt": "the"}
    if version is not None:
        meta["schema_version"] = version
    params = {"pinnedIds": [], "supernodes": [["places", "3_42_1", "7_7_2"]], "linkType": "both",
              "clickedId": "", "sg_pos": ""}  # fmt: skip
    return {"metadata": meta, "qParams": params, "nodes": nodes, "links": links}


@pytest.mark.parametrize("version", [1, None])
def test_features_are_told_by_layer_and_index_in_both_numberings(version):
    graph = graph_from_json_text(json.dumps(theirs(version)))
    units = {n.id: n for n in graph.nodes if n.kind == "unit"}
    assert set(units) == {"layer3:42@pos1", "layer7:7@pos2", "E:0"}
    assert units["layer3:42@pos1"].words == "Texas"
    assert graph.target == "Austin"
    assert ("layer3:42@pos1", "layer7:7@pos2") in {(e.source, e.target) for e in graph.edges}
    assert graph.supernodes == {"places": ("layer3:42@pos1", "layer7:7@pos2")}


def test_units_of_ours_have_the_words_and_numbers_others_look_for():
    from circuitz.z.circuit.circuit_graph import CircuitGraph, Edge, Node

    nodes = (
        Node("conv1:5", "unit", 0, "conv1", 0.5, "white"),
        Node("conv4:17", "unit", 1, "conv4", 0.5, "snow"),
        Node("output:husky", "class", 2, influence=1.0),
    )
    edges = (Edge("conv1:5", "conv4:17", 0.5, 0.4, 0.6), Edge("conv4:17", "output:husky", 0.5))
    record = json.loads(CircuitGraph("husky", ("conv1", "conv4"), nodes, edges).to_json())
    assert record["metadata"]["schema_version"] == 1
    snow = next(n for n in record["nodes"] if n["unit"] == "conv4:17")
    assert snow["clerp"] == "snow"
    assert snow["node_id"] == "1_17_0"
    assert snow["feature"] == cantor_pair(1, 17)
    logit = next(n for n in record["nodes"] if n["feature_type"] == "logit")
    assert logit["is_target_logit"]
    assert logit["clerp"] == "husky"
    assert {link["source"] for link in record["links"]} <= {n["node_id"] for n in record["nodes"]}
    assert {type(n["layer"]) for n in record["nodes"]} == {str}


def test_influence_is_written_cumulative_and_comes_back_exactly():
    from circuitz.z.circuit.circuit_graph import CircuitGraph, Edge, Node

    flows = {"conv1:5": 0.25, "conv1:6": 0.5, "conv4:17": 0.75}
    nodes = (
        Node("unexplained", "unexplained", 0, influence=0.5),
        Node("conv1:6", "unit", 0, "conv1", 0.5),
        Node("conv1:5", "unit", 0, "conv1", 0.25),
        Node("conv4:17", "unit", 1, "conv4", 0.75),
        Node("output:husky", "class", 2, influence=1.0),
    )
    graph = CircuitGraph("husky", ("conv1", "conv4"), nodes, (Edge("conv1:5", "conv4:17", 0.5),))
    record = json.loads(graph.to_json())
    written = {n["unit"]: n["influence"] for n in record["nodes"]}
    assert written["output:husky"] is None
    assert written["conv4:17"] == 0.75 / 2
    assert sorted(flows, key=written.__getitem__) == ["conv4:17", "conv1:6", "conv1:5"]
    assert written["conv1:5"] == 1
    assert graph_from_json_text(graph.to_json()) == graph
    # As another program writes it on, without keys of ours on nodes: parts of all influence.
    for node in record["nodes"]:
        del node["share"]
    again = {n.id: n.influence for n in graph_from_json_text(json.dumps(record)).nodes}
    assert again["conv4:17"] == pytest.approx(0.75 / 2)
    assert again["output:husky"] == 1
    # As it was written before: shares, and no word of how.
    del record["metadata"]["circuitz"]["influence"]
    for node in record["nodes"]:
        node["influence"] = flows.get(node["unit"], 1.0)
    before = {n.id: n.influence for n in graph_from_json_text(json.dumps(record)).nodes}
    assert flows.items() <= before.items()


def test_influence_of_others_is_cumulative_whatever_shows_it():
    record = theirs()
    for node, influence in zip(record["nodes"], (0.9, 0.5, 0.7, 1.0, None, None), strict=True):
        node["influence"] = influence
    graph = graph_from_json_text(json.dumps(record))
    shares = {n.id: n.influence for n in graph.nodes}
    assert shares["layer7:7@pos2"] == 0.5
    assert shares["layer3:42@pos1"] == pytest.approx(0.2)
    assert shares["output:Austin"] == 1
    hover = [t for trace in graph.figure(grouped=False).data for t in (trace.hovertext or ())]
    assert any("layer7:7@pos2" in text and "influence 50%" in text for text in hover)
    (merged,) = [n for n in graph.collapse_supernodes().nodes if n.members]
    assert merged.influence == pytest.approx(0.7)


def test_weights_of_others_are_no_shares_and_are_shown_as_what_they_are():
    graph = graph_from_json_text(json.dumps(theirs()))
    traces = graph.figure(grouped=False).data[:-1]
    assert {t.hovertext.rpartition(": ")[2] for t in traces} == {
        "attribution +4", "attribution +2.5", "attribution -0.5",
    }  # fmt: skip
    widths = {t.hovertext.rpartition(" ")[2]: t.line.width for t in traces}
    assert widths["+4"] == max(widths.values()) > widths["+2.5"] > widths["-0.5"]
    # A set over two layers keeps no edge to itself.
    assert all(edge.source != edge.target for edge in graph.collapse_supernodes().edges)
    again = graph_from_json_text(graph.to_json())
    assert again.settings["weights"] == "attribution"
    assert again.edges == graph.edges


def test_a_graph_of_others_is_written_with_an_id_for_every_node():
    record = theirs()
    first, logit = record["nodes"][0], record["nodes"][-1]
    record["nodes"] += [
        first | {"node_id": "3_42_4", "ctx_idx": 4},
        record["nodes"][2] | {"node_id": "5_-1_4", "ctx_idx": 4},
        logit | {"node_id": "9_7_2", "clerp": "Dallas", "is_target_logit": False},
        record["nodes"][4] | {"node_id": "some embedding", "feature": None},
    ]
    graph = graph_from_json_text(json.dumps(record))
    written = json.loads(graph.to_json())
    assert len({n["node_id"] for n in written["nodes"]}) == len(record["nodes"])
    assert len({n["jsNodeId"] for n in written["nodes"]}) == len(record["nodes"])
    again = graph_from_json_text(json.dumps(written))
    assert [(n.id, n.influence) for n in again.nodes] == [(n.id, n.influence) for n in graph.nodes]
    assert (again.edges, again.target) == (graph.edges, graph.target)


def test_a_file_without_influence_gets_it_from_its_links_and_says_so():
    record = theirs()
    for node in record["nodes"]:
        node.pop("influence", None)
    graph = graph_from_json_text(json.dumps(record))
    shares = {n.id: n.influence for n in graph.nodes}
    # All of the logit is layer 7's, of which 2.5 of 3 parts are layer 3's.
    assert shares["layer7:7@pos2"] == pytest.approx(1 / 2)
    assert shares["layer3:42@pos1"] == pytest.approx(2.5 / 3 / 2)
    assert "computed from its links" in graph.settings["remarks"][0]


def test_a_feature_may_be_null_or_numbered_in_another_way():
    record = theirs()
    record["nodes"][0].update(feature=None)
    record["nodes"][1].update(feature=None, feature_type="lorsa", layer=7)
    record["nodes"][2].update(feature=None, feature_type="lorsa error")
    record["nodes"][4].update(node_id="some embedding", feature=None)
    graph = graph_from_json_text(json.dumps(record))
    units = {n.id for n in graph.nodes if n.kind == "unit"}
    assert units == {"layer3:42@pos1", "layer7:7@pos2", "E:some_embedding"}
    assert sum(n.kind == "unexplained" for n in graph.nodes) == 2
    assert graph.figure()
    record = theirs()
    record["nodes"][0].update(feature=42)
    graph = graph_from_json_text(json.dumps(record))
    assert "layer3:42@pos1" in {n.id for n in graph.nodes}


def test_the_class_is_the_logit_the_file_calls_its_target():
    record = theirs()
    other = record["nodes"][-1] | {"node_id": "9_7_2", "clerp": "Dallas", "is_target_logit": False}
    other["token_prob"] = 0.1
    record["nodes"].insert(0, other)
    graph = graph_from_json_text(json.dumps(record))
    assert graph.target == "Austin"
    assert graph.node("output:Dallas").influence == pytest.approx(0.2)


def test_numbers_of_either_kind():
    assert unit_index_from_feature(cantor_pair(12, 3456), "12", 1) == 3456
    assert unit_index_from_feature(12 * 10**5 + 3456, "12", None) == 3456
    assert unit_index_from_feature(42, "0", None) == 42
    with pytest.raises(GraphError, match="belongs to layer"):
        unit_index_from_feature(cantor_pair(12, 3456), "11", 1)
    with pytest.raises(GraphError, match="does not belong"):
        unit_index_from_feature(12, "12", None)


def broken(change):
    record = theirs()
    change(record)
    return json.dumps(record)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"nodes": []}',
        "{" * 5000,
        broken(lambda r: r["links"].append({"source": "x", "target": "7_7_2", "weight": 1})),
        broken(lambda r: r["links"][0].update(weight="many")),
        broken(lambda r: r["links"][0].update(weight=True)),
        broken(lambda r: r["nodes"].append(r["nodes"][0])),
        broken(lambda r: r["nodes"][0].update(feature="a")),
        broken(lambda r: r["nodes"][0].pop("layer")),
        broken(lambda r: r["metadata"].update(schema_version=7)),
        broken(lambda r: r["metadata"].update(circuitz={"target": "x", "supernodes": 3})),
        broken(lambda r: r.update(nodes={"a": 1})),
        broken(lambda r: r["qParams"].update(supernodes=[[]])),
    ],
)
def test_what_is_no_graph_is_named(text):
    with pytest.raises(GraphError):
        graph_from_json_text(text)
