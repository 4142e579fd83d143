"""What the units of the cut, and the network, answer to inputs: D, D′ or any others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.errors import MeasurementError
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.open_runtime import runtime
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CutResponses:
    """Responses of the cut's units and outputs of the network.

    Parameters
    ----------
    units
        Ids of the units, the order of axis ``u``.
    responses
        ``(n, u)`` float32, one number an input and unit: the mean over positions, as in
        measurements of the concept set.
    logits
        ``(n, k)`` float32.
    """

    units: tuple[str, ...]
    responses: F32
    logits: F32

    @property
    def predicted(self) -> I64:
        """``(n,)`` class of each input, as the network says."""
        return self.logits.argmax(1)


def cut_responses(
    z: AnnotatedModel,
    inputs: InputSet,
    rows: I64 | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> CutResponses:
    """Run the network on inputs and read the units of its cut.

    Parameters
    ----------
    z
        A model with a cut of one layer.
    inputs
        D, D′ or others, prepared for z.
    rows
        Which of them; all by default.
    progress
        Called with inputs done and inputs in all.

    Raises
    ------
    MeasurementError
        If z has no cut of one layer, or there are no inputs.
    """
    if len(z.cut) != 1:
        raise MeasurementError(
            f"The cut has {len(z.cut)} layers.", "Wrap the network with a cut of one layer."
        )
    images = inputs.images if rows is None else inputs.images[rows]
    if not len(images):
        raise MeasurementError("There are no inputs to read.", "Give one or more.")
    spec = next(s for s in z.layers if s.name == z.cut[0])
    responses: list[F32] = []
    logits: list[F32] = []
    done = 0
    for _, acts, out in runtime(z).read(images, [spec.name]):
        responses.append(flatten_unit_maps(spec, acts[spec.name]).mean(2).float().cpu().numpy())
        logits.append(out.float().cpu().numpy())
        done += len(responses[-1])
        if progress is not None:
            progress(done, len(images))
    read = np.concatenate(responses)
    units = tuple(f"{spec.name}:{u}" for u in range(read.shape[1]))
    return CutResponses(units, read, np.concatenate(logits))
