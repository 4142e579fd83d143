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

from circuitz.bench.checker.base_network import InnerWires
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.blind_check import wrap_case_with_words
from circuitz.bench.checker.planted_net import FEATURES, HEAD, UNITS
from circuitz.effects.edge.edges import ContrastPairs
from circuitz.effects.edge.exact_edges import estimated_response_changes, exact_response_changes
from circuitz.models.run.basis import Basis
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.z.layer import LayerSpec

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
METHODS = ("ours", "eap", "eap_ig")
_IMAGES = 40


def edge_auroc_by_method(case: CheckerCase) -> dict[str, Any]:
    """Return the area under the ROC curve of each method, by kind of edge.

    Returns
    -------
    ``{"unit-class": {"ours": ..., "eap": ..., "eap_ig": ...}, "feature-unit": ...}``, and
    ``"symbol-neuron"`` where wires within the features are known.
    """
    base, inside = case.base, case.base.inside
    inner = () if inside is None else (inside.source, inside.target)
    z = wrap_case_with_words(case, base.data, layers=(*inner, FEATURES, UNITS, HEAD))
    run = runtime(z)
    spec = {layer.name: layer for layer in z.layers}
    found: dict[str, list[dict[str, F64]]] = defaultdict(list)
    truth: dict[str, list[Flags]] = defaultdict(list)
    reach = _planted_reachability([weight for weight, _ in base.head])
    for k, name in enumerate(base.world.classes):
        pairs = ContrastPairs.draw_toward_class(z, run, name, "test", _IMAGES, base.seed)
        ends = [
            _PlantedLayerPair(
                "unit-class", UnitSpace.of_layer(spec[UNITS]), spec[HEAD], reach.T, np.array([k])
            )
        ]
        if k == 0:
            mixed = base.mix[0].T != 0
            ends.append(
                _PlantedLayerPair(
                    "feature-unit", UnitSpace.of_layer(spec[FEATURES]), spec[UNITS], mixed
                )
            )
            if inside is not None:
                ends.append(_symbol_to_neuron_pair(inside, spec))
        for end in ends:
            found[end.kind].append(_edge_scores_by_method(run, end, pairs))
            truth[end.kind].append(end.planted[:, end.target_units].ravel())
    return {
        kind: {
            m: auroc_from_ranks(
                np.concatenate([f[m] for f in found[kind]]), np.concatenate(truth[kind])
            )
            for m in METHODS
        }
        for kind in found
    }


@dataclass(frozen=True, eq=False)
class _PlantedLayerPair:
    """Two layers, and which of the first's units (or directions) make which of the second's."""

    kind: str
    source: UnitSpace
    target: LayerSpec
    planted: Flags
    only: I64 | None = None

    @property
    def target_units(self) -> I64:
        """Units of the second layer that anything was planted on, or those asked for."""
        return np.flatnonzero(self.planted.any(0)) if self.only is None else self.only


def _symbol_to_neuron_pair(inside: InnerWires, specs: dict[str, LayerSpec]) -> _PlantedLayerPair:
    layer = specs[inside.source]
    along = replace(layer, name=f"{layer.name}@symbols", size=len(inside.directions))
    source = UnitSpace(along, layer, Basis.from_rows(inside.directions))
    return _PlantedLayerPair("symbol-neuron", source, specs[inside.target], inside.wires)


def _edge_scores_by_method(
    runtime: Runtime, end: _PlantedLayerPair, pairs: ContrastPairs
) -> dict[str, F64]:
    """Return what each source does to each target by each method, flat, in shares of the target's."""
    between = (runtime, end.source, end.target, pairs.x, pairs.donors)
    ours = exact_response_changes(*between, target_units=end.target_units, both=True)
    eap, eap_ig = (
        estimated_response_changes(*between, target_units=end.target_units, steps=n) for n in (1, 5)
    )
    # In shares of what each target does, so that targets can be ranked together.
    whole = np.maximum(np.abs(ours.whole).mean(0), 1e-9)
    changes = zip(METHODS, (ours.change, eap, eap_ig), strict=True)
    # What directions leave of their layer is no source.
    return {m: (np.abs(c).mean(0) / whole)[: len(end.planted)].ravel() for m, c in changes}


def _planted_reachability(weights: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.bool_]:
    """Return which inputs reach which outputs through planted weights, ``(out, in)``."""
    reach = (weights[0] != 0).astype(np.int64)
    for weight in weights[1:]:
        reach = (weight != 0).astype(np.int64) @ reach
    return reach > 0


def auroc_from_ranks(scores: F64, truth: npt.NDArray[np.bool_]) -> float:
    """Return the chance that a true edge scores above a false one, ties counting half."""
    if truth.all() or not truth.any():
        return float("nan")
    _, rank, count = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count - 1) / 2  # mean rank of equals, from 1
    ranks = middle[rank]
    positives = int(truth.sum())
    above = ranks[truth].sum() - positives * (positives + 1) / 2
    return float(above / positives / (len(truth) - positives))
