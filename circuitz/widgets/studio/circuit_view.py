"""What the circuit tab of the studio shows, and what it asks the network. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from circuitz.errors import CircuitzError, GraphError
from circuitz.widgets.studio.live_network import import_torch_module
from circuitz.z.circuit.circuit_graph import CircuitGraph
from circuitz.z.circuit.layout import layout_nodes
from circuitz.z.circuit.stored_circuits import graphs_by_class
from circuitz.z.circuit.supernodes import can_undo_supernode_edit, group_by_concept

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def stored_circuits_payload(z: AnnotatedModel, path: str) -> dict[str, Any]:
    """Return the circuits kept with z, a class each, laid out.

    Parameters
    ----------
    z
        Annotated model.
    path
        Its bundle; empty for one in memory.
    """
    try:
        found = graphs_by_class(z)
    except CircuitzError as error:
        return {"circuits": {}, "path": path, "problem": str(error)}
    circuits = {
        name: circuit_layout_payload(z, graph) for name, graph in found.items() if name in z.classes
    }
    return {"circuits": circuits, "path": path, "problem": ""}


def circuit_layout_payload(z: AnnotatedModel, graph: CircuitGraph) -> dict[str, Any]:
    """Return one circuit: units that share a concept are one node."""
    small = graph.collapse_supernodes()
    places = layout_nodes(small)
    index = {node.id: i for i, node in enumerate(small.nodes)}
    return {
        "target": graph.target,
        "columns": [*graph.layers, graph.target],
        "nodes": [
            {
                "id": node.id,
                "kind": node.kind,
                "members": list(node.members or ([node.id] if node.kind == "unit" else [])),
                "words": node.words,
                "influence": node.influence,
                "column": places[node.id][0],
                "place": places[node.id][1],
            }
            for node in small.nodes
        ],
        "edges": [[index[e.source], index[e.target], e.share, e.low, e.high] for e in small.edges],
        "scores": dict(graph.scores),
        "kept": dict(graph.pruned_to),
        "counts": dict(graph.counts),
        "stability": dict(graph.stability),
        "units": sum(node.kind == "unit" for node in graph.nodes),
        "stale": list(graph.stale_parts(z)),
        "automatic": graph.supernodes is None,
        "undo": can_undo_supernode_edit(graph),
    }


def outputs_before_and_while_clamped(z: AnnotatedModel, units: Sequence[str]) -> dict[str, Any]:
    """Return what the outputs say before and while units are held; runs the network.

    Raises
    ------
    CircuitzError
        If there is no torch here, no network, or no images.
    """
    found = import_torch_module("circuitz.effects.clamp").clamp_units(z, units)
    return {
        "before": [float(p) for p in found.before],
        "after": [float(p) for p in found.after],
        "images": found.images,
        "of": found.of,
    }


def with_measured_circuit(z: AnnotatedModel, target: str) -> AnnotatedModel:
    """Return z with the circuit of a class measured and kept; runs the network.

    In the bases that the circuit of the class was drawn in before.

    Raises
    ------
    CircuitzError
        If there is no torch here, no network, or no D.
    """
    old = graphs_by_class(z).get(target.removeprefix("output:"))
    bases = tuple(old.settings.get("bases", ())) if old is not None else ()
    return z.with_graph(
        import_torch_module("circuitz.effects.circuit.graph").graph(z, target, bases=bases)
    )


def apply_supernode_edit(
    z: AnnotatedModel, target: str, edit: str, nodes: Sequence[str] = (), label: str = ""
) -> tuple[AnnotatedModel, str]:
    """Return z with the sets of units of a circuit edited, and what was done in words.

    Parameters
    ----------
    z
        Annotated model.
    target
        Class.
    edit
        ``merge`` nodes into one called ``label``; ``rename`` or ``split`` the first of them;
        ``automatic``; ``undo``.
    nodes, label
        See ``edit``.

    Raises
    ------
    GraphError
        If there is no such circuit, edit or node, or the label cannot be used.
    """
    graph = z.graph(target)
    first = nodes[0] if nodes else ""
    if edit == "merge":
        new, said = graph.merge(nodes, label), f"Shown together as {label.strip()}."
    elif edit == "rename":
        new, said = graph.rename(first, label), f"Called {label.strip()} now."
    elif edit == "split":
        new, said = graph.split(first), "Its units stand by themselves."
    elif edit == "automatic":
        new, said = group_by_concept(graph), "Units that share a concept are together again."
    elif edit == "undo":
        new, said = graph.undo(), "The last edit of the circuit is undone."
    else:
        raise GraphError(f"Circuits know no edit {edit!r}.", "merge, rename, split, undo.")
    return z.with_graph(new), said
