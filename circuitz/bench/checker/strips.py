"""A world of writing: each cell shows one symbol, and what a symbol says depends on the one before.

A picture is read row by row. A pair of symbols says something: first which attribute is meant, then
its value; the ground is such a pair, and what else is there stands behind a sign for *also*. All
attributes share the same few values, and both kinds of symbols also stand where they say nothing, so
no symbol means anything alone. Pairs come in random order with symbols between them that say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from circuitz.bench.checker.breeds import ATTRIBUTES, EXTRAS, GROUNDS, Breeds
from circuitz.bench.checker.painted_tables import Flags

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

CELL, ROW = 6, 5  # pixels a symbol, symbols a row
CELLS, SIDE = ROW**2, ROW * CELL
#: Symbols that stand first: one an attribute, one for the ground, one for *also*.
FIRST = len(ATTRIBUTES) + 2
_ALSO = FIRST - 1
#: Symbols that stand second, shared by all that stand first.
SECOND = max(len(GROUNDS), len(EXTRAS), *(len(values) for values in ATTRIBUTES))
#: Symbols that never say anything.
IDLE = 4
SYMBOLS = FIRST + SECOND + IDLE
_BLANK = SYMBOLS
_PAIRS = FIRST - 1 + len(EXTRAS)
_LOOSE = CELLS - 2 * _PAIRS
#: Contrast of a symbol, of 0 to 1, and how far it varies from cell to cell.
CONTRAST, VARIES = 0.16, 0.15
_NOISE, _ALIKE = 0.05, 8


@dataclass(frozen=True)
class Strips(Breeds):
    """The symbols and classes of one seed."""

    @property
    def random_stream_number(self) -> int:
        """See :attr:`TableWorld.stream_number`."""
        return 11

    @cached_property
    def symbol_patterns(self) -> F32:
        """``(s, 6, 6)`` patterns of -1 and 1 that sum to 0 and look little alike, firsts first."""
        draw = np.random.default_rng([self.seed, 1])
        found: list[F32] = []
        while len(found) < SYMBOLS:
            new = draw.permutation(np.repeat(np.array([-1, 1], np.float32), CELL**2 // 2))
            if all(abs(float(new @ old)) <= _ALIKE for old in found):
                found.append(new)
        return np.stack(found).reshape(SYMBOLS, CELL, CELL)

    @property
    def symbol_pair_by_concept(self) -> dict[str, tuple[int, int]]:
        """Concept to the two symbols that say it."""
        said = {
            value: (first, FIRST + i)
            for first, group in enumerate(self.exclusive_concept_groups)
            for i, value in enumerate(group)
        }
        return {
            **said,
            **{extra: (_ALSO, FIRST + i) for i, extra in enumerate(self.optional_concepts)},
        }

    def draw_cell_symbols(self, values: I64, extras: Flags, rng: np.random.Generator) -> I64:
        """Return the symbol in each cell of one picture, ``(25,)``; 14 is none.

        A pair has a place of its own, whether what it says is shown or not: with the same ``rng``,
        pictures differ only in the pairs that say something else.
        """
        pieces: list[list[int]] = [[i, FIRST + int(v)] for i, v in enumerate(values.tolist())]
        # Where an extra is not shown, one of its symbols may stand alone, or neither.
        alone = rng.integers(0, 3, len(extras)).tolist()
        for i, (shown, kind) in enumerate(zip(extras.tolist(), alone, strict=True)):
            pair = [_ALSO, FIRST + i]
            pieces.append(
                pair if shown else [s if kind == at else _BLANK for at, s in enumerate(pair)]
            )
        # A first symbol among these could say something with what comes after it.
        pieces += [[s] for s in rng.integers(FIRST, SYMBOLS + 2, _LOOSE).clip(max=_BLANK).tolist()]
        order = rng.permutation(len(pieces)).tolist()
        return np.array([symbol for i in order for symbol in pieces[i]], np.int64)

    def paint_images(self, values: I64, extras: Flags, seeds: I64) -> npt.NDArray[np.uint8]:
        """See :meth:`TableWorld.paint_images`."""
        return np.stack(
            [
                self._paint_image(v, e, np.random.default_rng(place))
                for v, e, place in zip(values, extras, seeds.tolist(), strict=True)
            ]
        )

    def _paint_image(
        self, values: I64, extras: Flags, rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        patterns = np.concatenate([self.symbol_patterns, np.zeros((1, CELL, CELL), np.float32)])
        marks = patterns[self.draw_cell_symbols(values, extras, rng)]
        contrast = CONTRAST * rng.uniform(1 - VARIES, 1 + VARIES, (CELLS, 1))
        colour = rng.uniform(0.5, 1.4, (CELLS, 3))
        colour *= contrast / colour.mean(1, keepdims=True)
        cells = marks[..., None] * colour[:, None, None]
        picture = cells.reshape(ROW, ROW, CELL, CELL, 3).transpose(0, 2, 1, 3, 4)
        picture = 0.5 + picture.reshape(SIDE, SIDE, 3) + rng.normal(0, 0.05, 3)
        picture += rng.normal(0, _NOISE, picture.shape)
        return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
