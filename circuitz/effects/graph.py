"""The circuit graph of a class, measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.effects.edge_effects import EXACT, Contrast, shortlist
from circuitz.effects.edge_statistics import Shares, overlap, shares, strongest
from circuitz.effects.edges import depth_order, exact_changes, responses, rough_changes
from circuitz.effects.effect import effect
from circuitz.effects.graph_prune import Pruned, composition, cumulative, influence, prune
from circuitz.effects.stages import Stages
from circuitz.effects.statistics import clustered_mean, interval
from circuitz.errors import GraphError, MeasurementError
from circuitz.models.open import runtime
from circuitz.models.runtime import Runtime
from circuitz.z.graph import (
    UNEXPLAINED,
    CircuitGraph,
    Edge,
    Node,
    class_id,
    ordered_edges,
    ordered_nodes,
)
from circuitz.z.graph_store import keeping_sets
from circuitz.z.inputs import SPLITS
from circuitz.z.layer import LayerSpec
from circuitz.z.unit import OUTPUT, Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

# Units of a layer whose parents are looked for: those that carry this share of its influence.
_TRACED = 0.98
_MOST_TRACED = 64


def graph(
    z: AnnotatedModel,
    target: str,
    *,
    nodes: float = 0.8,
    edges: float = 0.98,
    split: str = "test",
    images: int = 120,
    exact: int = EXACT,
    resamples: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> CircuitGraph:
    """Find the units through which a class gets its effect, and draw what drives what.

    From the class backwards: units of the cut by their sufficiency, which was measured; then,
    layer by layer, the units that drive those, every edge run exactly with all other parents held.

    Parameters
    ----------
    z
        Annotated model, measured, with D at hand.
    target
        Class, as ``husky`` or ``output:husky``.
    nodes, edges
        Shares of influence that are kept.
    split, images, seed
        Source images of the split (evenly over classes); each takes values from one of the class.
    exact
        Source units of a layer that are run; of more, those that EAP-IG on *select* points to.
    resamples
        Of the bootstrap over scenes.
    progress
        Called with steps done and in all.

    Returns
    -------
    CircuitGraph
        Keep it with ``z.with_graph(graph)``.

    Raises
    ------
    MeasurementError
        If effects have not been measured, or on other weights.
    GraphError
        If no unit of the cut drives the class, or a share is not between 0 and 1.
    UnitError, InputsError
        If there is no such class, or D cannot be used.
    """
    if not (0 < nodes <= 1 and 0 < edges <= 1):
        raise GraphError(f"Kept shares are {nodes} and {edges}.", "Give numbers from 0 to 1.")
    name = str(target).removeprefix(f"{OUTPUT}:")
    run = runtime(z)
    pairs = Contrast.toward(z, run, name, split, images, seed)
    top = _top(z, name, split)
    specs = {spec.name: spec for spec in z.layers}
    order = depth_order(run, list(specs), pairs.x)
    order = order[: order.index(z.cut[0]) + 1]
    job = _Job(z, run, pairs, name, [specs[n] for n in order], exact, resamples, seed)
    job.trace(top, progress)
    pruned = prune(job.matrix, job.leaf, job.known, nodes=nodes, edges=edges)
    made = _made(job, pruned, name, order)
    cut = [n.id for n in made if n.kind == "unit" and n.layer == z.cut[0]]
    if not cut:
        raise GraphError(
            f"No unit of the cut drives {name}.", "See z.units; measure on more images."
        )
    alone, gone = (
        effect(z, cut, name, how=how, split=split, images=images, seed=seed)
        for how in ("sufficiency", "necessity")
    )
    found = CircuitGraph(
        target=name,
        layers=tuple(order),
        nodes=made,
        edges=_edges(job, pruned),
        scores={
            "replacement": pruned.replacement,
            "completeness": pruned.completeness,
            "recovered": alone.estimate,
            "recovered_low": alone.low,
            "recovered_high": alone.high,
            "lost": gone.estimate,
            "lost_low": gone.low,
            "lost_high": gone.high,
        },
        kept={"nodes": nodes, "edges": edges},
        counts={"units": len(job.ids) - 1, "edges": job.measured, "images": len(pairs.x)},
        stability=job.stability(),
        settings={
            "weights": z.weights_hash, "data": z.data_hash, "split": split, "images": images,
            "seed": seed, "resamples": resamples, "exact": exact,
        },
    ).labelled(z)  # fmt: skip
    return keeping_sets(z, found)


def _top(z: AnnotatedModel, name: str, split: str) -> tuple[F64, F64, F64]:
    """Return sufficiency of the cut's units for a class, with its interval, ``(u,)`` each."""
    measured = z.measurements
    found = measured.effects if measured is not None else None
    if found is None or measured is None or len(z.cut) != 1:
        raise MeasurementError(
            "Effects of the cut's units on the classes have not been measured.",
            "z = cz.measure(z, concept_set, data)",
        )
    if measured.weights_hash != z.weights_hash:
        raise MeasurementError("Effects were measured on other weights.", "Measure again.")
    rows = found.split == SPLITS.index(split)
    values = found.sufficiency[rows][:, :, found.targets.index(name)]
    mean = clustered_mean(values, found.scene[rows])
    return (np.asarray(mean.mean), *interval(mean))


