"""Draw one dog: shapes stacked on a canvas of material numbers, faced to the right."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from circuitz.data.worlds import outlines
from circuitz.data.worlds.dog_materials import EDGE, GROUP, INK

_POINT: Final = np.array([-3.3 + 0j, -9.4j, 3.3 + 0j])
_BLAZE: Final = np.array([-0.9 - 7.2j, 2.5 - 7.2j, 2.1 - 1j, 3.6 + 3.2j, -1.2 + 3.2j, -0.4 - 1j])

# Jitter columns that shape the dog (the others place and light the picture).
(J_TILT, J_STRIDE, J_WAG, J_TONGUE, J_LOOK, J_BLINK, J_HEAD_X, J_HEAD_Y, J_SIZE_HEAD, J_EAR,
 J_LENGTH, J_PITCH, J_LEG_A, J_LEG_B, J_GIRTH, J_MUZZLE) = range(16)  # fmt: skip


def draw_dog(
    parts: list[int],
    j: list[float],
    *,
    collar: bool,
    canvas: int,
    scale: float,
    offset: complex,
) -> npt.NDArray[np.uint8]:
    """Draw a dog that faces right.

    Parameters
    ----------
    parts
        Value of each attribute, in the order of ``ATTRIBUTES``.
    j
        Jitter in [0, 1); columns ``J_*``.
    collar
        Whether it wears one.
    canvas
        Side of the canvas in points.
    scale, offset
        Points a dog unit (a 64th of a picture), and where its feet stand.

    Returns
    -------
    numpy.ndarray
        ``(canvas, canvas)`` uint8 of material numbers, outlines marked by ``EDGE``.
    """
    ears, tail, coat, face, legs, body, _colour = parts
    s = outlines.ShapeSheet()
    leg = (12.6 if legs == 0 else 5.6) + 1.2 * (j[J_LEG_A] - 0.5)
    half = (14.0 if body == 0 else 13.4) + 1.4 * (j[J_LENGTH] - 0.5)
    girth = (4.7 if body == 0 else 8.3) + 0.9 * (j[J_GIRTH] - 0.5)
    back = -leg - girth * 0.72
    pitch = 1.4 * (j[J_PITCH] - 0.5)
    head = complex(
        half * 0.86 + 1.6 + 1.6 * (j[J_HEAD_X] - 0.5),
        back - girth * 0.35 - 6.8 + 2.0 * (j[J_HEAD_Y] - 0.5),
    )
    neck = complex(half * 0.62, back - girth * 0.1)
    stance = _Stance(half, back, leg, coat)

    _draw_legs(s, stance, j, far=True)
    _draw_tail(s, complex(-half * 0.93, back - girth * 0.35 - pitch), tail, coat, j)
    _draw_legs(s, stance, j, far=False)
    s.add_limb(INK["neck"], neck, head + 1.2j, girth * 0.62 + 1.6, 4.4)
    s.add_oval(INK["body"], outlines.BODY[coat], complex(0, back), half, girth, shear=pitch)
    s.add_oval(
        INK["chest"],
        outlines.SMALL[coat],
        complex(half * 0.7, back + girth * 0.3),
        3.6,
        girth * 0.5,
    )
    tilt = np.deg2rad(20 * (j[J_TILT] - 0.5))
    size = 1.0 + 0.1 * (j[J_SIZE_HEAD] - 0.5)
    s.set_frame(head, complex(np.cos(tilt), np.sin(tilt)) * size)
    if collar:
        _draw_collar(s)
    _draw_head(s, ears, coat, face, j)
    return _draw_material_borders(s.paint(canvas, scale, offset))


def _draw_material_borders(sheet: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Draw the pen's lines where one group of materials meets another."""
    group = GROUP.take(sheet)
    pen = np.zeros(sheet.shape, dtype=bool)
    pen[:-1, :-1] = (group[:-1, :-1] != group[1:, 1:]) | (group[1:, :-1] != group[:-1, 1:])
    pen[1:, 1:] |= pen[:-1, :-1]
    return sheet | (pen.view(np.uint8) * np.uint8(EDGE))


class _Stance(NamedTuple):
    """Where the trunk is: half its length, its height, the legs' length, and the coat."""

    half: float
    back: float
    leg: float
    coat: int


def _draw_legs(s: outlines.ShapeSheet, at: _Stance, j: list[float], *, far: bool) -> None:
    half, back, leg, coat = at
    stride = (2.4 if leg > 9 else 1.4) * (j[J_STRIDE] - 0.5)
    width = {outlines.FLUFFY: 2.5, outlines.SMOOTH: 1.8, outlines.CURLY: 2.0}[coat]
    ink, paw = (INK["far leg"], INK["far paw"]) if far else (INK["leg"], INK["paw"])
    lift = -0.9 if far else 0.0
    swing = -stride if far else stride
    for hip, extra, way in ((-half * 0.72, 0.5, 2), (half * 0.66, 0.0, -2)):
        x = hip + (3.4 if far else 0.0)
        foot = complex(x + swing * way, lift - 1.2)
        s.add_limb(ink, complex(x, back + 0.5), foot, width + 0.9 + extra, width * 0.86)
        if coat == outlines.CURLY:  # cuffs
            s.add_oval(ink, outlines.SMALL[coat], foot - 0.9j, width + 1.0, min(2.6, leg * 0.4))
        s.add_oval(paw, outlines.ROUND, foot + complex(0.9, 0.1), width + 0.75, 1.45)


