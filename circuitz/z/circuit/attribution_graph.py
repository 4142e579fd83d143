"""Circuit graphs in the attribution-graph format of circuit-tracer and Neuronpedia.

``metadata``, ``qParams``, ``nodes`` and ``links``. A node's ``feature`` pairs layer and index:
``schema_version`` 1 by Cantor's pairing, files without one by layer · 10^k + index. Version 1 is
written, both are read. Words go into ``clerp``, sets of units into ``qParams.supernodes``; what the
format has no place for (unit ids, intervals, scores) goes into keys of ours beside it.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from circuitz.disk.json_io import loads
from circuitz.errors import CircuitzError, GraphError
from circuitz.z.circuit.circuit_graph import (
    UNEXPLAINED,
    CircuitGraph,
    Edge,
    Node,
    NodeKind,
    class_node_id,
    ordered_edges,
    ordered_nodes,
)
from circuitz.z.unit import Unit

SCHEMA = 1
_TYPES: dict[NodeKind, str] = {
    "unit": "cross layer transcoder",
    "unexplained": "mlp reconstruction error",
    "class": "logit",
    "input": "embedding",
}
# What nodes that are no units have instead of an index.
_PLACES: dict[NodeKind, int] = {"unexplained": -1, "class": 0, "input": -2}
# Fields by their names in files.
_FIELD_OF_KEY = {
    "scores": "scores",
    "kept": "pruned_to",
    "counts": "counts",
    "stability": "stability",
    "settings": "settings",
}


def cantor_pair(layer: int, index: int) -> int:
    """Return the one number that stands for a layer and an index."""
    return (layer + index) * (layer + index + 1) // 2 + index


def cantor_unpair(number: int) -> tuple[int, int]:
    """Return layer and index of a number that :func:`cantor_pair` made."""
    diagonal = (math.isqrt(8 * number + 1) - 1) // 2
    index = number - diagonal * (diagonal + 1) // 2
    return diagonal - index, index


def graph_to_json_text(graph: CircuitGraph) -> str:
    """Return a graph as JSON text."""
    text = json.dumps(graph_as_json_object(graph), ensure_ascii=False, allow_nan=False, indent=1)
    return text + "\n"


def graph_as_json_object(graph: CircuitGraph) -> dict[str, Any]:
    """Return a graph as a JSON object."""
    keys = {node.id: _exported_node_id(node, i) for i, node in enumerate(graph.nodes)}
    sets = [
        [label, *(keys[m] for m in ids if m in keys)]
        for label, ids in graph.supernode_units().items()
    ]
    return {
        "metadata": {
            "slug": f"circuitz-{graph.target}",
            "scan": "circuitz",
            "transcoder_list": [],
            "prompt_tokens": [graph.target],
            "prompt": graph.target,
            "node_threshold": graph.pruned_to.get("nodes"),
            "schema_version": SCHEMA,
            "circuitz": {
                "target": graph.target,
                "layers": list(graph.layers),
                "supernodes": None
                if graph.supernodes is None
                else {k: list(v) for k, v in graph.supernodes.items()},
                **{key: dict(getattr(graph, name)) for key, name in _FIELD_OF_KEY.items()},
            },
        },
        "qParams": {
            "pinnedIds": [keys[n.id] for n in graph.nodes],
            "supernodes": sets,
            "linkType": "both",
            "clickedId": "",
            "sg_pos": "",
        },
        "nodes": [_node_record(node, keys[node.id], graph) for node in graph.nodes],
        "links": [
            {
                "source": keys[e.source],
                "target": keys[e.target],
                "weight": e.share,
                "low": e.low,
                "high": e.high,
            }
            for e in graph.edges
        ],
    }


def _exported_node_id(node: Node, position: int) -> str:
    if node.kind == "unit":
        index = Unit.parse(node.id).index if not node.members else position
        return f"{node.rank}_{index}_0"
    return f"{node.rank}_{_PLACES[node.kind]}_0"


def _node_record(node: Node, key: str, graph: CircuitGraph) -> dict[str, Any]:
    index = int(key.split("_")[1])
    unit = node.kind == "unit"
    return {
        "node_id": key,
        "feature": cantor_pair(node.rank, index) if unit else index,
        "layer": str(node.rank),
        "ctx_idx": 0,
        "feature_type": _TYPES[node.kind],
        "jsNodeId": f"{node.rank}_{index}-0",
        "clerp": node.words or (graph.target if node.kind == "class" else ""),
        "influence": node.influence,
        "activation": None,
        "token_prob": 0.0,
        "is_target_logit": node.kind == "class",
        "run_idx": 0,
        "reverse_ctx_idx": 0,
        "unit": node.id,
        "unit_layer": node.layer,
        "concepts": list(node.concepts),
        "members": list(node.members),
    }


def graph_from_json_text(text: str | bytes) -> CircuitGraph:
    """Read a graph; one that others wrote has units named ``layer3:17`` after layer and index.

    Raises
    ------
    GraphError
        If it is no attribution graph, or an edge leads to a node that is not there.
    """
    try:
        record = loads(text.encode() if isinstance(text, str) else text, "The graph")
    except CircuitzError as problem:
        raise GraphError(f"That is no JSON: {problem.message}", "See --out FILE.json.") from problem
    return graph_from_record(record)


def graph_from_record(record: Any) -> CircuitGraph:
    """Return the graph a JSON object says.

    Raises
    ------
    GraphError
        As :func:`graph_from_json_text`.
    """
    try:
        return _parse_graph(record)
    except (KeyError, TypeError, ValueError, AttributeError, CircuitzError) as problem:
        if isinstance(problem, GraphError):
            raise
        raise GraphError(
            f"That is no attribution graph ({type(problem).__name__}: {problem}).",
            "It needs metadata, qParams, nodes and links.",
        ) from problem


def _parse_graph(record: Any) -> CircuitGraph:
    meta = cast("Mapping[str, Any]", record["metadata"])
    ours = meta.get("circuitz") or {}
    version = meta.get("schema_version")
    if version not in (None, 0, SCHEMA):
        raise GraphError(f"It has schema version {version}.", f"This reads up to {SCHEMA}.")
    nodes: dict[str, Node] = {}
    for item in record["nodes"]:
        key = str(item["node_id"])
        if key in nodes:
            raise GraphError(f"Two nodes are called {key!r}.", "The file is damaged.")
        nodes[key] = _parse_node(item, version, bool(ours))
    times = Counter(node.id for node in nodes.values())
    nodes = {k: _node_with_key_in_id(n, k) if times[n.id] > 1 else n for k, n in nodes.items()}
    edges: list[Edge] = []
    for link in record["links"]:
        source, target = str(link["source"]), str(link["target"])
        missing = {source, target} - set(nodes)
        if missing:
            raise GraphError(f"An edge leads to {min(missing)!r}, which is no node.", "")
        low, high = link.get("low"), link.get("high")
        ends = nodes[source].id, nodes[target].id
        edges.append(
            Edge(
                *ends,
                _require_finite_number(link["weight"]),
                _none_or_finite_number(low),
                _none_or_finite_number(high),
            )
        )
    target = ours.get("target") or next(
        (n.words or n.id for n in nodes.values() if n.kind == "class"), str(meta.get("slug", ""))
    )
    layers = ours.get("layers") or [
        f"layer{rank}" for rank in range(max((n.rank for n in nodes.values()), default=0))
    ]
    return CircuitGraph(
        target=str(target),
        layers=tuple(map(str, layers)),
        nodes=ordered_nodes(nodes.values()),
        edges=ordered_edges(edges),
        supernodes=_parse_supernodes(record, ours, nodes),
        **{name: dict(ours.get(key) or {}) for key, name in _FIELD_OF_KEY.items()},
    )


def _parse_supernodes(
    record: Any, ours: Mapping[str, Any], nodes: Mapping[str, Node]
) -> dict[str, tuple[str, ...]] | None:
    if ours:
        given = ours.get("supernodes")
        return None if given is None else {str(k): tuple(map(str, v)) for k, v in given.items()}
    sets = record.get("qParams", {}).get("supernodes") or []
    found = {str(label): tuple(nodes[k].id for k in ids if k in nodes) for label, *ids in sets}
    return found or None


def _parse_node(item: Mapping[str, Any], version: Any, ours: bool) -> Node:
    kinds: dict[str, NodeKind] = {name: kind for kind, name in _TYPES.items()}
    kind: NodeKind = kinds.get(str(item["feature_type"]), "unit")
    if kind == "input" and not ours:
        kind = "unit"  # others have an embedding a token
    layer = str(item["layer"])
    rank = int(layer) if layer.isdigit() else 0
    words = str(item.get("clerp") or "")
    influence = _require_finite_number(item.get("influence") or 0.0)
    concepts, members = (tuple(map(str, item.get(k) or ())) for k in ("concepts", "members"))
    if ours:
        name, home = str(item["unit"]), str(item.get("unit_layer") or "")
        return Node(
            name, kind, rank, home, influence, words if kind == "unit" else "", concepts, members
        )
    if kind == "class":
        name = class_node_id(words or str(item["node_id"]))
    elif kind == "unexplained":
        name = UNEXPLAINED
    else:
        index = unit_index_from_feature(int(item["feature"]), layer, version)
        name = f"{'layer' if layer.isdigit() else ''}{layer}:{index}"
        at = int(item.get("ctx_idx") or 0)
        name += f"@pos{at}" if at else ""
    return Node(
        name,
        kind,
        rank,
        f"layer{layer}" if kind == "unit" else "",
        influence,
        words,
        concepts,
        members,
    )


def unit_index_from_feature(feature: int, layer: str, version: Any) -> int:
    """Return the index of a unit in its layer from the number that stands for both.

    Raises
    ------
    GraphError
        If the number does not belong to the layer.
    """
    if not layer.isdigit():
        return feature
    if version == SCHEMA:
        home, index = cantor_unpair(feature)
        if home != int(layer):
            raise GraphError(f"Feature {feature} belongs to layer {home}, not {layer}.", "")
        return index
    digits = str(feature)
    if int(layer) == 0:
        return feature
    if not digits.startswith(layer) or len(digits) == len(layer):
        raise GraphError(f"Feature {feature} does not belong to layer {layer}.", "")
    return int(digits[len(layer) :])


def _node_with_key_in_id(node: Node, key: str) -> Node:
    """Tell nodes of one name apart by their key in the file (what is unexplained, a layer each)."""
    return Node(
        f"{node.id} {key}", node.kind, node.rank, node.layer, node.influence, node.words,
        node.concepts, node.members,
    )  # fmt: skip


def _require_finite_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise GraphError(f"{value!r} is no number.", "The file is damaged.")
    return float(value)


def _none_or_finite_number(value: Any) -> float | None:
    return None if value is None else _require_finite_number(value)
