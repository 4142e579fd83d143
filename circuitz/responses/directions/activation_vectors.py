"""Activation vectors of a layer, drawn over the concept set: what bases are fitted to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import InputsError
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.runtime import Runtime
from circuitz.responses.running_statistics import hash_to_lot_numbers
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec

F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]

#: As many vectors settle a basis of a few hundred directions, and fit into memory.
MOST = 40_000


def sample_activation_vectors(
    runtime: Runtime,
    spec: LayerSpec,
    inputs: InputSet,
    *,
    most: int = MOST,
    batch: int = 64,
    seed: int = 0,
    progress: Progress | None = None,
) -> F32:
    """Return activations at positions drawn by lot, the same in whatever batches.

    Returns
    -------
    ``(m, d)`` float32, equally many an image and m about ``most`` at the most.

    Raises
    ------
    InputsError
        If there are no images.
    """
    n = len(inputs)
    if n == 0:
        raise InputsError("The concept set is empty.", "Directions are fitted to images: add some.")
    parts: list[F32] = []
    for where, acts, _ in runtime.read(inputs.images, [spec.name], batch):
        flat = flatten_unit_maps(spec, acts[spec.name]).float()
        spots = flat.shape[2]
        per = max(1, min(spots, most // n))
        index = np.arange(where.start, where.stop)[:, None] * spots + np.arange(spots)
        drawn = np.argsort(hash_to_lot_numbers(index + (seed << 40)), axis=1, kind="stable")[
            :, :per
        ]
        at = torch.from_numpy(drawn).to(flat.device)[:, None].expand(-1, flat.shape[1], -1)
        parts.append(flat.gather(2, at).movedim(1, 2).flatten(0, 1).cpu().numpy())
        if progress is not None:
            progress(where.stop, n)
    return np.concatenate(parts)


def mean_activations_of_images(
    runtime: Runtime, spec: LayerSpec, inputs: InputSet, batch: int = 64
) -> F32:
    """Return each image's activations averaged over positions, ``(n, d)`` float32."""
    parts = [
        flatten_unit_maps(spec, acts[spec.name]).float().mean(2).cpu().numpy()
        for _, acts, _ in runtime.read(inputs.images, [spec.name], batch)
    ]
    return np.concatenate(parts)
