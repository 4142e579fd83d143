"""A world of signs on coloured grounds, drawn in milliseconds, whose detectors can be written down.

A picture has one ground (its colour), one sign for each attribute of an animal (5 x 5 patterns,
drawn anew for every seed, in a random place and colour) and perhaps a few signs more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from circuitz.bench.checker.breeds import ATTRIBUTES, EXTRAS, Breeds
from circuitz.bench.checker.painted_tables import Flags

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

SIDE, SIGN, CELL, CELLS = 28, 5, 6, 4
# Colours no three of which lie on a line with, so that each is told by one linear function.
_COLOURS = np.array(
    [(0.74, 0.75, 0.77), (0.35, 0.60, 0.30), (0.70, 0.58, 0.34), (0.30, 0.42, 0.68)], np.float32
)
_CONTRAST, _NOISE, _CLUTTER = 0.16, 0.05, 2
_PATCH_SHARE, _PATCH = 0.12, 8


@dataclass(frozen=True)
class Glyphs(Breeds):
    """The signs, grounds and classes of one seed."""

    @property
    def random_stream_number(self) -> int:
        """See :attr:`TableWorld.stream_number`."""
        return 10

    @cached_property
    def sign_patterns(self) -> F32:
        """``(s, 5, 5)`` patterns of -1 and 1 (and one 0) that sum to 0 and look little alike."""
        draw = np.random.default_rng([self.seed, 1])
        found: list[F32] = []
        bound = 11.0
        while len(found) < len(self.sign_concepts) + 3:
            flat = np.repeat(np.array([-1, 0, 1], np.float32), (12, 1, 12))
            new = draw.permutation(flat).reshape(SIGN, SIGN)
            bound += 0.005  # rather a little more alike than never done
            if (
                all(_max_shifted_product(new, old) <= bound for old in found)
                and _max_shifted_product(new, new, 1) <= 14
            ):
                found.append(new)
        return np.stack(found)

    @property
    def sign_concepts(self) -> tuple[str, ...]:
        """Concepts that are signs, in the order of the first signs; the rest are clutter."""
        return (*(name for values in ATTRIBUTES for name in values), *EXTRAS)

    @property
    def ground_colours(self) -> F32:
        """``(g, 3)`` colours of the grounds, 0 to 1."""
        return _COLOURS

    def paint_images(self, values: I64, extras: Flags, seeds: I64) -> npt.NDArray[np.uint8]:
        """See :meth:`TableWorld.paint_images`."""
        out = np.empty((len(values), SIDE, SIDE, 3), np.uint8)
        for i, place in enumerate(seeds.tolist()):
            out[i] = self._paint_image(values[i], extras[i], np.random.default_rng(place))
        return out

    def _paint_image(
        self, values: I64, extras: Flags, rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        picture = np.tile(_COLOURS[values[4]], (SIDE, SIDE, 1))
        picture += rng.normal(0, _NOISE, picture.shape).astype(np.float32)
        picture += rng.normal(0, 0.02, 3).astype(np.float32)
        cells = rng.permutation(CELLS * CELLS)
        offset = rng.integers(0, SIDE - CELL * CELLS + 1, 2)
        strength = rng.uniform(0.8, 1.2, len(cells)).astype(np.float32)
        colour = rng.uniform(0.5, 1.4, (len(cells), 3)).astype(np.float32)
        colour /= colour.mean(1, keepdims=True)
        corner = rng.integers(0, SIDE - _PATCH, 2)
        if rng.random() < _PATCH_SHARE:
            y, x = corner
            picture[y : y + _PATCH, x : x + _PATCH] = _COLOURS[0]
        # A slot a sign has for itself, whether shown or not: a twin keeps everything else in place.
        shown = [3 * i + int(values[i]) for i in range(4)] + [
            12 + e if extras[e] else -1 for e in range(len(EXTRAS))
        ]
        clutter = rng.integers(0, 3, _CLUTTER) + len(self.sign_concepts)
        for slot, sign in enumerate([*shown, *clutter.tolist()]):
            if sign < 0:
                continue
            y, x = (np.array(divmod(int(cells[slot]), CELLS)) * CELL + offset).tolist()
            mark = _CONTRAST * strength[slot] * self.sign_patterns[sign][..., None] * colour[slot]
            picture[y : y + SIGN, x : x + SIGN] += mark
        return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)


def _max_shifted_product(a: F32, b: F32, skip: int = 0) -> float:
    """Largest inner product of two signs over all shifts; of one with itself, shifted."""
    best = 0.0
    for dy in range(-SIGN + 1, SIGN):
        for dx in range(-SIGN + 1, SIGN):
            if skip and not dy and not dx:
                continue
            one = a[max(0, dy) : SIGN + min(0, dy), max(0, dx) : SIGN + min(0, dx)]
            two = b[max(0, -dy) : SIGN + min(0, -dy), max(0, -dx) : SIGN + min(0, -dx)]
            best = max(best, float((one * two).sum()))
    return best
