"""The circuit graph of a class: which units drive it, through which others. No torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from circuitz.disk.hashing import arrays_hash
from circuitz.errors import GraphError
from circuitz.z.bases import basis_parts
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.edits.annotate import default_lexicon
from circuitz.z.targets import GROUP, target_sort_key, target_units
from circuitz.z.unit import OUTPUT, Unit

if TYPE_CHECKING:
    import networkx as nx
    import plotly.graph_objects as go

    from circuitz.z.model import AnnotatedModel

NodeKind = Literal["unit", "class", "unexplained", "input"]
UNEXPLAINED = "unexplained"
#: What the network reads: tokens, which heads of all blocks see.
INPUT = "input"
#: Keys of a graph's settings: sentences on how a file of others was read; ``attribution`` where
#: edges hold the weights of such a file and not shares.
REMARKS, WEIGHTS = "remarks", "weights"
#: Where graphs are kept among z's notes.
NOTE = "graphs"


@dataclass(frozen=True)
class Node:
    """A unit, the class, the input, or what nothing here explains.

    Parameters
    ----------
    id
        Unit id (of a basis: that of a direction), ``output:husky``, ``group:a,b`` when units are
        shown together, ``input``, or ``unexplained``.
    kind
        Which of these.
    rank
        0 for units of the first layer; the class comes last.
    layer
        Layer of the units, or basis over one; empty for others.
    influence
        Share of the class's effect that flows through it.
    words, concepts
        What is said of it.
    members
        Units it stands for.
    """

    id: str
    kind: NodeKind
    rank: int
    layer: str = ""
    influence: float = 0.0
    words: str = ""
    concepts: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """How far one node drives another, all its other parents held.

    Parameters
    ----------
    source, target
        Ids of nodes.
    share
        Of what the target does when inputs of other classes turn into inputs of the class;
        negative where it works against that. In a graph of others the weight of its link, which
        is no share (``settings["weights"]`` is ``"attribution"``). From ``unexplained``: the share of everything that
        works on the target which no edge here accounts for.
    low, high
        Bootstrap interval; ``None`` for sums and for what is unexplained.
    """

    source: str
    target: str
    share: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class CircuitGraph:
    """The units through which a class gets its effect, pruned, with what is left unexplained.

    Parameters
    ----------
    target
        The class.
    layers
        Layers, or bases over them, in order, first first.
    nodes, edges
        Sorted by rank and then by influence; by target and then by size.
    scores
        ``replacement``: share of influence that can be followed back to units of the first layer.
        ``completeness``: mean share of what works on a node that the edges account for, nodes
        weighted by influence. ``recovered`` with ``recovered_low`` and ``recovered_high``: share
        of the class's effect that the graph's units of the cut bring about alone, run exactly;
        ``lost`` with its interval: what the class loses without them. With bases, ``rest``: share
        of the class's effect that passes through what they leave out of their layers.
    pruned_to
        Shares of influence that ``nodes`` and ``edges`` were pruned to.
    counts
        ``units`` and ``edges`` that were measured, ``images``.
    stability
        ``exact`` and ``eap_ig``: overlap (Jaccard) of the strongest edges over resamples;
        ``agreement`` of the two. Means over layers, weighted by edges.
    supernodes
        Sets of units named by hand, ``label`` to ids; ``None``: by shared concept.
    settings
        Hashes, split, images and seed it was computed from.
    """

    target: str
    layers: tuple[str, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    pruned_to: Mapping[str, float] = field(default_factory=dict[str, float])
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    stability: Mapping[str, float | None] = field(default_factory=dict[str, "float | None"])
    supernodes: Mapping[str, tuple[str, ...]] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def node(self, id: str) -> Node:
        """Return a node by id.

        Raises
        ------
        GraphError
            If there is none.
        """
        for node in self.nodes:
            if node.id == id:
                return node
        raise GraphError(f"The graph of {self.target} has no node {id!r}.", "See graph.nodes.")

    def _node_or_unit(self, id: str) -> Node:
        """Return a node by its id, or by another spelling of its unit."""
        ids = {node.id for node in self.nodes}
        return self.node(id if id in ids else str(Unit.parse(id)))

    def stale_parts(self, z: AnnotatedModel) -> tuple[str, ...]:
        """Return what changed since it was measured: weights, data, bases."""
        now: dict[str, Any] = {"weights": z.weights_hash, "data": z.data_hash}
        had: Mapping[str, str] = self.settings.get("bases", {})
        now["bases"] = {name: arrays_hash(basis_parts(z.bases, name)) for name in had}
        return tuple(k for k, v in now.items() if v and self.settings.get(k, v) != v)

    def with_current_words(self, z: AnnotatedModel) -> CircuitGraph:
        """Return it with the words that stand on its units now.

        Words on a group (``group:a,b``) name its units together unless sets were named by hand.
        """
        said = z.effective()
        columns = columns_of_concept_set(z.concept_set, default_lexicon())
        nodes: list[Node] = []
        for node in self.nodes:
            entry = said.get(node.id)
            words = entry.text if entry is not None else ""
            concepts = columns.read(words, entry.concepts).names if entry is not None else ()
            nodes.append(replace(node, words=words, concepts=concepts))
        return replace(
            self,
            nodes=tuple(nodes),
            settings={**self.settings, "groups": _units_by_group_annotation(z)},
        )

    # -- supernodes -----------------------------------------------------------------------

    def with_supernodes(self, sets: Mapping[str, Sequence[str]] | None) -> CircuitGraph:
        """Return it with these sets of units shown together; ``None``: by shared concept.

        Parameters
        ----------
        sets
            Label to unit ids, all of one layer a set; a unit belongs to one set at most.

        Raises
        ------
        GraphError
            If a unit is not in the graph or in two sets, or a set spans layers.
        """
        if sets is None:
            return replace(self, supernodes=None)
        seen: set[str] = set()
        for label, members in sets.items():
            layers = {self._node_or_unit(m).layer for m in members}
            if len(layers) != 1:
                raise GraphError(
                    f"{label!r} is made of units of {len(layers)} layers.",
                    "Put together units of one layer.",
                )
            twice = seen & set(members)
            if twice:
                raise GraphError(f"{min(twice)} is in two sets.", "Name each unit once.")
            seen |= set(members)
        return replace(self, supernodes={k: tuple(v) for k, v in sets.items()})

    def merge(self, nodes: Sequence[str], label: str) -> CircuitGraph:
        """Return it with some nodes shown as one (:func:`circuitz.z.circuit.supernodes.merge_into_supernode`)."""
        from circuitz.z.circuit.supernodes import merge_into_supernode  # noqa: PLC0415 (it edits graphs)

        return merge_into_supernode(self, nodes, label)

    def rename(self, node: str, label: str) -> CircuitGraph:
        """Return it with a set called otherwise (:func:`circuitz.z.circuit.supernodes.rename_supernode`)."""
        from circuitz.z.circuit.supernodes import rename_supernode  # noqa: PLC0415

        return rename_supernode(self, node, label)

    def split(self, node: str) -> CircuitGraph:
        """Return it with a set's units by themselves (:func:`circuitz.z.circuit.supernodes.dissolve_supernode`)."""
        from circuitz.z.circuit.supernodes import dissolve_supernode  # noqa: PLC0415

        return dissolve_supernode(self, node)

    def undo(self) -> CircuitGraph:
        """Return it as before the last such edit (:func:`circuitz.z.circuit.supernodes.undo_supernode_edit`)."""
        from circuitz.z.circuit.supernodes import undo_supernode_edit  # noqa: PLC0415

        return undo_supernode_edit(self)

    def supernode_units(self) -> dict[str, tuple[str, ...]]:
        """Return which units are shown together, label to ids, two or more each.

        Sets named by hand; else annotated groups, and then units of a layer that share their
        first concept.
        """
        units = {n.id: n for n in self.nodes if n.kind == "unit"}
        if self.supernodes is not None:
            return {label: ids for label, ids in self.supernodes.items() if len(ids) > 1}
        found: dict[str, tuple[str, ...]] = {}
        free = dict(units)
        for label, members in self.settings.get("groups", {}).items():
            ids = [m for m in members if m in free]
            for layer in dict.fromkeys(free[m].layer for m in ids):
                self._add_set_if_several(
                    found, label, [m for m in ids if free[m].layer == layer], layer
                )
            free = {i: n for i, n in free.items() if i not in ids}
        shared: dict[tuple[str, str], list[str]] = {}
        for node in free.values():
            if node.concepts:
                shared.setdefault((node.layer, node.concepts[0]), []).append(node.id)
        for (layer, concept), ids in shared.items():
            self._add_set_if_several(found, concept, ids, layer)
        return found

    @staticmethod
    def _add_set_if_several(
        sets: dict[str, tuple[str, ...]], label: str, ids: list[str], layer: str
    ) -> None:
        if len(ids) > 1:
            sets[label if label not in sets else f"{label} ({layer})"] = tuple(ids)

    def collapse_supernodes(self) -> CircuitGraph:
        """Return it with units that belong together as one node each.

        An edge into a set is the mean over its members, weighted by influence; one out of a set
        is the sum.
        """
        sets = self.supernode_units()
        home = {m: group_node_id(ids) for ids in sets.values() for m in ids}
        named = {group_node_id(ids): (label, ids) for label, ids in sets.items()}
        old = {n.id: n for n in self.nodes}
        nodes: dict[str, Node] = {}
        for node in self.nodes:
            key = home.get(node.id, node.id)
            if key == node.id:
                nodes[key] = node
            elif key not in nodes:
                label, ids = named[key]
                label = label.removesuffix(f" ({node.layer})")
                whole = sum(old[m].influence for m in ids)
                concepts = tuple(dict.fromkeys(c for m in ids for c in old[m].concepts))
                nodes[key] = Node(
                    key, "unit", node.rank, node.layer, whole, label, concepts, tuple(ids)
                )
        sums: dict[tuple[str, str], float] = {}
        kept: dict[tuple[str, str], Edge] = {}
        for edge in self.edges:
            key = (home.get(edge.source, edge.source), home.get(edge.target, edge.target))
            if key[0] == key[1]:
                continue  # within a set, which others make of several layers
            kept[key] = edge
            sums[key] = sums.get(key, 0.0) + edge.share * _influence_share_in_supernode(
                edge.target, home, named, old
            )
        edges = [
            kept[k] if k == (kept[k].source, kept[k].target) else Edge(*k, share)
            for k, share in sums.items()
        ]
        return replace(self, nodes=ordered_nodes(nodes.values()), edges=ordered_edges(edges))

    # -- for others -----------------------------------------------------------------------

    def networkx(self) -> nx.DiGraph[str]:
        """Return a networkx ``DiGraph``: nodes by id, every field of theirs an attribute.

        Raises
        ------
        GraphError
            If networkx is not installed.
        """
        from circuitz.z.circuit.graph_views import to_networkx  # noqa: PLC0415

        return to_networkx(self)

    def figure(self, *, grouped: bool = True) -> go.Figure:
        """Return a plotly figure, laid out as on the screen.

        Raises
        ------
        GraphError
            If plotly is not installed.
        """
        from circuitz.z.circuit.graph_views import to_figure  # noqa: PLC0415

        return to_figure(self.collapse_supernodes() if grouped else self)

    def to_json(self) -> str:
        """Return it in the attribution-graph format, words included."""
        from circuitz.z.circuit.attribution_graph import graph_to_json_text  # noqa: PLC0415

        return graph_to_json_text(self)

    def __repr__(self) -> str:
        units = sum(n.kind == "unit" for n in self.nodes)
        scores = ", ".join(f"{k} {v:.2f}" for k, v in self.scores.items() if "_" not in k)
        remarks = "".join(f"\n{remark}" for remark in self.settings.get(REMARKS, ()))
        return (
            f"Circuit of {self.target}: {units} of {self.counts.get('units', units)} units, "
            f"{len(self.edges)} edges; {scores}{remarks}"
        )