@dataclass(eq=False)
class _Line:
    """One measured edge."""

    low: float | None
    high: float | None


class _Job:
    """The whole matrix of a graph, filled from the class backwards."""

    def __init__(
        self,
        z: AnnotatedModel,
        run: Runtime,
        pairs: Contrast,
        target: str,
        layers: list[LayerSpec],
        exact: int,
        resamples: int,
        seed: int,
    ) -> None:
        self.z, self.run, self.pairs, self.target, self.layers = z, run, pairs, target, layers
        self.exact, self.resamples, self.seed = exact, resamples, seed
        self.ids = [f"{spec.name}:{u}" for spec in layers for u in range(spec.size)]
        self.ids.append(class_id(target))
        sizes = [0, *np.cumsum([spec.size for spec in layers]).tolist()]
        self.start = dict(zip([spec.name for spec in layers], sizes, strict=False))
        self.matrix = np.zeros((len(self.ids), len(self.ids)))
        self.known = np.zeros(len(self.ids), bool)
        self.leaf = np.zeros(len(self.ids), bool)
        self.leaf[: layers[0].size] = True
        self.lines: dict[tuple[int, int], _Line] = {}
        self.measured = 0
        self._stability: list[tuple[int, float, float, float]] = []

    def trace(self, top: tuple[F64, F64, F64], progress: Progress | None) -> None:
        cut = self.layers[-1]
        at = self.start[cut.name]
        for u, (share, low, high) in enumerate(zip(*top, strict=True)):
            self.matrix[-1, at + u] = 0.0 if np.isnan(share) else share
            self.lines[len(self.ids) - 1, at + u] = _Line(float(low), float(high))
        self.known[-1] = True
        self.measured += cut.size
        pairs = [(i, j) for j in range(len(self.layers) - 1, 0, -1) for i in range(j - 1, -1, -1)]
        stages = Stages(progress, {f"{i}-{j}": self.layers[i].size for i, j in pairs})
        for i, j in pairs:
            self._between(i, j, lambda done, n, k=f"{i}-{j}": stages.at(k, done, n))
        stages.finish()

    def _between(self, i: int, j: int, tick: Progress) -> None:
        """Measure the edges from one layer to the units of another that matter."""
        source, target = self.layers[i], self.layers[j]
        held = [spec.name for spec in self.layers[i + 1 : j]]
        flow = influence(composition(self.matrix, self.known))
        at = self.start[target.name]
        mine = flow[at : at + target.size]
        chosen = np.flatnonzero(cumulative(mine, _TRACED))
        chosen = np.sort(chosen[np.argsort(-mine[chosen], kind="stable")][:_MOST_TRACED])
        if not len(chosen):
            return
        # Whether anything but the held layers leads there at all, before many units are run.
        x, lent, padding = self.pairs.x, self.pairs.lent, self.pairs.padding
        if (
            held
            and not exact_changes(
                self.run, source, target, x[:8], lent[:8], held=held, sources=[], targets=chosen
            ).whole.any()
        ):
            return
        units = shortlist(
            self.z, self.run, source, target, self.target, held,
            chosen.tolist(), self.exact, 5, len(x), self.seed,
        )  # fmt: skip
        found = exact_changes(
            self.run, source, target, x, lent,
            held=held, sources=units, targets=chosen, both=True, padding=padding, progress=tick,
        )  # fmt: skip
        rough = rough_changes(
            self.run, source, target, x, lent, held=held, targets=chosen, padding=padding
        )
        # All that the target does between the two inputs, by whichever way.
        before, after = (responses(self.run, target, i, chosen, padding) for i in (x, lent))
        whole = after - before
        told = self._told(found.change, whole)
        self._enter(source, found.sources, at + chosen, told)
        count = int(told.found.sum())
        guess = self._told(rough[:, found.sources], whole, count)
        same = overlap(strongest(told.estimate, count), strongest(guess.estimate, count))
        if count:
            self._stability.append((count, told.again, guess.again, same))

    def _told(self, change: F32, whole: F32, count: int | None = None) -> Shares:
        return shares(
            change, whole, self.pairs.scene, resamples=self.resamples, seed=self.seed, count=count
        )

    def _enter(self, source: LayerSpec, units: I64, rows: I64, told: Shares) -> None:
        columns = self.start[source.name] + units
        self.matrix[np.ix_(rows, columns)] = np.nan_to_num(told.estimate.T, nan=0.0)
        moves = ~np.isnan(told.estimate).all(0)
        self.known[rows[moves]] = True
        self.measured += told.estimate.size
        for b, row in enumerate(rows):
            for a, column in enumerate(columns):
                line = _Line(float(told.low[a, b]), float(told.high[a, b]))
                self.lines[int(row), int(column)] = line

    def stability(self) -> dict[str, float | None]:
        """Return means over pairs of layers, weighted by edges."""
        if not self._stability:
            return {"exact": None, "eap_ig": None, "agreement": None}
        table = np.array(self._stability)
        means = np.average(table[:, 1:], axis=0, weights=table[:, 0])
        return dict(zip(("exact", "eap_ig", "agreement"), means.tolist(), strict=True))


def _made(job: _Job, pruned: Pruned, target: str, order: list[str]) -> tuple[Node, ...]:
    nodes: list[Node] = []
    for i in np.flatnonzero(pruned.nodes):
        if job.ids[i] == class_id(target):
            nodes.append(Node(class_id(target), "class", len(order), influence=1.0))
            continue
        layer = Unit.parse(job.ids[i]).layer
        flow = float(pruned.influence[i])
        nodes.append(Node(job.ids[i], "unit", order.index(layer), layer, flow))
    nodes.append(Node(UNEXPLAINED, "unexplained", 0, influence=pruned.through_unexplained))
    return ordered_nodes(nodes)


def _edges(job: _Job, pruned: Pruned) -> tuple[Edge, ...]:
    found: list[Edge] = []
    for row, column in np.argwhere(pruned.edges):
        line = job.lines[int(row), int(column)]
        share = float(job.matrix[row, column])
        found.append(Edge(job.ids[column], job.ids[row], share, line.low, line.high))
    for row in np.flatnonzero(pruned.unexplained > 0):
        found.append(Edge(UNEXPLAINED, job.ids[row], float(pruned.unexplained[row])))
    return ordered_edges(found)
