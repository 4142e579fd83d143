"""Editing which units of a circuit are shown together: merge, rename, split, undo.

Every edit starts from what is shown, automatic or by hand, and gives a graph whose sets are by
hand. What they were before is kept with the graph, so that edits can be taken back after it was
saved and opened again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from circuitz.errors import GraphError
from circuitz.z.circuit.circuit_graph import CircuitGraph, group_node_id

BEFORE = "supernodes_before"
#: How many edits can be taken back.
MOST = 20
LONGEST = 200

Sets = dict[str, tuple[str, ...]]


def merge_into_supernode(graph: CircuitGraph, nodes: Sequence[str], label: str) -> CircuitGraph:
    """Return a graph with some nodes shown as one.

    Parameters
    ----------
    graph
        The graph.
    nodes
        Units, labels or ids of sets, all of one layer; two or more units in all.
    label
        What to call them together.

    Raises
    ------
    GraphError
        If a node is not there, they are of several layers or too few, or the label cannot be used.
    """
    sets = _shown_units_by_label(graph)
    units: dict[str, None] = {}
    for name in nodes:
        found = _find_label(sets, name)
        members = sets.pop(found) if found is not None else (graph.node(name).id,)
        units |= dict.fromkeys(members)
    kinds = {graph.node(unit).kind for unit in units}
    layers = {graph.node(unit).layer for unit in units}
    if len(units) < 2 or kinds != {"unit"} or len(layers) != 1:
        raise GraphError(
            f"{len(units)} nodes of {len(layers)} layers cannot be one.",
            "Merge two or more units of one layer; the class and the unexplained stay apart.",
        )
    for other, members in list(sets.items()):
        left = tuple(unit for unit in members if unit not in units)
        sets[other] = left
        if len(left) < 2:
            del sets[other]
    name = _unused_label(graph, sets, label, layers.pop())
    return _with_sets_and_undo_record(
        graph, {**sets, name: tuple(u.id for u in graph.nodes if u.id in units)}
    )


def rename_supernode(graph: CircuitGraph, node: str, label: str) -> CircuitGraph:
    """Return a graph in which a set of units is called otherwise.

    Raises
    ------
    GraphError
        If there is no such set, or the label cannot be used.
    """
    sets = _shown_units_by_label(graph)
    old = _require_label(graph, sets, node)
    others = {name: members for name, members in sets.items() if name != old}
    name = _unused_label(graph, others, label, graph.node(sets[old][0]).layer)
    renamed = {name if known == old else known: members for known, members in sets.items()}
    return _with_sets_and_undo_record(graph, renamed)


def dissolve_supernode(graph: CircuitGraph, node: str) -> CircuitGraph:
    """Return a graph in which the units of a set stand by themselves.

    Raises
    ------
    GraphError
        If there is no such set.
    """
    sets = _shown_units_by_label(graph)
    del sets[_require_label(graph, sets, node)]
    return _with_sets_and_undo_record(graph, sets)


def group_by_concept(graph: CircuitGraph) -> CircuitGraph:
    """Return a graph whose units are shown together by shared concept again."""
    return _with_sets_and_undo_record(graph, None)


def undo_supernode_edit(graph: CircuitGraph) -> CircuitGraph:
    """Return a graph as it was before the last edit of its sets.

    Raises
    ------
    GraphError
        If nothing was edited.
    """
    before = _sets_before_each_edit(graph)
    if not before:
        raise GraphError("No set of units was edited.", "There is nothing to undo.")
    units = {n.id for n in graph.nodes}
    last = before[-1]
    sets = None if last is None else {k: tuple(v) for k, v in last.items() if set(v) <= units}
    settings = {**graph.settings, BEFORE: before[:-1]}
    return replace(graph.with_supernodes(sets), settings=settings)


def can_undo_supernode_edit(graph: CircuitGraph) -> bool:
    """Whether an edit can be taken back."""
    return bool(_sets_before_each_edit(graph))


def carry_supernodes_over(old: CircuitGraph, new: CircuitGraph) -> CircuitGraph:
    """Return a graph measured anew with the sets that were made by hand in the old one.

    Units that are in it no more are left out, and sets of which fewer than two are left.
    """
    settings = {**new.settings, BEFORE: _sets_before_each_edit(old)}
    if old.supernodes is None:
        return replace(new, settings=settings) if can_undo_supernode_edit(old) else new
    units = {n.id for n in new.nodes if n.kind == "unit"}
    sets = {k: tuple(m for m in v if m in units) for k, v in old.supernodes.items()}
    kept = {k: v for k, v in sets.items() if len(v) > 1}
    return replace(new.with_supernodes(kept), settings=settings)


def _shown_units_by_label(graph: CircuitGraph) -> Sets:
    return dict(graph.supernode_units())


def _find_label(sets: Mapping[str, tuple[str, ...]], node: str) -> str | None:
    """Return the label of a set that is meant by its label or its node's id."""
    if node in sets:
        return node
    return next((label for label, ids in sets.items() if group_node_id(ids) == node), None)


def _require_label(graph: CircuitGraph, sets: Mapping[str, tuple[str, ...]], node: str) -> str:
    found = _find_label(sets, node)
    if found is None:
        raise GraphError(
            f"The graph of {graph.target} shows no units together as {node[:80]!r}.",
            f"It has {', '.join(sets) or 'no such sets'}.",
        )
    return found


def _unused_label(
    graph: CircuitGraph, sets: Mapping[str, tuple[str, ...]], label: str, layer: str
) -> str:
    """Return a label that no other set has; one of another layer is told apart by its layer."""
    plain = label.strip()
    if not plain or len(plain) > LONGEST:
        raise GraphError(
            "A set of units needs a name." if not plain else "That name is too long.",
            f"Say in up to {LONGEST} letters what they have in common.",
        )
    apart = f"{plain} ({layer})"
    known = {name: graph.node(members[0]).layer for name, members in sets.items()}
    if known.get(plain) == layer or apart in known:
        raise GraphError(f"There is a {plain!r} in {layer} already.", "Merge them, or rename one.")
    return plain if plain not in known else apart


def _sets_before_each_edit(graph: CircuitGraph) -> list[Any]:
    """Return the sets before each edit; what somebody else's file holds there is passed over."""
    found: Any = graph.settings.get(BEFORE)
    rows: list[Any] = list(found) if isinstance(found, list | tuple) else []
    return [r for r in rows if r is None or (isinstance(r, dict) and _is_set_record(r))]


def _is_set_record(record: Mapping[Any, Any]) -> bool:
    return all(
        isinstance(label, str)
        and isinstance(ids, list | tuple)
        and all(isinstance(i, str) for i in ids)
        for label, ids in record.items()
    )


def _with_sets_and_undo_record(graph: CircuitGraph, sets: Sets | None) -> CircuitGraph:
    old = graph.supernodes
    before = [
        *_sets_before_each_edit(graph),
        None if old is None else {k: list(v) for k, v in old.items()},
    ]
    settings = {**graph.settings, BEFORE: before[-MOST:]}
    return replace(graph.with_supernodes(sets), settings=settings)
