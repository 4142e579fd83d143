"""A feature and an error node of one id: links go to the one they belong to."""

from __future__ import annotations

import json

import pytest

from circuitz.errors import GraphError
from circuitz.z.circuit.attribution_graph import cantor_pair, graph_from_json_text
from circuitz.z.circuit.shared_node_ids import separate_shared_ids

FEATURE, ERROR = "cross layer transcoder", "mlp reconstruction error"


def node(name, layer, kind=FEATURE):
    return {"node_id": name, "layer": str(layer), "feature_type": kind, "ctx_idx": 1}


# Feature 5 of layer 0 and the error node of layer 5 at position 1, among others.
NODES = [
    node("0_5_1", 0), node("0_9_1", 0), node("2_7_1", 2), node("6_3_1", 6), node("7_8_1", 7),
    node("0_5_1", 5, ERROR), node("0_6_1", 6, ERROR), node("E_4_1", "E", "embedding"),
    node("9_1_1", 9, "logit"),
]  # fmt: skip
OF_ERROR = "5_-1_1"


def sources(*links):
    """Keys of the sources after ids were made distinct."""
    made = separate_shared_ids(NODES, [{"source": a, "target": b} for a, b in links])
    return [source for source, _ in made.links], made.remarks


def test_keys_are_distinct_and_the_feature_keeps_its_id():
    keys = separate_shared_ids(NODES, []).nodes
    assert len(set(keys)) == len(NODES)
    assert keys[0] == "0_5_1"
    assert keys[5] == OF_ERROR


def test_what_works_on_the_id_works_on_the_feature():
    made = separate_shared_ids(NODES, [{"source": "E_4_1", "target": "0_5_1"}])
    assert made.links == (("E_4_1", "0_5_1"),)


def test_an_error_works_on_later_layers_alone():
    keys, remarks = sources(("0_5_1", "2_7_1"))
    assert keys == ["0_5_1"]
    assert not any("guessed" in remark for remark in remarks)


def test_of_two_links_to_one_node_the_second_is_the_errors():
    keys, remarks = sources(("0_5_1", "9_1_1"), ("0_6_1", "9_1_1"), ("0_5_1", "9_1_1"))
    assert keys == ["0_5_1", "0_6_1", OF_ERROR]
    assert not any("guessed" in remark for remark in remarks)


@pytest.mark.parametrize(
    ("links", "key"),
    [
        ([("0_5_1", "7_8_1"), ("2_7_1", "7_8_1"), ("0_6_1", "7_8_1")], "0_5_1"),
        ([("0_5_1", "7_8_1"), ("0_9_1", "7_8_1")], "0_5_1"),
        ([("0_6_1", "7_8_1"), ("0_5_1", "7_8_1")], OF_ERROR),
        ([("6_3_1", "7_8_1"), ("0_5_1", "7_8_1"), ("E_4_1", "7_8_1")], OF_ERROR),
    ],
)
def test_a_single_link_is_placed_by_the_order_the_format_writes(links, key):
    keys, remarks = sources(*links)
    assert {"0_5_1", OF_ERROR} & set(keys) == {key}
    assert not any("guessed" in remark for remark in remarks)


@pytest.mark.parametrize(
    "links",
    [
        [("0_5_1", "7_8_1")],
        [("0_6_1", "7_8_1"), ("0_5_1", "7_8_1"), ("0_6_1", "9_1_1"), ("2_7_1", "9_1_1")],
    ],
)
def test_where_nothing_tells_it_is_a_guess_and_called_one(links):
    keys, remarks = sources(*links)
    assert "0_5_1" in keys
    assert "1 links of such ids could be either's; guessed" in remarks[1]


def test_two_features_of_one_id_are_a_damaged_file():
    with pytest.raises(GraphError, match="Two nodes are called"):
        separate_shared_ids([node("0_5_1", 0), node("0_5_1", 5)], [])
    with pytest.raises(GraphError, match="Two nodes are called"):
        separate_shared_ids([*NODES, node("0_5_1", 4, ERROR)], [])


def test_a_graph_with_shared_ids_has_both_nodes_and_says_so():
    def whole(item, feature):
        return item | {"feature": feature, "jsNodeId": "x", "clerp": "", "influence": None}

    nodes = [
        whole(NODES[0], cantor_pair(0, 5)), whole(NODES[5], -1), whole(NODES[3], cantor_pair(6, 3)),
        whole(NODES[8], 1),
    ]  # fmt: skip
    links = [
        {"source": "0_5_1", "target": "6_3_1", "weight": 2.0},
        {"source": "0_5_1", "target": "6_3_1", "weight": -1.0},
        {"source": "6_3_1", "target": "9_1_1", "weight": 1.0},
    ]
    meta = {"slug": "s", "scan": "m", "prompt_tokens": ["p"], "prompt": "p", "schema_version": 1}
    graph = graph_from_json_text(
        json.dumps({"metadata": meta, "qParams": {}, "nodes": nodes, "links": links})
    )
    shares = {(e.source, e.share) for e in graph.edges if e.target == "layer6:3@pos1"}
    assert shares == {("layer0:5@pos1", 2.0), ("unexplained", -1.0)}
    assert "made distinct" in graph.settings["remarks"][0]
    assert "made distinct" in repr(graph)
