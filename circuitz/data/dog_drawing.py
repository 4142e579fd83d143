"""Draw one dog: shapes stacked on a canvas of material numbers.

A canvas holds numbers, not colours: which material shows at each point. Colours, outlines, part
masks and fur are all read off it afterwards, so they cannot disagree.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from circuitz.data import outlines as o
from circuitz.data.outlines import Points, limb, oval, ribbon

MATERIALS: Final = (
    "", "tail", "far leg", "far paw", "leg", "paw", "body", "neck", "chest", "head", "far ear",
    "ear", "inner ear", "marking", "muzzle", "nose", "eye", "gleam", "tongue", "line", "collar",
    "buckle", "cheek",
)  # fmt: skip
NUMBER: Final = {name: i for i, name in enumerate(MATERIALS)}
MASK_NAMES: Final = (
    "", "ears", "tail", "coat", "legs", "face", "surroundings", "collar", "watermark",
)  # fmt: skip
EDGE: Final = 128
"""Added to a material's number where the pen has drawn an outline."""

_PART_OF = {
    "tail": "tail", "far leg": "legs", "far paw": "legs", "leg": "legs", "paw": "legs",
    "body": "coat", "neck": "coat", "chest": "coat", "head": "face", "far ear": "ears",
    "ear": "ears", "inner ear": "ears", "marking": "face", "muzzle": "face", "nose": "face",
    "eye": "face", "gleam": "face", "tongue": "face", "line": "face", "collar": "collar",
    "buckle": "collar", "cheek": "face",
}  # fmt: skip
_FURRY = ("tail", "far leg", "leg", "body", "neck", "chest", "head", "far ear", "ear", "cheek")


def _lut(values: dict[str, int]) -> npt.NDArray[np.uint8]:
    """Table from a canvas number to a value; an outline has its material's value."""
    table = np.zeros(256, dtype=np.uint8)
    for name, value in values.items():
        table[NUMBER[name]] = table[NUMBER[name] + EDGE] = value
    return table


PART: Final = _lut({m: MASK_NAMES.index(p) for m, p in _PART_OF.items()})
FUR: Final = _lut(dict.fromkeys(_FURRY, 1))
# The pen draws between groups: a body and its near legs are one shape, an ear stands out.
GROUP: Final = _lut(
    {
        "tail": 1,
        "far leg": 2,
        "far paw": 2,
        "leg": 3,
        "paw": 3,
        "body": 3,
        "neck": 3,
        "chest": 3,
        "head": 4,
        "cheek": 4,
        "marking": 4,
        "muzzle": 4,
        "nose": 4,
        "eye": 4,
        "gleam": 4,
        "line": 4,
        "tongue": 4,
        "far ear": 5,
        "ear": 6,
        "inner ear": 6,
        "collar": 7,
        "buckle": 7,
    }  # fmt: skip
)

# Jitter columns that shape the dog (the others place and light the picture).
(J_TILT, J_STRIDE, J_WAG, J_TONGUE, J_LOOK, J_BLINK, J_HEAD_X, J_HEAD_Y, J_SIZE_HEAD, J_EAR,
 J_LENGTH, J_PITCH, J_LEG_A, J_LEG_B, J_GIRTH, J_MUZZLE) = range(16)  # fmt: skip


class _Sheet:
    """Shapes in drawing order, transformed together."""

    def __init__(self) -> None:
        self.shapes: list[Points] = []
        self.inks: list[int] = []

    def add(self, points: Points, material: str) -> None:
        self.shapes.append(points)
        self.inks.append(NUMBER[material])

    def paint(self, canvas: int, scale: float, offset: complex) -> npt.NDArray[np.uint8]:
        points = np.concatenate(self.shapes) * scale + offset
        flat: list[float] = points.view(np.float64).tolist()
        image = Image.new("L", (canvas, canvas), 0)
        polygon = ImageDraw.Draw(image).polygon
        start = 0
        for shape, ink in zip(self.shapes, self.inks, strict=True):
            stop = start + 2 * len(shape)
            polygon(flat[start:stop], fill=ink)
            start = stop
        return np.asarray(image)


