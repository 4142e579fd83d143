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


def random_affine_matrix(rng: np.random.Generator, height: int, width: int) -> torch.Tensor:
    """Return one random shift, turn and change of size as a ``(1, 2, 3)`` matrix."""
    reach = _SHIFT * max(height, width) / _REFERENCE
    dx, dy = rng.uniform(-reach, reach, 2)
    turn = math.radians(rng.uniform(-_TURN, _TURN))
    scale = rng.uniform(*_SCALE)
    c, s = math.cos(turn) / scale, math.sin(turn) / scale
    rows = [[c, -s, 2 * dx / width], [s, c, 2 * dy / height]]
    return torch.tensor([rows], dtype=torch.float32)


def random_crop_matrices(rng: np.random.Generator, count: int, share: float) -> torch.Tensor:
    """Return random crops as ``(many, 2, 3)`` matrices.

    Parameters
    ----------
    count
        How many.
    share
        Side of a crop as a share of the image's, about which sizes scatter a little.
    """
    side = np.clip(rng.normal(share, 0.1 * share, count), 0.05, 1.0)
    # Centres lie about the middle, and a crop never leaves the image.
    centre = np.clip(rng.normal(0, 0.3, (count, 2)), -(1 - side)[:, None], (1 - side)[:, None])
    found = np.zeros((count, 2, 3), np.float32)
    found[:, 0, 0] = found[:, 1, 1] = side
    found[:, :, 2] = centre
    return torch.from_numpy(found)


def resample_images_under_view(images: torch.Tensor, view: torch.Tensor) -> torch.Tensor:
    """Return each image ``(n, c, h, w)`` under one view ``(1, 2, 3)``, or its own ``(n, 2, 3)``."""
    grid = functional.affine_grid(
        view.expand(len(images), 2, 3), list(images.shape), align_corners=False
    )
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
