"""Logits of a network some of whose units put out their mean, whatever the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.baselines import mean_layer_outputs
from circuitz.patching.patch import UnitSet, run_patched

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

_BATCH = 64
_AVERAGED = 512  # inputs that the mean is taken over


def logits_without_units(
    z: AnnotatedModel, units: Sequence[str], images: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    """Return logits with units held at their mean over the concept set (*mean ablation*).

    Parameters
    ----------
    z
        Model whose network can be run.
    units
        Ids of whole units of its layers; all are held at once.
    images
        ``(n, ...)`` inputs as D has them.

    Returns
    -------
    ``(n, k)`` float32.

    Raises
    ------
    InputsError
        If there is neither a concept set nor D to take the mean over.
    UnitError, LayerError
        If a unit is none of z's layers'.
    """
    inputs = z.concept_set if z.concept_set is not None else z.data
    if inputs is None or not len(inputs):
        raise InputsError("There are no inputs to take means over.", "Give z a concept set, or D.")
    run = runtime(z)
    held = UnitSet(units, {spec.name: spec for spec in z.layers})
    some = np.unique(np.linspace(0, len(inputs) - 1, min(_AVERAGED, len(inputs))).astype(int))
    means = mean_layer_outputs(run, run.prepare(inputs.images[some]), held.layers, _BATCH)
    parts: list[npt.NDArray[np.float32]] = []
    for i in range(0, len(images), _BATCH):
        x = run.prepare(np.asarray(images[i : i + _BATCH]))
        lent = {name: mean.expand(len(x), *mean.shape[1:]) for name, mean in means.items()}
        _, logits = run_patched(run, x, [(held, lent)])
        parts.append(logits.float().cpu().numpy())
    return np.concatenate(parts)