def ordered_nodes(nodes: Any) -> tuple[Node, ...]:
    """Return nodes by rank, then influence, then id."""
    return tuple(sorted(nodes, key=lambda n: (n.rank, n.kind, -n.influence, n.id)))


def ordered_edges(edges: Any) -> tuple[Edge, ...]:
    """Return edges by target, then size, then source."""
    return tuple(sorted(edges, key=lambda e: (e.target, -abs(e.share), e.source)))


def class_node_id(target: str) -> str:
    """Return the id of a class's node."""
    return f"{OUTPUT}:{target}"


def group_node_id(members: Sequence[str]) -> str:
    """Return the id of the node that stands for some units."""
    return GROUP + ",".join(sorted(members, key=target_sort_key))


def _influence_share_in_supernode(
    target: str,
    home: Mapping[str, str],
    named: Mapping[str, tuple[str, tuple[str, ...]]],
    old: Mapping[str, Node],
) -> float:
    """Return how much a member counts among those it is shown with."""
    if target not in home:
        return 1.0
    members = named[home[target]][1]
    whole = math.fsum(old[m].influence for m in members)
    return old[target].influence / whole if whole > 0 else 1 / len(members)


def _units_by_group_annotation(z: AnnotatedModel) -> dict[str, list[str]]:
    said = z.effective().items()
    return {entry.text: list(target_units(t)) for t, entry in said if t.startswith(GROUP)}
