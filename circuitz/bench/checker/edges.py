"""How well measured edges tell planted wires from noise, beside attribution patching.

Truth is the planted wiring: unit on class (through any steps of a program), and feature on unit.
Every other weight is noise. Scores are mean absolute changes, in three ways: ours (run exactly, each
source exchanged first and last), edge attribution patching (EAP, one gradient) and EAP-IG (five).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.bench.checker.case import Case
from circuitz.bench.checker.look import wrapped
from circuitz.bench.checker.net import FEATURES, HEAD, UNITS
from circuitz.effects.edge_effects import Contrast
from circuitz.effects.edges import exact_changes, rough_changes
from circuitz.models.open import runtime

F64 = npt.NDArray[np.float64]
METHODS = ("ours", "eap", "eap_ig")
_IMAGES = 40


def edge_scores(case: Case) -> dict[str, Any]:
    """Return the area under the ROC curve of each method, by kind of edge.

    Returns
    -------
    ``{"unit-class": {"ours": ..., "eap": ..., "eap_ig": ...}, "feature-unit": ...}``
    """
    base = case.base
    z = wrapped(case, base.data, layers=(FEATURES, UNITS, HEAD))
    run = runtime(z)
    spec = {layer.name: layer for layer in z.layers}
    found: dict[str, list[dict[str, F64]]] = {"unit-class": [], "feature-unit": []}
    truth: dict[str, list[npt.NDArray[np.bool_]]] = {"unit-class": [], "feature-unit": []}
    reach = _reach([weight for weight, _ in base.head])
    for k, name in enumerate(base.world.classes):
        pairs = Contrast.toward(z, run, name, "test", _IMAGES, base.seed)
        ends = [("unit-class", UNITS, HEAD, np.array([k]), reach[[k]])]
        if k == 0:
            everyone = np.arange(base.size)
            ends.append(("feature-unit", FEATURES, UNITS, everyone, base.mix[0] != 0))
        for kind, source, target, to, planted in ends:
            ours = exact_changes(
                run, spec[source], spec[target], pairs.x, pairs.lent, targets=to, both=True
            )
            eap, eap_ig = (
                rough_changes(
                    run, spec[source], spec[target], pairs.x, pairs.lent, targets=to, steps=steps
                )
                for steps in (1, 5)
            )
            changes = zip(METHODS, (ours.change, eap, eap_ig), strict=True)
            # In shares of what each target does, so that targets can be ranked together.
            whole = np.maximum(np.abs(ours.whole).mean(0), 1e-9)
            found[kind].append({m: (np.abs(c).mean(0) / whole).ravel() for m, c in changes})
            truth[kind].append(planted.T.ravel())
    return {
        kind: {
            m: auroc(np.concatenate([f[m] for f in found[kind]]), np.concatenate(truth[kind]))
            for m in METHODS
        }
        for kind in found
    }


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