def _draw_tail(s: outlines.ShapeSheet, root: complex, tail: int, coat: int, j: list[float]) -> None:
    ink = INK["tail"]
    wag = j[J_WAG] - 0.5
    thick = {outlines.FLUFFY: 1.3, outlines.SMOOTH: 0.86, outlines.CURLY: 1.05}[coat]
    if tail == 0:  # rolled up over the back
        size = 5.6 + wag
        s.add_oval(ink, outlines.CURL[coat], root + complex(0.2, -size * 0.9), size, size)
    elif tail == 1:  # straight out and up
        angle = np.deg2rad(205 + 34 * j[J_WAG])
        tip = root + 11.5 * complex(np.cos(angle), np.sin(angle))
        s.add_limb(ink, root + 1.5, tip, 2.0 * thick, 0.85 * thick)
        if coat == outlines.FLUFFY:
            s.add_oval(ink, outlines.SMALL[coat], root + (tip - root) * 0.62, 4.4, 2.6)
        elif coat == outlines.CURLY:
            s.add_oval(ink, outlines.SMALL[coat], tip, 2.7, 2.7)
    else:  # a stub
        r = 2.8 + 0.6 * (coat != outlines.SMOOTH)
        s.add_oval(ink, outlines.SMALL[coat], root + complex(-0.8, -1.0 + wag), r, r)


def _draw_collar(s: outlines.ShapeSheet) -> None:
    """Show a red band under the chin; the head covers the rest of it."""
    s.add_oval(INK["collar"], outlines.ROUND, complex(-0.2, 3.6), 6.5, 6.6)
    s.add_oval(INK["buckle"], outlines.ROUND, complex(0.8, 10.4), 1.8, 1.9)


def _draw_head(s: outlines.ShapeSheet, ears: int, coat: int, face: int, j: list[float]) -> None:
    """Draw the head about 0; the frame puts it in its place."""
    perk = (j[J_EAR] - 0.5) * 1.2
    sides = ((-1, INK["far ear"]), (1, INK["ear"]))
    if ears == 0:  # two tall triangles
        for side, ink in sides:
            at = complex(0.4 + side * 4.8, -4.4)
            lean = complex(1, side * 0.14)
            tall = 1 + 0.12 * perk
            s.add_oval(ink, _POINT * lean, at, 1, tall)
            s.add_oval(
                INK["inner ear"], _POINT * lean, at + complex(side * 0.2, -1.1), 0.55, tall * 0.6
            )
    elif ears == 2:  # two small round ears
        for side, ink in sides:
            at = complex(0.4 + side * 6.2, -6.6 - perk * 0.4)
            s.add_oval(ink, outlines.ROUND, at, 3.5, 3.5)
            s.add_oval(INK["inner ear"], outlines.ROUND, at + 0.3j, 1.9, 1.9)
    s.add_oval(INK["head"], outlines.SMALL[coat], 0.4 + 0j, 8.0, 7.3)
    if coat == outlines.FLUFFY:
        s.add_oval(INK["cheek"], outlines.SMALL[coat], 0.4 + 2.8j, 8.6, 4.2)
    elif coat == outlines.CURLY:
        s.add_oval(INK["head"], outlines.SMALL[coat], 0.4 - 6.2j, 5.2, 2.9)
    _draw_face(s, face, j)
    if ears == 1:  # hanging down both cheeks
        for side, ink in sides:
            x = 0.4 + side * 7.3
            tip = complex(x + side * (1.6 + perk * 0.5), 5.4)
            s.add_limb(ink, complex(x, -4.4), tip, 2.0, 3.1)


def _draw_face(s: outlines.ShapeSheet, face: int, j: list[float]) -> None:
    look = 0.7 * (j[J_LOOK] - 0.5)
    snout = complex(1.5 + 0.6 * (j[J_MUZZLE] - 0.5), 3.5)
    white = INK["marking"]
    if face == 0:  # a white mask under a dark cap
        for x in (-2.5, 4.1):
            s.add_oval(white, outlines.ROUND, complex(x, -0.4), 3.0, 3.3)
        s.add_oval(white, outlines.ROUND, snout + complex(-0.4, 0.2), 6.4, 3.9)
    elif face == 2:  # a white stripe down the forehead
        s.add_oval(white, _BLAZE, 0, 1, 1)
    s.add_oval(white if face == 0 else INK["muzzle"], outlines.ROUND, snout, 4.3, 3.1)
    if j[J_TONGUE] < 0.45:
        s.add_oval(INK["tongue"], outlines.ROUND, snout + complex(0.4, 3.1), 1.35, 2.0)
    for x in (-2.6, 4.2):
        if j[J_BLINK] < 0.06:
            s.add_oval(INK["eye"], outlines.DOT, complex(x, -0.4), 1.7, 0.45)
            continue
        s.add_oval(INK["eye"], outlines.ROUND, complex(x, -0.6), 1.5, 1.75)
        s.add_oval(INK["gleam"], outlines.DOT, complex(x + 0.45 + look, -1.15), 0.62, 0.62)
    s.add_oval(INK["nose"], outlines.ROUND, snout + complex(0.5, -1.35), 1.75, 1.25)
    s.add_oval(INK["gleam"], outlines.DOT, snout + complex(0.2, -1.75), 0.5, 0.35)
    s.add_limb(INK["line"], snout + complex(0.5, -0.3), snout + complex(0.5, 1.2), 0.3, 0.3)
