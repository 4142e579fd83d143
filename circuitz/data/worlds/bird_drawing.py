"""Draw one bird: feathered shapes stacked on a canvas of material numbers, faced to the right."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from circuitz.data.worlds import outlines
from circuitz.data.worlds.bird_materials import EDGE, GROUP, INK

Points = outlines.Points


def _polygon_outline(*points: tuple[float, float]) -> Points:
    return np.array([complex(x, y) for x, y in points])


def _egg_outline(n: int = 36, blunt: float = 0.34) -> Points:
    """Return a unit egg, its blunt end to the right."""
    t = 2 * np.pi * np.arange(n) / n
    return (np.cos(t) + 1j * np.sin(t) * (1 + blunt * np.cos(t)) / (1 + blunt / 2)).astype(
        np.complex128
    )


_EGG: Final = _egg_outline()
_WING: Final = _polygon_outline(
    (7, -3.4), (8.2, -0.6), (6.6, 2.6), (2.5, 4.6), (-4, 4.6), (-10, 3.4), (-16.5, 1.4), (-10, -1.2),
    (-3, -3.8), (3, -4.6),
)  # fmt: skip
_TAILS: Final = (
    _polygon_outline((1, -2.4), (-6, -3.6), (-14.5, -8.2), (-9.2, -0.8), (-14.5, 6.4), (-6, 2.6), (1, 2.4)),
    _polygon_outline(
        (1, -2.6), (-9, -9.4), (-12.4, -7.2), (-14.2, -3.6), (-14.8, 0), (-14.2, 3.6), (-12.4, 6.6),
        (-9, 8.4), (1, 2.6),
    ),
    _polygon_outline((1, -2.6), (-10, -2.7), (-18.6, -1.4), (-19.6, 0.3), (-18.6, 1.6), (-10, 2.5), (1, 2.4)),
)  # fmt: skip
_RAYS: Final = ((-7.6, -4.6), (-11.5, 0.2), (-7.6, 4.4))
_HOOK: Final = _polygon_outline(
    (-1, -2.7), (2.6, -2.8), (5.4, -1.8), (6.9, 0.4), (6.6, 3.4), (5.2, 1.4), (2.6, 1.5), (-1, 2.2)
)
_DAGGER: Final = _polygon_outline((-1, -1.7), (5, -1.1), (11.8, 0.5), (5, 1.3), (-1, 1.7))
_CONE: Final = _polygon_outline((-1, -2.6), (1.8, -1.7), (4.6, 0.3), (1.8, 1.9), (-1, 2.5))
_PLUMES: Final = (
    _polygon_outline((2.6, -3.2), (0.6, -6.4), (-1.6, -10.6), (-1.9, -6.0), (-1.0, -3.2)),
    _polygon_outline((0.6, -3.4), (-2.8, -6.6), (-6.4, -8.8), (-4.4, -4.8), (-2.2, -2.6)),
    _polygon_outline((-1.6, -3.2), (-5.4, -4.6), (-8.8, -5.0), (-5.6, -2.4), (-3.2, -0.6)),
)
_BARS: Final = (
    _polygon_outline((4.4, -4.0), (5.9, -3.4), (3.6, 4.4), (2.0, 4.6)),
    _polygon_outline((-0.4, -4.4), (1.2, -4.5), (-1.0, 4.5), (-2.6, 4.5)),
    _polygon_outline((-5.0, -3.0), (-3.6, -3.6), (-5.6, 4.2), (-7.2, 4.0)),
)
_SPOTS: Final = (
    (4.6, -1.8), (1.2, -2.4), (-2.4, -1.8), (3.4, 1.7), (-0.4, 1.4), (-4.2, 1.4), (-8.2, 1.0),
)  # fmt: skip

# Jitter columns that shape the bird (the others place and light the picture).
(J_TILT, J_STEP, J_WAG, J_LOOK, J_HEAD_X, J_HEAD_Y, J_FAT, J_LONG, J_LEG, J_WING, J_BEAK,
 J_CREST, J_SPLAY, J_EYE) = range(14)  # fmt: skip


def draw_bird(
    parts: list[int],
    j: list[float],
    *,
    ring: bool,
    canvas: int,
    scale: float,
    offset: complex,
) -> npt.NDArray[np.uint8]:
    """Draw a bird that faces right.

    Parameters
    ----------
    parts
        Value of each attribute, in the order of the world's table.
    j
        Jitter in [0, 1); columns ``J_*``.
    ring
        Whether it wears a ring on its legs.
    canvas
        Side of the canvas in points.
    scale, offset
        Points a bird unit (a 64th of a picture), and where its feet stand.

    Returns
    -------
    numpy.ndarray
        ``(canvas, canvas)`` uint8 of material numbers, lines marked by ``EDGE``.
    """
    beak, crown, wings, tail, legs, throat, neck, _colour = parts
    s = outlines.ShapeSheet()
    leg = (13.0 if legs == 0 else 5.2) + 1.4 * (j[J_LEG] - 0.5)
    half = 12.2 + 1.4 * (j[J_LONG] - 0.5)
    fat = 7.4 + 1.2 * (j[J_FAT] - 0.5)
    middle = complex(-1.5, -leg - fat * 0.8)
    tilt = np.deg2rad(-16 - 12 * (j[J_TILT] - 0.5))
    lean = complex(np.cos(tilt), np.sin(tilt))
    reach = complex(12.4, -13.2) if neck == 0 else complex(9.6, -7.6)
    head = middle + reach + complex(2.0 * (j[J_HEAD_X] - 0.5), 2.2 * (j[J_HEAD_Y] - 0.5))

    s.set_frame(middle, lean)
    _draw_tail(s, half, tail, j)
    s.set_frame(0, 1)
    _draw_legs(s, middle, leg, ring, j)
    s.set_frame(middle, lean)
    s.add_oval(INK["body"], _EGG, 0, half, fat)
    s.add_oval(INK["belly"], _EGG, complex(1.8, fat * 0.36), half * 0.74, fat * 0.6)
    s.set_frame(0, 1)
    _draw_neck(s, middle, head, neck)
    s.set_frame(middle, lean)
    _draw_wing(s, wings, j)
    _draw_head(s, head, beak, crown, throat, j)
    return _draw_material_borders(s.paint(canvas, scale, offset))


def _draw_material_borders(sheet: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Draw a line where one group of materials meets another."""
    group = GROUP.take(sheet)
    line = np.zeros(sheet.shape, dtype=bool)
    line[:, :-1] = group[:, :-1] != group[:, 1:]
    line[:-1] |= group[:-1] != group[1:]
    return sheet | (line.view(np.uint8) * np.uint8(EDGE))


