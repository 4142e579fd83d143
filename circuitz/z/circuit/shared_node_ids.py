"""Nodes of one id in a file of circuit-tracer: a feature and an error node.

Until 2026 it called the error node of layer L at position p ``0_L_p``, which is also the feature L
of layer 0 at p. Its links name ids alone. The two are told apart by what the format makes of them,
in this order:

1. a link *into* the id is the feature's: nothing works on an error node;
2. one *out of* it to a node of layer L or before is the feature's: an error comes after its layer;
3. two links to the same node: the feature's comes first, the error's second. Links into a node are
   written in the order features (by layer), errors, embeddings;
4. a single one is placed by that order, if the rest of the file keeps it: the error's behind a link
   from an error, an embedding or a feature of a later layer; the feature's before a link from a
   feature;
5. what is left is taken for the feature's, and the remark calls that a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from circuitz.errors import GraphError

_EMBEDDING, _LOGIT = "embedding", "logit"


@dataclass(frozen=True)
class NodeKeys:
    """Ids made distinct.

    Parameters
    ----------
    nodes
        Key of each node of the file.
    links
        Keys of source and target of each link.
    remarks
        How links were attributed, where ids were shared; empty for other files.
    """

    nodes: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...] = ()


def is_error_node(item: Mapping[str, Any]) -> bool:
    """Whether a node stands for what the features of its layer leave unexplained."""
    return str(item.get("feature_type", "")).lower().endswith("error")


def separate_shared_ids(
    nodes: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]]
) -> NodeKeys:
    """Give every node a key of its own, and every link the keys it belongs to.

    Raises
    ------
    GraphError
        If two nodes of one id are not a feature and an error node.
    """
    ids = [str(item["node_id"]) for item in nodes]
    ends = [(str(link["source"]), str(link["target"])) for link in links]
    feature_of, error_of = dict[str, int](), dict[str, int]()
    for i, name in enumerate(ids):
        mine = error_of if is_error_node(nodes[i]) else feature_of
        if name in mine:
            raise GraphError(f"Two nodes are called {name!r}.", "The file is damaged.")
        mine[name] = i
    shared = set(feature_of) & set(error_of)
    if not shared:
        return NodeKeys(tuple(ids), tuple(ends))
    keys, taken = list(ids), set(ids)
    for name in sorted(shared):
        item = nodes[error_of[name]]
        key = f"{item['layer']}_-1_{item.get('ctx_idx', 0)}"  # as it is called since
        while key in taken:
            key += "'"
        taken.add(key)
        keys[error_of[name]] = key
    place = _LinkPlaces(nodes, ends, {**error_of, **feature_of}, error_of, shared)
    resolved, guessed = list[tuple[str, str]](), 0
    for at, (source, target) in enumerate(ends):
        error = place.is_of_error(at) if source in shared else False
        guessed += error is None
        resolved.append((keys[error_of[source]] if error else source, target))
    remarks = [
        f"{len(shared)} ids belong to a feature and an error node, and were made distinct; their "
        "links were told apart by direction, layers and order."
    ]
    if guessed:
        remarks.append(
            f"{guessed} links of such ids could be either's; guessed to be the feature's."
        )
    return NodeKeys(tuple(keys), tuple(resolved), tuple(remarks))


class _LinkPlaces:
    """Says of a link out of a shared id whose it is."""

    def __init__(
        self,
        nodes: Sequence[Mapping[str, Any]],
        ends: Sequence[tuple[str, str]],
        node_of: Mapping[str, int],
        error_of: Mapping[str, int],
        shared: set[str],
    ) -> None:
        self._nodes, self._ends = nodes, ends
        self._node_of, self._error_of, self._shared = node_of, error_of, shared
        self._into: dict[str, list[int]] = {}
        for at, (_, target) in enumerate(ends):
            self._into.setdefault(target, []).append(at)
        self._ordered = all(self._keeps_order(run) for run in self._into.values())

    def is_of_error(self, at: int) -> bool | None:
        """Whether link number ``at`` is the error node's; ``None`` if nothing tells."""
        source, target = self._ends[at]
        run = self._into[target]
        behind = _layer(self._nodes[self._node_of[target]]) if target in self._node_of else None
        after = _layer(self._nodes[self._error_of[source]])
        if behind is not None and after is not None and behind <= after:
            return False
        same = [other for other in run if self._ends[other][0] == source]
        if len(same) > 1:
            return same.index(at) > 0
        if not self._ordered:
            return None
        mine = self._group(self._nodes[self._node_of[source]])
        here = run.index(at)
        if any((group := self._group_of_link(o)) and group > mine for o in run[:here]):
            return True
        if any((group := self._group_of_link(o)) and group < (1, 0) for o in run[here + 1 :]):
            return False
        return None

    def _keeps_order(self, run: Sequence[int]) -> bool:
        groups = [g for at in run if (g := self._group_of_link(at)) is not None]
        return groups == sorted(groups)

    def _group_of_link(self, at: int) -> tuple[int, int] | None:
        source = self._ends[at][0]
        if source in self._shared or source not in self._node_of:
            return None
        return self._group(self._nodes[self._node_of[source]])

    @staticmethod
    def _group(item: Mapping[str, Any]) -> tuple[int, int]:
        if is_error_node(item):
            return (1, 0)
        if str(item.get("feature_type")) in (_EMBEDDING, _LOGIT):
            return (2, 0)
        return (0, _layer(item) or 0)


def _layer(item: Mapping[str, Any]) -> int | None:
    layer = str(item["layer"])
    return int(layer) if layer.isdecimal() and len(layer) < 10 else None
