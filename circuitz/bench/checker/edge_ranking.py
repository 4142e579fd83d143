"""How well measured edges tell planted wires from noise, beside attribution patching.

Truth is the planted wiring: unit on class (through any steps of a program), feature on unit, and in a
transformer symbol on neuron, through its head. Every other weight is noise. Scores are mean absolute changes, in three ways: ours (run exactly, each
source exchanged first and last), edge attribution patching (EAP, one gradient) and EAP-IG (five).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.bench.checker.base_network import Inside
from circuitz.bench.checker.benchmark_case import Case
from circuitz.bench.checker.blind_check import wrapped
from circuitz.bench.checker.planted_net import FEATURES, HEAD, UNITS
from circuitz.effects.edge.edges import Contrast
from circuitz.effects.edge.exact_edges import exact_changes, rough_changes
from circuitz.models.run.basis import Basis
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import Place
from circuitz.z.layer import LayerSpec

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
METHODS = ("ours", "eap", "eap_ig")
_IMAGES = 40


def edge_scores(case: Case) -> dict[str, Any]:
    """Return the area under the ROC curve of each method, by kind of edge.

    Returns
    -------
    ``{"unit-class": {"ours": ..., "eap": ..., "eap_ig": ...}, "feature-unit": ...}``, and
    ``"symbol-neuron"`` where wires within the features are known.
    """
    base, inside = case.base, case.base.inside
    inner = () if inside is None else (inside.source, inside.target)
    z = wrapped(case, base.data, layers=(*inner, FEATURES, UNITS, HEAD))
    run = runtime(z)
    spec = {layer.name: layer for layer in z.layers}
    found: dict[str, list[dict[str, F64]]] = defaultdict(list)
    truth: dict[str, list[Flags]] = defaultdict(list)
    reach = _reach([weight for weight, _ in base.head])
    for k, name in enumerate(base.world.classes):
        pairs = Contrast.toward(z, run, name, "test", _IMAGES, base.seed)
        ends = [_Ends("unit-class", Place.of(spec[UNITS]), spec[HEAD], reach.T, np.array([k]))]
        if k == 0:
            mixed = base.mix[0].T != 0
            ends.append(_Ends("feature-unit", Place.of(spec[FEATURES]), spec[UNITS], mixed))
            if inside is not None:
                ends.append(_within(inside, spec))
        for end in ends:
            found[end.kind].append(_scores(run, end, pairs))
            truth[end.kind].append(end.planted[:, end.targets].ravel())
    return {
        kind: {
            m: auroc(np.concatenate([f[m] for f in found[kind]]), np.concatenate(truth[kind]))
            for m in METHODS
        }
        for kind in found
    }


@dataclass(frozen=True, eq=False)
class _Ends:
    """Two layers, and which of the first's units (or directions) make which of the second's."""

    kind: str
    source: Place
    target: LayerSpec
    planted: Flags
    only: I64 | None = None

    @property
    def targets(self) -> I64:
        """Units of the second layer that anything was planted on, or those asked for."""
        return np.flatnonzero(self.planted.any(0)) if self.only is None else self.only


def _within(inside: Inside, spec: dict[str, LayerSpec]) -> _Ends:
    layer = spec[inside.source]
    along = replace(layer, name=f"{layer.name}@symbols", size=len(inside.directions))
    source = Place(along, layer, Basis.of(inside.directions))
    return _Ends("symbol-neuron", source, spec[inside.target], inside.wires)


def _scores(run: Runtime, end: _Ends, pairs: Contrast) -> dict[str, F64]:
    """Return what each source does to each target by each method, flat, in shares of the target's."""
    between = (run, end.source, end.target, pairs.x, pairs.lent)
    ours = exact_changes(*between, targets=end.targets, both=True)
    eap, eap_ig = (rough_changes(*between, targets=end.targets, steps=n) for n in (1, 5))
    # In shares of what each target does, so that targets can be ranked together.
    whole = np.maximum(np.abs(ours.whole).mean(0), 1e-9)
    changes = zip(METHODS, (ours.change, eap, eap_ig), strict=True)
    # What directions leave of their layer is no source.
    return {m: (np.abs(c).mean(0) / whole)[: len(end.planted)].ravel() for m, c in changes}


def _reach(weights: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.bool_]:
    """Return which inputs reach which outputs through planted weights, ``(out, in)``."""
    reach = (weights[0] != 0).astype(np.int64)
    for weight in weights[1:]:
        reach = (weight != 0).astype(np.int64) @ reach
    return reach > 0


def auroc(scores: F64, truth: npt.NDArray[np.bool_]) -> float:
    """Return the chance that a true edge scores above a false one, ties counting half."""
    if truth.all() or not truth.any():
        return float("nan")
    _, rank, count = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count - 1) / 2  # mean rank of equals, from 1
    ranks = middle[rank]
    positives = int(truth.sum())
    above = ranks[truth].sum() - positives * (positives + 1) / 2
    return float(above / positives / (len(truth) - positives))
