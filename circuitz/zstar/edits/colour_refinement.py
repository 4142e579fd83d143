"""Regions sharpened picture by picture: a pixel belongs where its colour is at home.

A region learned from image labels has soft edges and swallows what is thin, such as a tail. Within
one picture colours tell the two sides apart: each side's colours are counted, and every pixel goes
where its colour, and what the region said of its surroundings, make it likelier (the colour models
of GrabCut, Rother, Kolmogorov & Blake 2004, counted in a histogram, without its cut).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, uniform_filter

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

# Bins a channel, and how far a count reaches into its neighbours.
_BINS, _REACH = 16, 1.0
_ROUNDS = 2
# How much a region says of a pixel at most, in logits; colours can overrule it.
_SURE = 2.5
# Pixels a side must have for its colours to be counted.
_FEWEST = 24


def refine_by_colour(images: U8, regions: F32) -> F32:
    """Return regions whose edges follow colours.

    Parameters
    ----------
    images
        ``(n, h, w, c)`` uint8, of one to three channels (of more, the first three are read).
    regions
        ``(n, h, w)`` probabilities.

    Returns
    -------
    ``(n, h, w)`` float32 probabilities; a picture of which nearly all, or nothing, is region is
    left as it is.
    """
    return (
        np.stack(
            [_refine_one(image, region) for image, region in zip(images, regions, strict=True)]
        )
        if len(images)
        else regions
    )


def _refine_one(image: U8, region: F32) -> F32:
    colours = np.minimum(image[..., :3].astype(np.int64) * _BINS // 256, _BINS - 1)
    shape = (_BINS,) * colours.shape[-1]
    index = np.zeros(colours.shape[:2], np.int64)
    for channel in range(colours.shape[-1]):
        index = index * _BINS + colours[..., channel]
    soft = gaussian_filter(region, 1.0)
    prior = np.log(np.clip(soft, 1e-6, 1) / np.clip(1 - soft, 1e-6, 1)).clip(-_SURE, _SURE)
    inside = region.astype(np.float64)
    for _ in range(_ROUNDS):
        if min(inside.sum(), (1 - inside).sum()) < _FEWEST:
            return region
        ratio = _log_share(index, inside, shape) - _log_share(index, 1 - inside, shape)
        logits = prior + uniform_filter(ratio.clip(-6, 6), 3) * 0.5 + ratio.clip(-6, 6) * 0.5
        inside = 1 / (1 + np.exp(-logits))
    return inside.astype(np.float32)


def _log_share(
    index: npt.NDArray[np.int64], weight: npt.NDArray[np.float64], shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """Return the logarithm of how common each pixel's colour is on a side."""
    counts = np.bincount(index.ravel(), weight.ravel(), int(np.prod(shape))).reshape(shape)
    smooth = gaussian_filter(counts, _REACH, mode="nearest")
    share = (smooth + 1e-3) / (smooth.sum() + 1e-3 * smooth.size)
    return np.log(share).ravel()[index]
