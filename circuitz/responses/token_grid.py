"""Token sequences as pictures: a letter or word a cell, line by line. No torch."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from circuitz.z.inputs import InputSet

U8 = npt.NDArray[np.uint8]

_SIDES = (32, 72)
_PAPER, _LINE, _INK = (250, 250, 247), (214, 214, 208), (32, 33, 36)
# The position that looks is framed, the one looked at filled: told apart without colour, too.
_QUERY, _KEY = (176, 58, 46), (190, 222, 226)


def grid_shape(length: int) -> tuple[int, int]:
    """Return lines and columns in which a sequence is laid out: nearly a square."""
    columns = max(1, math.isqrt(max(length, 1) - 1) + 1)
    return -(-length // columns), columns


def lay_out_in_grid(maps: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return values along sequences ``(..., length)`` as pictures lay them out.

    Returns
    -------
    ``(..., lines, columns)``, 0 where a line has no token any more.
    """
    lines, columns = grid_shape(maps.shape[-1])
    found = np.zeros((*maps.shape[:-1], lines * columns), maps.dtype)
    found[..., : maps.shape[-1]] = maps
    return found.reshape(*maps.shape[:-1], lines, columns)


def token_boxes(positions: npt.NDArray[np.int64], inputs: InputSet) -> npt.NDArray[np.int16]:
    """Return where positions of sequences stand in their pictures.

    Returns
    -------
    ``(..., 4)`` int16 top, left, bottom, right in pixels; ``positions`` is ``(...)``.
    """
    lines, columns = grid_shape(inputs.images.shape[1])
    height, width = TokenPictures(inputs).shape[1:3]
    line, column = np.divmod(positions, columns)
    sides = (line * height // lines, column * width // columns,
             (line + 1) * height // lines, (column + 1) * width // columns)  # fmt: skip
    return np.stack(sides, -1).astype(np.int16)


def images_or_token_pictures(inputs: InputSet | None) -> Any:
    """Return what a screen shows of inputs: the images, or pictures of the token sequences.

    Returns
    -------
    Something with ``shape`` ``(n, h, w, c)`` and, by index, uint8 pictures ``(h, w, c)``; ``None``
    for ``None``.
    """
    if inputs is None or not inputs.is_tokens:
        return None if inputs is None else inputs.images
    return TokenPictures(inputs)


class TokenPictures:
    """Pictures of token sequences, drawn when they are asked for.

    Parameters
    ----------
    inputs
        Token sequences. Where rows are about pairs of positions, the one that looks is framed and
        the one looked at is filled.
    """

    def __init__(self, inputs: InputSet) -> None:
        self._inputs = inputs
        self._lines, self._columns = grid_shape(inputs.images.shape[1])
        padding = inputs.padding
        longest = max((len(w) for i, w in enumerate(inputs.vocabulary) if i != padding), default=1)
        self._cell = min(_SIDES[1], max(_SIDES[0], 8 * longest + 8))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """``(n, height, width, 3)`` in pixels."""
        return len(self._inputs), self._cell * self._lines, self._cell * self._columns, 3

    def __len__(self) -> int:
        return len(self._inputs)

    def __getitem__(self, index: int) -> U8:
        """Draw one sequence."""
        tokens, padding = self._inputs.images[index], self._inputs.padding
        focus = self._inputs.focus
        query, key = (-1, -1) if focus is None else (int(at) for at in focus[index])
        picture = Image.new("RGB", (self.shape[2], self.shape[1]), _PAPER)
        draw = ImageDraw.Draw(picture)
        font, most = _token_font(), max(1, (self._cell - 6) // 8)
        for place, token in enumerate(tokens):
            line, column = divmod(place, self._columns)
            left, top = column * self._cell, line * self._cell
            box = (left, top, left + self._cell - 1, top + self._cell - 1)
            marked = place == query
            draw.rectangle(
                box,
                fill=_KEY if place == key else None,
                outline=_QUERY if marked else _LINE,
                width=3 if marked else 1,
            )
            middle = (left + self._cell / 2, top + self._cell / 2)
            if token != padding:
                word = self._inputs.vocabulary[token]
                draw.text(middle, word[:most], fill=_INK, font=font, anchor="mm")
        return np.asarray(picture, np.uint8)


@lru_cache(maxsize=1)
def _token_font() -> Any:
    return ImageFont.load_default(size=18)
