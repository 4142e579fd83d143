"""Outlines of a dog's parts, smooth, fluffy or curly, and the sheet they are laid on.

Points are complex numbers, x + iy with y downwards. A piece of an outline is stored as
``centre + p * unit + q * conj(unit)`` of a unit shape, so that all pieces of a dog are worked out
in one go.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Points = npt.NDArray[np.complex128]

FLUFFY, SMOOTH, CURLY = 0, 1, 2
"""Values of the attribute ``coat``."""


def _circle_outline(n: int) -> Points:
    return np.exp(2j * np.pi * np.arange(n) / n)


def _tufted_outline(teeth: int, depth: float) -> Points:
    """Return a unit circle with slanted teeth, as fur sticks out."""
    turn = 2 * np.pi * np.arange(teeth) / teeth
    step = 2 * np.pi / teeth
    tips = (1 + depth) * np.exp(1j * (turn + 0.15 * step))
    pits = (1 - depth * 0.35) * np.exp(1j * (turn + 0.62 * step))
    return np.stack([tips, pits], axis=1).ravel().astype(np.complex128)


def _bumpy_outline(lobes: int, depth: float) -> Points:
    """Return a unit circle of small arcs, as curls stick out."""
    t = 2 * np.pi * np.arange(lobes * 4) / (lobes * 4)
    radius = 1 - depth * 0.4 + depth * np.abs(np.sin(lobes * t / 2))
    return (radius * np.exp(1j * t)).astype(np.complex128)


BODY: Final[dict[int, Points]] = {
    FLUFFY: _tufted_outline(19, 0.17),
    SMOOTH: _circle_outline(32),
    CURLY: _bumpy_outline(13, 0.17),
}
SMALL: Final[dict[int, Points]] = {
    FLUFFY: _tufted_outline(13, 0.15),
    SMOOTH: _circle_outline(24),
    CURLY: _bumpy_outline(9, 0.2),
}
ROUND: Final = _circle_outline(18)
DOT: Final = _circle_outline(8)
CAP: Final[Points] = np.exp(1j * np.linspace(-np.pi / 2, np.pi / 2, 6))
"""Half a unit circle: the end of a stick that points to the right."""


def _curled_tail_line() -> tuple[Points, npt.NDArray[np.float64]]:
    t = np.linspace(0, 1, 24)
    angle = np.deg2rad(90 + 345 * t)  # from the root backwards, up and over
    line = ((1.0 - 0.52 * t) * np.exp(1j * angle)).astype(np.complex128)
    return line, np.interp(t, [0, 0.3, 1], [0.3, 0.36, 0.2])


def _curled_tail_outline(width: float, ruffle: float) -> Points:
    """Return the band along the curl, with a ruffled or an even edge."""
    line, half = _curled_tail_line()
    along = np.gradient(line)
    normal = 1j * along / np.abs(along) * half * width
    normal = normal * (1 + ruffle * (np.arange(len(line)) % 2))
    return np.concatenate([line + normal, (line - normal)[::-1]])


CURL: Final[dict[int, Points]] = {
    FLUFFY: _curled_tail_outline(1.1, 0.2),
    SMOOTH: _curled_tail_outline(0.92, 0.0),
    CURLY: _curled_tail_outline(1.02, 0.08),
}
"""A tail rolled up over the back, its root at ``1j``."""


class ShapeSheet:
    """Shapes in the order they are drawn, in a frame that can be moved and turned."""

    def __init__(self) -> None:
        self._units: list[Points] = []
        self._places: list[tuple[complex, complex, complex]] = []
        self._pieces: list[int] = []
        self._inks: list[int] = []
        self._at: complex = 0
        self._turn: complex = 1

    def set_frame(self, at: complex, turn: complex) -> None:
        """Lay what follows in a frame at ``at``, turned and scaled by ``turn``."""
        self._at, self._turn = at, turn

    def _add_piece(self, unit: Points, centre: complex, p: complex, q: complex) -> None:
        turn = self._turn
        self._units.append(unit)
        self._places.append((self._at + turn * centre, turn * p, turn * q))

    def add_oval(
        self, ink: int, unit: Points, centre: complex, a: float, b: float, *, shear: float = 0
    ) -> None:
        """Add a unit outline with half axes ``a`` and ``b``, its right end lowered by ``shear``."""
        slant = 0.5j * shear
        self._add_piece(unit, centre, (a + b) / 2 + slant, (a - b) / 2 + slant)
        self._pieces.append(1)
        self._inks.append(ink)

    def add_limb(self, ink: int, start: complex, end: complex, w0: float, w1: float) -> None:
        """Add a tapered stick with round ends of radius ``w0`` and ``w1``."""
        way = (end - start) / abs(end - start)
        self._add_piece(CAP, end, way * w1, 0)
        self._add_piece(CAP, start, -way * w0, 0)
        self._pieces.append(2)
        self._inks.append(ink)

    def paint(self, canvas: int, scale: float, offset: complex) -> npt.NDArray[np.uint8]:
        """Fill the shapes with their ink, later ones over earlier ones.

        Returns
        -------
        numpy.ndarray
            ``(canvas, canvas)`` uint8, 0 where nothing was drawn.
        """
        lengths = [len(u) for u in self._units]
        unit = np.concatenate(self._units)
        place = np.repeat(np.array(self._places), lengths, axis=0)
        points = place[:, 0] + place[:, 1] * unit + place[:, 2] * unit.conj()
        points = points * scale + offset
        flat: list[float] = points.view(np.float64).tolist()
        image = Image.new("L", (canvas, canvas), 0)
        polygon = ImageDraw.Draw(image).polygon
        start = piece = 0
        for count, ink in zip(self._pieces, self._inks, strict=True):
            stop = start + 2 * sum(lengths[piece : piece + count])
            polygon(flat[start:stop], fill=ink)
            start, piece = stop, piece + count
        return np.asarray(image)
