"""One pass over the concept set: what every unit of every layer responds to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from circuitz.errors import InputsError
from circuitz.features.exemplars import Exemplars, map_shape
from circuitz.models.runtime import Runtime
from circuitz.models.specs import unit_maps
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import LayerMeasurements

F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]


def sweep(
    runtime: Runtime,
    specs: Sequence[LayerSpec],
    inputs: InputSet,
    *,
    batch: int = 64,
    bins: int = 24,
    progress: Progress | None = None,
) -> dict[str, LayerMeasurements]:
    """Measure responses, exemplars and histograms of all units in one streaming pass.

    Beyond two numbers an image and unit, memory does not grow with the number of images. The
    batch size changes results only by rounding.

    Parameters
    ----------
    runtime
        The network.
    specs
        Layers to measure, all at once.
    inputs
        The concept set (n images).
    batch
        Images at a time.
    bins
        Bins of each unit's histogram of peaks.
    progress
        Called with images done and images in all.

    Returns
    -------
    One :class:`~circuitz.z.measurements.LayerMeasurements` a layer.

    Raises
    ------
    InputsError
        If there are no images, or they do not fit the network.
    """
    n = len(inputs)
    if n == 0:
        raise InputsError("The concept set is empty.", "Units are measured on images: add some.")
    mean = {s.name: np.empty((n, s.size), np.float32) for s in specs}
    peak = {s.name: np.empty((n, s.size), np.float32) for s in specs}
    kept = {s.name: Exemplars(s, inputs.scene) for s in specs}
    for where, acts, _ in runtime.read(inputs.images, [s.name for s in specs], batch):
        for spec in specs:
            maps = _maps(spec, acts[spec.name])
            mean[spec.name][where] = maps.mean((2, 3)).float().cpu().numpy()
            # Several times faster than amax on maps that lie channels-last.
            peaks = functional.adaptive_max_pool2d(maps.float(), 1)[..., 0, 0].cpu().numpy()
            peak[spec.name][where] = peaks
            kept[spec.name].add(where.start, maps, peaks)
        if progress is not None:
            progress(where.stop, n)
    image = (int(inputs.images.shape[1]), int(inputs.images.shape[2]))
    found: dict[str, LayerMeasurements] = {}
    for spec in specs:
        counts, edges = histograms(peak[spec.name], bins)
        best = kept[spec.name]
        found[spec.name] = LayerMeasurements(
            layer=spec.name,
            responses=mean[spec.name],
            peaks=peak[spec.name],
            exemplars=best.index,
            exemplar_boxes=best.boxes(runtime.preprocessing.size, image),
            exemplar_heat=best.heat(peak[spec.name].max(0)),
            histogram=counts,
            histogram_edges=edges,
        )
    return found


def _maps(spec: LayerSpec, act: torch.Tensor) -> torch.Tensor:
    """Return a layer's output as ``(n, u, h, w)``."""
    if act.ndim == 4 and spec.unit_axis == 1:
        return act
    return unit_maps(spec, act).unflatten(2, map_shape(spec))


def histograms(values: F32, bins: int) -> tuple[npt.NDArray[np.int64], F32]:
    """Return counts ``(u, bins)`` and edges ``(u, bins + 1)`` of each column of ``(n, u)``."""
    low, high = values.min(0), values.max(0)
    # A unit that never changes still gets bins of some width.
    width = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
    place = np.clip(((values - low) / width * bins).astype(np.int64), 0, bins - 1)
    units = values.shape[1]
    flat = place + bins * np.arange(units)
    counts = np.bincount(flat.ravel(), minlength=units * bins).reshape(units, bins)
    edges = low[:, None] + width[:, None] * np.linspace(0, 1, bins + 1)
    return counts.astype(np.int64), edges.astype(np.float32)
