"""Circuit graphs kept with a z: among its notes, a class each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from circuitz.errors import GraphError
from circuitz.z.circuit.attribution_graph import graph_as_json_object, graph_from_record
from circuitz.z.circuit.circuit_graph import NOTE, CircuitGraph
from circuitz.z.circuit.supernodes import carry_supernodes_over
from circuitz.z.unit import OUTPUT

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def graphs_by_class(z: AnnotatedModel) -> dict[str, CircuitGraph]:
    """Return the graphs kept with z by class, with the words that stand on their units now.

    Raises
    ------
    GraphError
        If what is kept there is no graph.
    """
    notes: Any = z.notes.get(NOTE) or {}
    if not isinstance(notes, dict):
        raise GraphError("What z keeps as graphs are none.", "Measure: cz.graph(z, 'husky').")
    records: dict[str, Any] = notes
    return {
        name: graph_from_record(record).with_current_words(z) for name, record in records.items()
    }


def stored_graph_of_class(z: AnnotatedModel, target: str) -> CircuitGraph:
    """Return the graph of one class.

    Raises
    ------
    GraphError
        If none was measured.
    """
    name = str(target).removeprefix(f"{OUTPUT}:")
    record = (z.notes.get(NOTE) or {}).get(name)
    if record is None:
        raise GraphError(
            f"The circuit of {name} has not been measured.",
            f"z = z.with_graph(cz.graph(z, {name!r})), or: circuitz graph Z --class {json.dumps(name)}",
        )
    return graph_from_record(record).with_current_words(z)


def with_supernodes_of_stored_graph(z: AnnotatedModel, graph: CircuitGraph) -> CircuitGraph:
    """Return a graph measured anew, with the sets of units that z's graph of the class has.

    Sets made by hand (:mod:`circuitz.z.circuit.supernodes`) outlive a new measurement.
    """
    try:
        old = stored_graph_of_class(z, graph.target)
    except GraphError:
        return graph
    return carry_supernodes_over(old, graph)


def with_graph(z: AnnotatedModel, graph: CircuitGraph) -> AnnotatedModel:
    """Return z with a graph kept among its notes; one of the same class is replaced.

    Raises
    ------
    GraphError
        If it is the graph of a class that z does not have.
    """
    if graph.target not in z.classes:
        raise GraphError(
            f"{graph.target!r} is not a class of {z.name}.",
            f"Its classes are {', '.join(z.classes)}.",
        )
    graphs = {**(z.notes.get(NOTE) or {}), graph.target: graph_as_json_object(graph)}
    return z.with_(what=f"graph of {graph.target}", notes={**z.notes, NOTE: graphs})
