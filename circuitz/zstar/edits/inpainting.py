"""Filling a region of pictures from what lies around it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

U8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
_NOTHING = 1e-6
_BATCH = 64


def fill(x: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    """Return colours for every pixel, made of those outside the region, near ones first.

    A pyramid of weighted means (push and pull, after Gortler et al. 1996). Differentiable in both
    arguments.

    Parameters
    ----------
    x
        Pictures ``(n, c, h, w)``, float.
    region
        ``(n, 1, h, w)`` in 0..1: 1 where nothing of the picture is to be used.
    """
    known = 1 - region
    levels = [(x * known, known)]
    while max(levels[-1][0].shape[2:]) > 1:
        colour, mass = levels[-1]
        levels.append(
            (
                functional.avg_pool2d(colour, 2, ceil_mode=True),
                functional.avg_pool2d(mass, 2, ceil_mode=True),
            )
        )
    colour, mass = levels.pop()
    out = colour / mass.clamp_min(_NOTHING)
    for colour, mass in reversed(levels):
        coarse = functional.interpolate(out, colour.shape[2:], mode="bilinear", align_corners=False)
        near, share = (functional.avg_pool2d(v, 3, 1, 1) for v in (colour, mass))
        out = share * (near / share.clamp_min(_NOTHING)) + (1 - share) * coarse
    return out


def fill_unknown_pixels(images: U8, known_pixels: Bool) -> U8:
    """Fill the unknown pixels of 8-bit pictures.

    Parameters
    ----------
    images
        ``(n, h, w, c)`` uint8.
    known_pixels
        ``(n, h, w)`` bool; a picture of which nothing is known becomes black.

    Returns
    -------
    ``(n, h, w, c)`` uint8, unchanged where known and within the range of what is known elsewhere.
    """
    out = np.array(images)
    # Some at a time: the pyramid takes many times the memory of the pictures.
    for i in range(0, len(images), _BATCH):
        part, there = out[i : i + _BATCH], known_pixels[i : i + _BATCH]
        x = torch.from_numpy(np.ascontiguousarray(part.transpose(0, 3, 1, 2))).float()
        with torch.no_grad():
            filled = fill(x, torch.from_numpy(~there)[:, None].float()).permute(0, 2, 3, 1).numpy()
        part[~there] = np.rint(filled).clip(0, 255).astype(np.uint8)[~there]
    return out
