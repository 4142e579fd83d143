"""Where in a picture the positions of a layer lie."""

from __future__ import annotations

from typing import Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch

from circuitz.z.layer import LayerSpec

Values = TypeVar("Values", torch.Tensor, npt.NDArray[np.float32])


def picture_map_shape(spec: LayerSpec) -> tuple[int, int]:
    """Return height and width of a unit's map over a picture; 1 where positions have no place in it."""
    if len(spec.spatial_axes) >= 2:
        height, width = (spec.shape[a - 1] for a in spec.spatial_axes[-2:])
        return height, width
    return spec.patches[1:] if spec.patches[1] else (1, 1)


def fold_onto_picture(
    spec: LayerSpec, flat: Values, over: Literal["largest", "sum"] = "largest"
) -> Values:
    """Return values at positions as maps over a picture.

    Parameters
    ----------
    spec
        The layer.
    flat
        ``(..., positions)`` as :func:`circuitz.models.run.layer_specs.flatten_unit_maps` has them.
    over
        What becomes of positions that share a place (frames), or that have none: where a layer has
        patches, those that belong to no patch are left out; where it is not known how positions
        lie, all of them become one number.

    Returns
    -------
    ``(..., h, w)``, see :func:`picture_map_shape`.
    """
    height, width = picture_map_shape(spec)
    if spec.patches[1]:
        flat = flat[..., spec.patches[0] : spec.patches[0] + height * width]
    stacked = flat.reshape((*flat.shape[:-1], -1, height, width))
    if stacked.shape[-3] == 1:
        return cast(Values, stacked[..., 0, :, :])
    if isinstance(stacked, np.ndarray):
        return cast(Values, stacked.max(-3) if over == "largest" else stacked.sum(-3))
    return stacked.amax(-3) if over == "largest" else stacked.sum(-3)