def draw_dog(
    parts: list[int], collar: bool, j: list[float], canvas: int, scale: float, offset: complex
) -> npt.NDArray[np.uint8]:
    """Draw a dog that faces right.

    Parameters
    ----------
    parts
        Value of each attribute, in the order of ``ATTRIBUTES``.
    collar
        Whether it wears one.
    j
        Jitter in [0, 1); columns ``J_*``.
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
    s = _Sheet()
    leg = (12.6 if legs == 0 else 5.6) + 1.2 * (j[J_LEG_A] - 0.5)
    half = (14.0 if body == 0 else 13.4) + 1.4 * (j[J_LENGTH] - 0.5)
    girth = (4.7 if body == 0 else 8.3) + 0.9 * (j[J_GIRTH] - 0.5)
    back = -leg - girth * 0.72
    pitch = 1.4 * (j[J_PITCH] - 0.5)
    head = complex(
        half * 0.86 + 1.6 + 1.6 * (j[J_HEAD_X] - 0.5),
        back - girth * 0.35 - 6.8 + 2.0 * (j[J_HEAD_Y] - 0.5),
    )
    centre = complex(0, back)

    _legs(s, half, back, leg, coat, j, far=True)
    _tail(s, complex(-half * 0.93, back - girth * 0.35 - pitch), tail, coat, j)
    _legs(s, half, back, leg, coat, j, far=False)
    neck = complex(half * 0.62, back - girth * 0.1)
    s.add(limb(neck, head + 1.2j, girth * 0.62 + 1.6, 4.4), "neck")
    trunk = oval(o.BODY[coat], centre, half, girth)
    s.add(trunk + 1j * pitch * trunk.real / half, "body")
    s.add(
        oval(o.SMALL[coat], complex(half * 0.66, back + girth * 0.22), 4.2, girth * 0.62), "chest"
    )
    if collar:
        _collar(s, neck, head)
    _head(s, head, ears, coat, face, j)
    sheet = s.paint(canvas, scale, offset)

    group = GROUP.take(sheet)
    pen = np.zeros(sheet.shape, dtype=bool)
    pen[:-1, :-1] = (group[:-1, :-1] != group[1:, 1:]) | (group[1:, :-1] != group[:-1, 1:])
    thick = pen.copy()
    thick[1:] |= pen[:-1]
    thick[:, 1:] |= pen[:, :-1]
    return sheet | (thick.view(np.uint8) << 7)


def _legs(
    s: _Sheet, half: float, back: float, leg: float, coat: int, j: list[float], far: bool
) -> None:
    stride = (2.4 if leg > 9 else 1.4) * (j[J_STRIDE] - 0.5)
    width = {o.FLUFFY: 2.5, o.SMOOTH: 1.8, o.CURLY: 2.0}[coat]
    name, paw = ("far leg", "far paw") if far else ("leg", "paw")
    lift = -0.9 if far else 0.0
    swing = -stride if far else stride
    for x, extra in ((-half * 0.72, 0.5), (half * 0.66, 0.0)):
        x += 3.4 if far else 0.0
        top = complex(x, back + 0.5)
        foot = complex(x + swing * (1 if x < 0 else -1) * 2, lift - 1.2)
        s.add(limb(top, foot, width + 0.9 + extra, width * 0.86), name)
        if coat == o.CURLY:  # a poodle's cuffs
            s.add(oval(o.SMALL[coat], foot - 0.9j, width + 1.0, min(2.6, leg * 0.4)), name)
        s.add(oval(o.ROUND, foot + complex(0.9, 0.1), width + 0.75, 1.45), paw)


def _tail(s: _Sheet, root: complex, tail: int, coat: int, j: list[float]) -> None:
    wag = j[J_WAG] - 0.5
    thick = {o.FLUFFY: 1.3, o.SMOOTH: 0.86, o.CURLY: 1.05}[coat]
    if tail == 0:  # rolled up over the back
        size = 5.6 + wag
        width = o.CURL_WIDTH * size * (0.62 + 0.38 * thick)
        if coat == o.FLUFFY:
            width = width * (1 + 0.16 * (np.arange(len(width)) % 2))
        line = root + complex(0.2, -size * 0.9) + o.CURL_LINE * size
        s.add(ribbon(line, width), "tail")
    elif tail == 1:  # straight out and up
        angle = np.deg2rad(205 + 34 * j[J_WAG])
        tip = root + 11.5 * complex(np.cos(angle), np.sin(angle))
        s.add(limb(root + 1.5, tip, 2.0 * thick, 0.85 * thick), "tail")
        if coat == o.FLUFFY:
            s.add(oval(o.SMALL[coat], root + (tip - root) * 0.62, 4.4, 2.6), "tail")
        elif coat == o.CURLY:
            s.add(oval(o.SMALL[coat], tip, 2.7, 2.7), "tail")
    else:  # a stub
        r = 2.5 + 0.5 * (coat != o.SMOOTH)
        s.add(oval(o.SMALL[coat], root + complex(-0.6, -0.8 + wag), r, r), "tail")


def _collar(s: _Sheet, neck: complex, head: complex) -> None:
    way = (head - neck) / abs(head - neck)
    across = way * 1j
    middle = neck + (head - neck) * 0.34
    s.add(limb(middle - across * 4.9, middle + across * 5.3, 1.75, 1.75), "collar")
    s.add(oval(o.ROUND, middle + across * 1.6 - way * 2.2, 1.7, 1.8), "buckle")


def _head(s: _Sheet, at: complex, ears: int, coat: int, face: int, j: list[float]) -> None:
    turn = np.exp(1j * np.deg2rad(20 * (j[J_TILT] - 0.5)))
    size = 1.0 + 0.1 * (j[J_SIZE_HEAD] - 0.5)
    first = len(s.shapes)
    perk = (j[J_EAR] - 0.5) * 1.2
    if ears == 0:  # two tall triangles
        for side, name in ((-1, "far ear"), (1, "ear")):
            x = 0.4 + side * 4.8
            tip = complex(x + side * (1.3 + perk * 0.5), -13.6 - perk)
            base = np.array([complex(x - 3.3, -4.4), tip, complex(x + 3.3, -4.4)])
            s.add(base, name)
            s.add(base * 0.55 + 0.45 * complex(x + side * 0.3, -6.6), "inner ear")
    elif ears == 2:  # two small round ears
        for side, name in ((-1, "far ear"), (1, "ear")):
            middle = complex(0.4 + side * 6.2, -6.6 - perk * 0.4)
            s.add(oval(o.ROUND, middle, 3.5, 3.5), name)
            s.add(oval(o.ROUND, middle + 0.3j, 1.9, 1.9), "inner ear")
    s.add(oval(o.SMALL[coat], 0.4 + 0j, 8.0, 7.3), "head")
    if coat == o.FLUFFY:
        s.add(oval(o.SMALL[coat], 0.4 + 2.8j, 8.6, 4.2), "cheek")
    elif coat == o.CURLY:
        s.add(oval(o.SMALL[coat], 0.4 - 6.2j, 5.2, 2.9), "head")
    _features(s, face, j)
    if ears == 1:  # hanging down both cheeks
        for side, name in ((-1, "far ear"), (1, "ear")):
            x = 0.4 + side * 7.3
            flap = limb(complex(x, -4.4), complex(x + side * (1.6 + perk * 0.5), 5.4), 2.0, 3.1)
            s.add(flap, name)
    for i in range(first, len(s.shapes)):
        s.shapes[i] = at + s.shapes[i] * (turn * size)


def _features(s: _Sheet, face: int, j: list[float]) -> None:
    look = 0.7 * (j[J_LOOK] - 0.5)
    snout = complex(1.5 + 0.6 * (j[J_MUZZLE] - 0.5), 3.5)
    if face == 0:  # a white mask under a dark cap
        for x in (-2.5, 4.1):
            s.add(oval(o.ROUND, complex(x, -0.4), 3.0, 3.3), "marking")
        s.add(oval(o.ROUND, snout + complex(-0.4, 0.2), 6.4, 3.9), "marking")
    elif face == 2:  # a white stripe down the forehead
        s.add(np.array([-0.9 - 7.2j, 2.5 - 7.2j, 2.1 - 1j, 3.6 + 3.2j, -1.2 + 3.2j, -0.4 - 1j]),
              "marking")  # fmt: skip
    s.add(oval(o.ROUND, snout, 4.3, 3.1), "marking" if face == 0 else "muzzle")
    if j[J_TONGUE] < 0.45:
        s.add(oval(o.ROUND, snout + complex(0.4, 3.1), 1.35, 2.0), "tongue")
    for x in (-2.6, 4.2):
        if j[J_BLINK] < 0.06:
            s.add(oval(o.ROUND, complex(x, -0.4), 1.7, 0.45), "eye")
            continue
        s.add(oval(o.ROUND, complex(x, -0.6), 1.5, 1.75), "eye")
        s.add(oval(o.ROUND, complex(x + 0.45 + look, -1.15), 0.62, 0.62), "gleam")
    s.add(oval(o.ROUND, snout + complex(0.5, -1.35), 1.75, 1.25), "nose")
    s.add(oval(o.ROUND, snout + complex(0.2, -1.75), 0.5, 0.35), "gleam")
    s.add(limb(snout + complex(0.5, -0.3), snout + complex(0.5, 1.2), 0.3, 0.3), "line")