def _draw_tail(s: outlines.ShapeSheet, half: float, tail: int, j: list[float]) -> None:
    turn = np.deg2rad(16 * (j[J_WAG] - 0.5))
    swing = complex(np.cos(turn), np.sin(turn))
    root = complex(-half * 0.8, 0.6)
    spread = 0.94 + 0.14 * j[J_SPLAY]
    shape = _TAILS[tail] * swing
    s.add_oval(INK["tail"], shape, root, 1, spread)
    if tail == 1:  # the rays of a fan
        for x, y in _RAYS:
            s.add_limb(
                INK["quill"],
                root + 0.2 * complex(x, y) * swing,
                root + complex(x, y) * swing,
                0.3,
                0.4,
            )


def _draw_legs(
    s: outlines.ShapeSheet, middle: complex, leg: float, ring: bool, j: list[float]
) -> None:
    step = 1.8 * (j[J_STEP] - 0.5)
    for x, ink in ((2.6 + step, "far leg"), (-1.6 - step, "leg")):
        foot = complex(x + 0.4, -0.4)
        hip = complex(x * 0.7, middle.imag + 4)
        s.add_limb(INK[ink], hip, foot, 1.05, 0.85)
        for toe in (3.2, 1.6, -1.9):
            s.add_limb(INK[ink], foot, foot + complex(toe, 0.5 if toe > 2 else 0.9), 0.62, 0.45)
        if ring:
            low = foot + (hip - foot) * (0.26 if leg > 9 else 0.34)
            s.add_limb(INK["ring"], low, low + (hip - foot) / abs(hip - foot) * 1.7, 1.75, 1.75)


