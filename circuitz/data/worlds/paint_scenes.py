"""Paint many scenes, in several processes if asked.

Painting is a pure function of a row of :class:`~circuitz.data.worlds.scenes.Scenes`, so worker
processes may share the rows in any way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import repeat
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt

from circuitz.data.worlds.scenes import Scenes

U8 = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]
Paint = Callable[[Scenes, int, bool], tuple[U8, U8 | None]]
"""Scenes, side and whether to give masks, to pictures and masks. A function of a module."""
_SHARE = 256  # pictures a worker takes at a time


def paint_scenes_in_workers(
    paint: Paint,
    scenes: Scenes,
    size: int = 64,
    *,
    with_masks: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[U8, U8 | None]:
    """Paint scenes; the pixels are the same for any number of workers.

    Parameters
    ----------
    paint
        Paints some scenes in this process.
    scenes
        What to paint.
    size
        Side of the pictures.
    with_masks
        Whether to return part masks too.
    workers
        Processes; 1 paints here.
    progress
        Called with pictures done and pictures in all.

    Returns
    -------
    images
        ``(n, size, size, 3)`` uint8.
    masks
        ``(n, size, size)`` uint8 into the renderer's mask names, or ``None``.
    """
    n = len(scenes)
    images = np.empty((n, size, size, 3), dtype=np.uint8)
    masks = np.empty((n, size, size), dtype=np.uint8) if with_masks else None
    slices = [slice(i, min(i + _SHARE, n)) for i in range(0, n, _SHARE)]
    painted = _paint_shares(
        paint, [scenes.take(rows) for rows in slices], size, with_masks, workers
    )
    for rows, (picture, part) in zip(slices, painted, strict=True):
        images[rows] = picture
        if masks is not None and part is not None:
            masks[rows] = part
        if progress is not None:
            progress(rows.stop, n)
    return images, masks


def _paint_shares(
    paint: Paint, shares: list[Scenes], size: int, with_masks: bool, workers: int
) -> Iterator[tuple[U8, U8 | None]]:
    if workers <= 1 or len(shares) <= 1:
        for share in shares:
            yield paint(share, size, with_masks)
        return
    done = 0
    try:
        # Spawned, not forked: safe next to threads, and the same on every system.
        context = get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(shares)), mp_context=context) as pool:
            for painted in pool.map(paint, shares, repeat(size), repeat(with_masks)):
                yield painted
                done += 1
    except BrokenProcessPool:
        # A script without a main guard, or a worker out of memory: go on in this process.
        for share in shares[done:]:
            yield paint(share, size, with_masks)
