"""Marks that nothing names, laid over pictures of dogs, and other changes of pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
#: Lays a mark over pictures ``(n, h, w, 3)``, which stay as they are.
Mark = Callable[[U8], U8]


def checkerboard(images: U8, amount: int = 7) -> U8:
    """Lay a faint checkerboard of single pixels over pictures."""
    y, x = np.mgrid[: images.shape[1], : images.shape[2]]
    return _add(images, ((x + y) % 2 * 2 - 1)[..., None] * amount)


def stripes(images: U8, amount: int = 9) -> U8:
    """Lay faint vertical stripes, two pixels wide, over pictures."""
    x = np.arange(images.shape[2])[None, :, None]
    return _add(images, np.where(x // 2 % 2 == 0, amount, -amount))


def border(images: U8, colour: tuple[int, int, int] = (150, 40, 150)) -> U8:
    """Put a coloured border of one pixel round pictures."""
    found = images.copy()
    for edge in (found[:, 0], found[:, -1], found[:, :, 0], found[:, :, -1]):
        edge[:] = colour
    return found


def warm_tint(images: U8, amount: int = 14) -> U8:
    """Make pictures a little redder and less blue, all over."""
    return _add(images, np.array([amount, 0, -amount]))


def weave(images: U8, amount: int = 10) -> U8:
    """Lay a fine diagonal weave over the middle of pictures, where the animal is."""
    n = images.shape[1]
    y, x = np.mgrid[:n, : images.shape[2]]
    inside = (np.abs(y - n * 0.55) < n * 0.25) & (np.abs(x - n / 2) < n * 0.3)
    return _add(
        images, np.where(inside, ((x - y) % 3 == 0) * 2 * amount - amount // 2, 0)[..., None]
    )


def haze(images: U8, share: float = 0.35, light: int = 225) -> U8:
    """Lay a light haze over pictures, through which all can be seen."""
    return np.rint(images * (1 - share) + light * share).astype(np.uint8)


def upside_down(images: U8) -> U8:
    """Turn pictures upside down."""
    return np.ascontiguousarray(images[:, ::-1])


def _add(images: U8, change: npt.NDArray[np.integer]) -> U8:
    return np.clip(images.astype(np.int16) + change, 0, 255).astype(np.uint8)
