"""Circuit graphs in the attribution-graph format of circuit-tracer and Neuronpedia.

``metadata``, ``qParams``, ``nodes`` and ``links``. A node's ``feature`` pairs layer and index:
``schema_version`` 1 by Cantor's pairing, files without one by layer · 10^k + index. Version 1 is
written, both are read. Words go into ``clerp``, sets of units into ``qParams.supernodes``; what the
format has no place for (unit ids, intervals, scores) goes into keys of ours beside it.

``influence`` is cumulative in files (:mod:`circuitz.z.circuit.node_influence`), and the share itself
stands beside it as ``share``. Older files of ours, and what a bundle keeps, have no ``share`` and say
nothing of it in ``metadata.circuitz``: their ``influence`` is the share. Whatever was not simply read
is said in ``settings["remarks"]``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from circuitz.disk.json_io import loads
from circuitz.errors import CircuitzError, GraphError, UnitError
from circuitz.z.circuit.circuit_graph import (
    REMARKS,
    UNEXPLAINED,
    WEIGHTS,
    CircuitGraph,
    Edge,
    Node,
    NodeKind,
    class_node_id,
    ordered_edges,
    ordered_nodes,
)
from circuitz.z.circuit.feature_numbers import (
    SCHEMA,
    cantor_pair,
    cantor_unpair,
    none_or_finite_number,
    require_finite_number,
    unit_index_from_feature,
    unit_index_of_record,
)
from circuitz.z.circuit.node_influence import (
    CUMULATIVE,
    cumulative_influence,
    influence_of_records,
)
from circuitz.z.circuit.shared_node_ids import is_error_node, separate_shared_ids
from circuitz.z.unit import Unit

__all__ = [
    "SCHEMA",
    "cantor_pair",
    "cantor_unpair",
    "graph_as_json_object",
    "graph_from_json_text",
    "graph_from_record",
    "graph_to_json_text",
    "unit_index_from_feature",
]

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


def graph_to_json_text(graph: CircuitGraph) -> str:
    """Return a graph as JSON text."""
    record = graph_as_json_object(graph, for_viewers=True)
    return json.dumps(record, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def graph_as_json_object(graph: CircuitGraph, *, for_viewers: bool = False) -> dict[str, Any]:
    """Return a graph as a JSON object.

    Parameters
    ----------
    graph
        The graph.
    for_viewers
        Whether ``influence`` is cumulative, as other programs read it; else it is the share, as
        bundles have kept it from the first.
    """
    keys = _exported_node_ids(graph)
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
                **({"influence": CUMULATIVE} if for_viewers else {}),
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
        "nodes": _node_records(graph, keys, for_viewers),
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


def _exported_node_ids(graph: CircuitGraph) -> dict[str, str]:
    """Return ``rank_index_position`` for each node; those of one place get the next position."""
    keys, taken = dict[str, str](), set[str]()
    for i, node in enumerate(graph.nodes):
        index, position = _PLACES.get(node.kind, i), 0
        if node.kind == "unit" and not node.members:
            try:
                unit = Unit.parse(node.id)
                index, position = unit.index, unit.position or 0
            except UnitError:
                pass  # files of others have nodes that say no index
        while (key := f"{node.rank}_{index}_{position}") in taken:
            position += 1
        taken.add(key)
        keys[node.id] = key
    return keys


def _node_records(
    graph: CircuitGraph, keys: Mapping[str, str], for_viewers: bool
) -> list[dict[str, Any]]:
    if not for_viewers:
        return [
            _node_record(n, keys[n.id], graph) | {"influence": n.influence} for n in graph.nodes
        ]
    parts = [node for node in graph.nodes if node.kind != "class"]
    sums = cumulative_influence([node.influence for node in parts])
    cumulative = {node.id: value for node, value in zip(parts, sums, strict=True)}
    return [
        _node_record(n, keys[n.id], graph)
        | {"influence": cumulative.get(n.id), "share": n.influence}
        for n in graph.nodes
    ]


def _node_record(node: Node, key: str, graph: CircuitGraph) -> dict[str, Any]:
    index, position = map(int, key.split("_")[1:])
    unit = node.kind == "unit"
    return {
        "node_id": key,
        "feature": cantor_pair(node.rank, index) if unit else index,
        "layer": str(node.rank),
        "ctx_idx": 0,
        "feature_type": _TYPES[node.kind],
        "jsNodeId": f"{node.rank}_{index}-{position}",
        "clerp": node.words or (graph.target if node.kind == "class" else ""),
        "influence": None,
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
    ours: Mapping[str, Any] = meta.get("circuitz") or {}
    version = meta.get("schema_version")
    if version not in (None, 0, SCHEMA):
        raise GraphError(f"It has schema version {version}.", f"This reads up to {SCHEMA}.")
    items: list[Mapping[str, Any]] = list(record["nodes"])
    links: list[Mapping[str, Any]] = list(record["links"])
    keys = separate_shared_ids(items, links)
    nodes = {
        key: _parse_node(item, version, bool(ours))
        for key, item in zip(keys.nodes, items, strict=True)
    }
    missing = {end for ends in keys.links for end in ends} - set(nodes)
    if missing:
        raise GraphError(f"An edge leads to {min(missing)!r}, which is no node.", "")
    weights = [require_finite_number(link["weight"]) for link in links]
    place = {key: i for i, key in enumerate(keys.nodes)}
    flow = influence_of_records(
        items,
        [i for i, key in enumerate(keys.nodes) if nodes[key].kind == "class"],
        [(place[source], place[target]) for source, target in keys.links],
        weights,
        ours,
    )
    times = Counter(node.id for node in nodes.values())
    for key, share in zip(keys.nodes, flow.shares, strict=True):
        name = f"{nodes[key].id} {key}" if times[nodes[key].id] > 1 else nodes[key].id
        nodes[key] = replace(nodes[key], id=name, influence=share)
    edges = [
        Edge(
            nodes[source].id,
            nodes[target].id,
            weight,
            none_or_finite_number(link.get("low")),
            none_or_finite_number(link.get("high")),
        )
        for (source, target), weight, link in zip(keys.links, weights, links, strict=True)
    ]
    layers = ours.get("layers") or [
        f"layer{rank}" for rank in range(max((n.rank for n in nodes.values()), default=0))
    ]
    fields = {name: dict(ours.get(key) or {}) for key, name in _FIELD_OF_KEY.items()}
    remarks = [*keys.remarks, *flow.remarks]
    if not ours:
        # What their links weigh is in units of activation: no share of anything.
        fields["settings"] = {**fields["settings"], WEIGHTS: "attribution"}
    if remarks:
        fields["settings"] = {**fields["settings"], REMARKS: remarks}
    return CircuitGraph(
        target=_parse_target(meta, ours, items, keys.nodes, nodes),
        layers=tuple(map(str, layers)),
        nodes=ordered_nodes(nodes.values()),
        edges=ordered_edges(edges),
        supernodes=_parse_supernodes(record, ours, nodes),
        **fields,
    )


def _parse_target(
    meta: Mapping[str, Any],
    ours: Mapping[str, Any],
    items: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    nodes: Mapping[str, Node],
) -> str:
    """Return the class: of several logits the one the file calls the target, else the first."""
    if ours.get("target"):
        return str(ours["target"])
    logits = [
        (not item.get("is_target_logit"), i)
        for i, item in enumerate(items)
        if nodes[keys[i]].kind == "class"
    ]
    if not logits:
        return str(meta.get("slug", ""))
    node = nodes[keys[min(logits)[1]]]
    return node.words or node.id


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
    """Read a node, all but its influence."""
    kinds: dict[str, NodeKind] = {name: kind for kind, name in _TYPES.items()}
    kind: NodeKind = kinds.get(str(item["feature_type"]), "unit")
    if is_error_node(item):
        kind = "unexplained"
    if kind == "input" and not ours:
        kind = "unit"  # others have an embedding a token
    layer = str(item["layer"])
    rank = int(layer) if layer.isdigit() else 0
    words = str(item.get("clerp") or "")
    concepts, members = (tuple(map(str, item.get(k) or ())) for k in ("concepts", "members"))
    if ours:
        name, home = str(item["unit"]), str(item.get("unit_layer") or "")
        return Node(name, kind, rank, home, 0.0, words if kind == "unit" else "", concepts, members)
    if kind == "class":
        name = class_node_id(words or str(item["node_id"]))
    elif kind == "unexplained":
        name = UNEXPLAINED
    else:
        name = f"{'layer' if layer.isdigit() else ''}{layer}:{unit_index_of_record(item, layer, version)}"
        at = int(item.get("ctx_idx") or 0)
        name += f"@pos{at}" if at else ""
    home = f"layer{layer}" if kind == "unit" else ""
    return Node(name, kind, rank, home, 0.0, words, concepts, members)
