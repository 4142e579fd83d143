"""From a class backwards through the layers of a network: what drives what, every edge run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.effects.circuit.prune_graph import mask_reaching_cumulative_share
from circuitz.effects.circuit.wiring import Column, Wiring
from circuitz.effects.edge.edges import ContrastPairs, shortlist_source_units
from circuitz.effects.edge.exact_edges import (
    estimated_response_changes,
    exact_response_changes,
    unit_mean_responses,
)
from circuitz.measurement.staged_progress import Stages
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.stats.edge_bootstrap import (
    Shares,
    bootstrap_edge_shares,
    jaccard_overlap_of_edges,
    mark_strongest_edges,
)

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

# Units of a layer whose parents are looked for: those that carry this share of its influence.
_TRACED = 0.98
_MOST_TRACED = 64


class CircuitTracer:
    """Fills a graph's wiring with the edges between its layers.

    Parameters
    ----------
    z, runtime
        Annotated model and its network.
    pairs
        Inputs, and those that lend.
    target
        The class.
    places
        Layers, or bases over them, in order; the last is the cut.
    exact, resamples, seed
        As for :func:`circuitz.effects.circuit.graph.graph`.
    """

    def __init__(
        self,
        z: AnnotatedModel,
        runtime: Runtime,
        pairs: ContrastPairs,
        target: str,
        places: Sequence[UnitSpace],
        exact: int,
        resamples: int,
        seed: int,
    ) -> None:
        self._z, self._runtime, self._pairs, self._target = z, runtime, pairs, target
        self._places, self._exact = places, exact
        self._resamples, self._seed = resamples, seed
        columns = [Column(p.name, p.spec.size, p.basis is not None) for p in places]
        self.wiring = Wiring(target, columns)

    def trace(self, top: tuple[F64, F64, F64], progress: Progress | None) -> Wiring:
        """Return the wiring, given what parts of the cut do to the class."""
        cut = self._places[-1]
        sources = self.wiring.start[cut.name] + np.arange(len(top[0]))
        self.wiring.enter_shares_of_class(*top, sources)
        pairs = [(i, j) for j in range(len(self._places) - 1, 0, -1) for i in range(j - 1, -1, -1)]
        sizes = {f"{i}-{j}": self._places[i].spec.size for i, j in pairs}
        stages = Stages(progress, sizes)
        for i, j in pairs:
            self._measure_edges_between(
                i, j, lambda done, n, k=f"{i}-{j}": stages.advance(k, done, n)
            )
        stages.finish()
        return self.wiring

    def _measure_edges_between(self, i: int, j: int, tick: Progress) -> None:
        """Measure the edges from one layer to the units of another that matter."""
        source, target = self._places[i], self._places[j]
        held = [place.layer.name for place in self._places[i + 1 : j]]
        at = self.wiring.start[target.name]
        mine = self.wiring.influence_so_far()[at : at + target.spec.size]
        chosen = np.flatnonzero(mask_reaching_cumulative_share(mine, _TRACED))
        chosen = np.sort(chosen[np.argsort(-mine[chosen], kind="stable")][:_MOST_TRACED])
        if not len(chosen):
            return
        # Whether anything but the held layers leads there at all, before many units are run.
        run, x, lent, padding = (
            self._runtime,
            self._pairs.x,
            self._pairs.donors,
            self._pairs.padding,
        )
        if (
            held
            and not exact_response_changes(
                run,
                source,
                target,
                x[:8],
                lent[:8],
                held=held,
                source_units=[],
                target_units=chosen,
            ).whole.any()
        ):
            return
        units = shortlist_source_units(
            self._z, run, source, target, self._target, held,
            chosen.tolist(), self._exact, 5, len(x), self._seed,
        )  # fmt: skip
        found = exact_response_changes(
            run, source, target, x, lent,
            held=held, source_units=units, target_units=chosen, both=True, padding=padding, progress=tick,
        )  # fmt: skip
        rough = estimated_response_changes(
            run, source, target, x, lent, held=held, target_units=chosen, padding=padding
        )
        # All that the target does between the two inputs, by whichever way.
        before, after = (unit_mean_responses(run, target, i, chosen, padding) for i in (x, lent))
        whole = after - before
        told = self._bootstrap_shares(found.change, whole)
        self.wiring.enter_shares(
            told, self.wiring.start[source.name] + found.source_units, at + chosen
        )
        count = int(told.detected.sum())
        guess = self._bootstrap_shares(rough[:, found.source_units], whole, count)
        same = jaccard_overlap_of_edges(
            mark_strongest_edges(told.estimate, count), mark_strongest_edges(guess.estimate, count)
        )
        self.wiring.note_stability(count, told.stability, guess.stability, same)

    def _bootstrap_shares(self, change: F32, whole: F32, count: int | None = None) -> Shares:
        return bootstrap_edge_shares(
            change, whole, self._pairs.scene,
            resamples=self._resamples, seed=self._seed, count=count,
        )  # fmt: skip
