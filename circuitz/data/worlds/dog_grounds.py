"""Backdrops: random cuts from wide panoramas that are painted once a process.

Every picture takes a crop of one of the panoramas of its ground, mirrored or not, and tints it,
so grounds repeat as little as dogs do and cost almost nothing.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from circuitz.data.worlds.dog_parts import GROUNDS
from circuitz.data.worlds.painter import SUPER, Painter
from circuitz.data.worlds.panoramas import PANORAMAS

PER_GROUND = 8


@lru_cache(maxsize=10)
def paint_dog_grounds(ground: int, size: int) -> npt.NDArray[np.uint8]:
    """Panoramas of one ground, from fixed seeds.

    Parameters
    ----------
    ground
        Index into ``GROUNDS``.
    size
        Side of the pictures that will be cut from them.

    Returns
    -------
    numpy.ndarray
        ``(PER_GROUND, 3, height, width)`` uint8, read-only.
    """
    painted: list[npt.NDArray[np.uint8]] = []
    for i in range(PER_GROUND):
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((7, ground, i))))
        painter = Painter(rng, size)
        PANORAMAS[GROUNDS[ground]](painter)
        painted.append(np.asarray(painter.image.reduce(SUPER)))
    out = np.ascontiguousarray(np.stack(painted).transpose(0, 3, 1, 2))
    out.setflags(write=False)
    return out


def crop_dog_ground(
    ground: int, size: int, *, which: float, across: float, down: float, mirrored: bool
) -> npt.NDArray[np.uint8]:
    """Cut a backdrop from a panorama.

    Parameters
    ----------
    ground
        Index into ``GROUNDS``.
    size
        Side of the cut.
    which, across, down
        Numbers in [0, 1) that choose the panorama and the place of the cut.
    mirrored
        Left and right exchanged.

    Returns
    -------
    numpy.ndarray
        ``(3, size, size)`` uint8, a view of the panorama.
    """
    image = paint_dog_grounds(ground, size)[int(which * PER_GROUND)]
    x = int(across * (image.shape[2] - size + 1))
    y = int((0.28 + 0.5 * down) * (image.shape[1] - size + 1))
    crop = image[:, y : y + size, x : x + size]
    return crop[:, :, ::-1] if mirrored else crop
