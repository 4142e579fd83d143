"""Random views of the images being optimised: what looks the same from all of them is kept."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional

# For images of 224 pixels; lengths shrink with the image.
_REFERENCE = 224
_SHIFT = 8 + 4
_SCALE = (0.9, 1.1)
_TURN = 10.0


def moved(draw: np.random.Generator, height: int, width: int) -> torch.Tensor:
    """Return one random shift, turn and change of size as a ``(1, 2, 3)`` matrix."""
    reach = _SHIFT * max(height, width) / _REFERENCE
    dx, dy = draw.uniform(-reach, reach, 2)
    turn = math.radians(draw.uniform(-_TURN, _TURN))
    scale = draw.uniform(*_SCALE)
    c, s = math.cos(turn) / scale, math.sin(turn) / scale
    rows = [[c, -s, 2 * dx / width], [s, c, 2 * dy / height]]
    return torch.tensor([rows], dtype=torch.float32)


def crops(draw: np.random.Generator, many: int, share: float) -> torch.Tensor:
    """Return random crops as ``(many, 2, 3)`` matrices.

    Parameters
    ----------
    many
        How many.
    share
        Side of a crop as a share of the image's, about which sizes scatter a little.
    """
    side = np.clip(draw.normal(share, 0.1 * share, many), 0.05, 1.0)
    # Centres lie about the middle, and a crop never leaves the image.
    centre = np.clip(draw.normal(0, 0.3, (many, 2)), -(1 - side)[:, None], (1 - side)[:, None])
    found = np.zeros((many, 2, 3), np.float32)
    found[:, 0, 0] = found[:, 1, 1] = side
    found[:, :, 2] = centre
    return torch.from_numpy(found)


def seen(images: torch.Tensor, how: torch.Tensor) -> torch.Tensor:
    """Return each image ``(n, c, h, w)`` under one view ``(1, 2, 3)``, or its own ``(n, 2, 3)``."""
    grid = functional.affine_grid(
        how.expand(len(images), 2, 3), list(images.shape), align_corners=False
    )
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