def _draw_neck(s: outlines.ShapeSheet, middle: complex, head: complex, neck: int) -> None:
    base = middle + complex(7.4, -2.4)
    if neck == 0:  # an S: out, then up
        bend = base + (head - base) * 0.5 + complex(1.3, 1.0)
        s.add_limb(INK["neck"], base - 1.5, bend, 4.6, 3.0)
        s.add_limb(INK["neck"], bend, head + 0.8j, 3.0, 2.7)
    else:
        s.add_limb(INK["neck"], base - 1.2, head + 0.8j, 5.6, 4.2)


def _draw_wing(s: outlines.ShapeSheet, wings: int, j: list[float]) -> None:
    """Draw the folded wing; the frame is the body's."""
    droop = np.deg2rad(4 + 8 * (j[J_WING] - 0.5))
    fold = complex(np.cos(droop), -np.sin(droop))
    s.add_oval(INK["wing"], _WING * fold, -0.8 - 0.6j, 1, 1)
    at = -0.8 - 0.6j
    if wings == 0:
        for bar in _BARS:
            s.add_oval(INK["mark"], bar * fold, at, 1, 1)
    elif wings == 2:
        for x, y in _SPOTS:
            s.add_oval(INK["mark"], outlines.DOT, at + complex(x, y) * fold, 1.15, 1.0)
    for y in (2.4, 0.6):  # the long feathers at its end
        s.add_limb(
            INK["quill"], at + complex(-6.4, y + 0.9) * fold, at + complex(-14, 1.6 + y * 0.1) * fold,
            0.22, 0.22,
        )  # fmt: skip


def _draw_head(
    s: outlines.ShapeSheet, head: complex, beak: int, crown: int, throat: int, j: list[float]
) -> None:
    nod = np.deg2rad(14 * (j[J_LOOK] - 0.5))
    s.set_frame(head, complex(np.cos(nod), np.sin(nod)))
    if crown == 0:
        raised = 0.92 + 0.2 * j[J_CREST]
        for plume in _PLUMES:
            s.add_oval(INK["crest"], plume, 0, 1, raised)
    size = 0.95 + 0.12 * j[J_BEAK]
    at = 3.9 + 0.7j
    if beak == 0:
        s.add_oval(INK["beak"], _HOOK, at, size, size)
        s.add_oval(INK["beak tip"], _HOOK[3:6], at, size, size)
    elif beak == 1:
        s.add_oval(INK["beak"], _DAGGER, at, size, size)
        s.add_limb(INK["beak tip"], at + 0.2j, at + 9 * size + 0.4j, 0.22, 0.2)
    else:
        s.add_oval(INK["beak"], _CONE, at, size, size)
        s.add_limb(INK["beak tip"], at + 0.2j, at + 3.6 * size + 0.3j, 0.22, 0.2)
    if throat == 0:
        s.add_oval(INK["throat"], _EGG, complex(1.5, 4.9), 2.7, 3.9)
    s.add_oval(INK["head"], outlines.ROUND, 0, 4.9, 4.7)
    s.add_oval(INK["cheek"], outlines.ROUND, complex(0.6, 1.9), 3.0, 2.0)
    s.add_oval(INK["rim"], outlines.ROUND, complex(1.4, -0.8), 1.75, 1.75)
    s.add_oval(INK["eye"], outlines.ROUND, complex(1.5 + 0.3 * (j[J_EYE] - 0.5), -0.8), 1.2, 1.25)
    s.add_oval(INK["gleam"], outlines.DOT, complex(1.9, -1.25), 0.45, 0.45)
