"""From a class backwards through the layers of a network: what drives what, every edge run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.effects.circuit.prune_graph import cumulative
from circuitz.effects.circuit.wiring import Column, Wiring
from circuitz.effects.edge.edges import Contrast, shortlist
from circuitz.effects.edge.exact_edges import exact_changes, responses, rough_changes
from circuitz.measurement.stages import Stages
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import Place
from circuitz.stats.bootstrap import Shares, overlap, shares, strongest

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

# Units of a layer whose parents are looked for: those that carry this share of its influence.
_TRACED = 0.98
_MOST_TRACED = 64


class Trace:
    """Fills a graph's wiring with the edges between its layers.

    Parameters
    ----------
    z, run
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
        run: Runtime,
        pairs: Contrast,
        target: str,
        places: Sequence[Place],
        exact: int,
        resamples: int,
        seed: int,
    ) -> None:
        self._z, self._run, self._pairs, self._target = z, run, pairs, target
        self._places, self._exact = places, exact
        self._resamples, self._seed = resamples, seed
        columns = [Column(p.name, p.spec.size, p.basis is not None) for p in places]
        self.wiring = Wiring(target, columns)

    def run(self, top: tuple[F64, F64, F64], progress: Progress | None) -> Wiring:
        """Return the wiring, given what parts of the cut do to the class."""
        cut = self._places[-1]
        sources = self.wiring.start[cut.name] + np.arange(len(top[0]))
        self.wiring.enter_class(*top, sources)
        pairs = [(i, j) for j in range(len(self._places) - 1, 0, -1) for i in range(j - 1, -1, -1)]
        sizes = {f"{i}-{j}": self._places[i].spec.size for i, j in pairs}
        stages = Stages(progress, sizes)
        for i, j in pairs:
            self._between(i, j, lambda done, n, k=f"{i}-{j}": stages.at(k, done, n))
        stages.finish()
        return self.wiring

    def _between(self, i: int, j: int, tick: Progress) -> None:
        """Measure the edges from one layer to the units of another that matter."""
        source, target = self._places[i], self._places[j]
        held = [place.layer.name for place in self._places[i + 1 : j]]
        at = self.wiring.start[target.name]
        mine = self.wiring.flow()[at : at + target.spec.size]
        chosen = np.flatnonzero(cumulative(mine, _TRACED))
        chosen = np.sort(chosen[np.argsort(-mine[chosen], kind="stable")][:_MOST_TRACED])
        if not len(chosen):
            return
        # Whether anything but the held layers leads there at all, before many units are run.
        run, x, lent, padding = self._run, self._pairs.x, self._pairs.lent, self._pairs.padding
        if (
            held
            and not exact_changes(
                run, source, target, x[:8], lent[:8], held=held, sources=[], targets=chosen
            ).whole.any()
        ):
            return
        units = shortlist(
            self._z, run, source, target, self._target, held,
            chosen.tolist(), self._exact, 5, len(x), self._seed,
        )  # fmt: skip
        found = exact_changes(
            run, source, target, x, lent,
            held=held, sources=units, targets=chosen, both=True, padding=padding, progress=tick,
        )  # fmt: skip
        rough = rough_changes(
            run, source, target, x, lent, held=held, targets=chosen, padding=padding
        )
        # All that the target does between the two inputs, by whichever way.
        before, after = (responses(run, target, i, chosen, padding) for i in (x, lent))
        whole = after - before
        told = self._told(found.change, whole)
        self.wiring.enter(told, self.wiring.start[source.name] + found.sources, at + chosen)
        count = int(told.found.sum())
        guess = self._told(rough[:, found.sources], whole, count)
        same = overlap(strongest(told.estimate, count), strongest(guess.estimate, count))
        self.wiring.found_again(count, told.again, guess.again, same)

    def _told(self, change: F32, whole: F32, count: int | None = None) -> Shares:
        return shares(
            change, whole, self._pairs.scene,
            resamples=self._resamples, seed=self._seed, count=count,
        )  # fmt: skip
