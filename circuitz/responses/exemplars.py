"""The inputs on which each unit is most active, kept while images stream by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

KEPT = 9


class Exemplars:
    """The best inputs of every unit of one layer, at most one a scene.

    Memory does not grow with the number of inputs: only the maps of the best are kept. The same
    inputs are kept in whatever batches they come, and of equal ones the first.

    Parameters
    ----------
    units, shape
        How many units, and height and width of their maps.
    scene
        ``(n,)`` scene numbers of all inputs, or ``None``. Images of one scene look alike, so
        nine of them would say less than nine scenes.
    """

    def __init__(self, units: int, shape: tuple[int, int], scene: I64 | None) -> None:
        self._scene = scene
        self.peak = np.full((units, KEPT), -np.inf, np.float32)
        self.index = np.full((units, KEPT), -1, np.int64)
        self.map = np.zeros((units, KEPT, *shape), np.float32)

    def add_batch(self, start: int, maps: torch.Tensor, peaks: F32) -> None:
        """Take in a batch.

        Parameters
        ----------
        start
            Index of its first input.
        maps
            ``(b, u, h, w)`` maps.
        peaks
            ``(b, u)`` largest value of each.
        """
        # A zero is a unit behind a ReLU that is off: no example of what turns it on.
        offered = np.where(peaks.T != 0, peaks.T, -np.inf).astype(np.float32)
        # After a while few units see anything better than they have; the others are left alone.
        hot = np.flatnonzero(offered.max(1) > self.peak[:, -1])
        if not len(hot):
            return
        offered = offered[hot]
        index = np.arange(start, start + len(peaks))
        if self._scene is not None:
            offered = _keep_best_of_scene(offered, self._scene[index])
        best = np.argsort(-offered, axis=1, kind="stable")[:, :KEPT]
        peak = np.take_along_axis(offered, best, 1)
        slot = self._merge_candidates(hot, peak, index[best])
        unit, place = np.nonzero((slot >= KEPT) & np.isfinite(self.peak[hot]))
        row = best[unit, slot[unit, place] - KEPT]
        new = maps[torch.from_numpy(row), torch.from_numpy(hot[unit])]
        self.map[hot[unit], place] = new.float().cpu().numpy()

    def merge_exemplars_of_later_inputs(self, peak: F32, index: I64, maps: F32) -> None:
        """Take in what was kept of later inputs: ``(u, 9)``, ``(u, 9)`` and ``(u, 9, h, w)``."""
        slot = self._merge_candidates(np.arange(len(self.peak)), peak, index)
        unit, place = np.nonzero((slot >= KEPT) & np.isfinite(self.peak))
        self.map[unit, place] = maps[unit, slot[unit, place] - KEPT]

    def _merge_candidates(self, hot: I64, peak: F32, index: I64) -> I64:
        """Merge candidates ``(u', c)`` of some units into what they have.

        Returns
        -------
        ``(u', 9)`` where each kept one comes from: below 9 from before, above from candidates.
        """
        peak = np.concatenate([self.peak[hot], peak], 1)
        where = np.concatenate([self.index[hot], index], 1)
        slot = np.lexsort((where, -peak), axis=1)
        if self._scene is not None:
            # Of two images of a scene, one of this batch and one from before, the better stays.
            ranked = np.take_along_axis(where, slot, 1)
            scene = np.where(ranked >= 0, self._scene[ranked], -1 - np.arange(ranked.shape[1]))
            again = np.tril(scene[:, :, None] == scene[:, None, :], -1).any(2)
            np.put_along_axis(
                peak, slot, np.where(again, -np.inf, np.take_along_axis(peak, slot, 1)), 1
            )
            last = np.argsort(again, axis=1, kind="stable")
            slot = np.take_along_axis(slot, last, 1)
        slot = slot[:, :KEPT]
        kept = np.take_along_axis(peak, slot, 1)
        self.peak[hot] = kept
        self.index[hot] = np.where(np.isfinite(kept), np.take_along_axis(where, slot, 1), -1)
        moved = np.flatnonzero((slot != np.arange(KEPT)).any(1))
        self.map[hot[moved]] = self.map[hot[moved, None], np.minimum(slot[moved], KEPT - 1)]
        return slot

    def heat_maps(self, largest: F32) -> npt.NDArray[np.uint8]:
        """Return the maps ``(u, 9, h, w)`` as uint8, 255 = the unit's largest peak ``(u,)``."""
        top = np.where(largest > 0, largest, np.inf)[:, None, None, None]
        heat = np.round(255 * np.clip(self.map / top, 0, 1)).astype(np.uint8)
        heat[self.index < 0] = 0
        return heat

    def receptive_boxes(
        self, receptive: tuple[int, int, int], network: tuple[int, int], image: tuple[int, int]
    ) -> npt.NDArray[np.int16]:
        """Return the receptive field of each peak, clipped to the image.

        Parameters
        ----------
        receptive
            Size, stride and start, see :class:`circuitz.z.layer.LayerSpec`.
        network, image
            Height and width of the network's input, and of the images before resizing.

        Returns
        -------
        ``(u, 9, 4)`` int16 top, left, bottom, right in pixels of the images.
        """
        size, stride, offset = receptive
        flat = self.map.reshape(*self.map.shape[:2], -1).argmax(2)
        place = np.stack(np.unravel_index(flat, self.map.shape[2:]), -1)
        whole = np.array(image)
        if size == 0:
            low, high = np.zeros_like(place), np.broadcast_to(whole, place.shape)
        else:
            low = offset + stride * place
            scale = whole / np.array(network)
            low, high = np.floor(low * scale), np.ceil((low + size) * scale)
        box = np.concatenate([np.clip(low, 0, whole - 1), np.clip(high, 1, whole)], -1)
        box[self.index < 0] = 0
        return box.astype(np.int16)


def _keep_best_of_scene(offered: F32, scene: I64) -> F32:
    """Keep the first best of each scene in ``(u, b)`` and set the others to -inf."""
    names, group = np.unique(scene, return_inverse=True)
    if len(names) == len(scene):
        return offered
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(names)))
    best = np.maximum.reduceat(offered[:, order], starts, axis=1)[:, group]
    column = np.where(offered == best, np.arange(len(scene)), len(scene))
    first = np.minimum.reduceat(column[:, order], starts, axis=1)[:, group]
    return np.where(first == np.arange(len(scene)), offered, -np.inf).astype(np.float32)
