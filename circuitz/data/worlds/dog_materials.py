"""What a dog is painted with: materials, their colours, fur and the corner watermark.

A dog is drawn as numbers that say which material shows at each point. Colours, outlines, part
masks and fur are all read off the numbers, so they cannot disagree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from circuitz.data.worlds import outlines
from circuitz.data.worlds.dog_parts import ATTRIBUTES

F32 = npt.NDArray[np.float32]

MASK_NAMES: Final = (
    "",
    "ears",
    "tail",
    "coat",
    "legs",
    "face",
    "surroundings",
    "collar",
    "watermark",
)
EDGE: Final = 128
"""Added to a material's number where the pen has drawn a line."""

# Material: part it belongs to, group (the pen draws a line between groups), furry?, and its
# colour as a share of the coat's colour plus a fixed colour.
_PALE = (0.62, (90, 86, 81))
_NO = (0, 0, 0)
_TABLE: Final[dict[str, tuple[str, int, bool, float, tuple[int, int, int]]]] = {
    "tail": ("tail", 1, True, 0.94, _NO),
    "far leg": ("legs", 2, True, 0.70, _NO),
    "far paw": ("legs", 2, False, 0.74, _NO),
    "leg": ("legs", 3, True, 0.93, _NO),
    "paw": ("legs", 3, False, 0.89, (27, 26, 24)),
    "body": ("coat", 3, True, 1.00, _NO),
    "neck": ("coat", 3, True, 0.97, _NO),
    "chest": ("coat", 3, True, 0.92, (27, 25, 23)),
    "head": ("face", 4, True, 1.04, _NO),
    "cheek": ("face", 4, True, 1.07, (3, 3, 3)),
    "marking": ("face", 4, False, 0.00, (246, 243, 238)),
    "muzzle": ("face", 4, False, *_PALE),
    "nose": ("face", 4, False, 0.00, (38, 30, 36)),
    "eye": ("face", 4, False, 0.00, (34, 27, 32)),
    "gleam": ("face", 4, False, 0.00, (255, 255, 255)),
    "line": ("face", 4, False, 0.00, (38, 30, 36)),
    "tongue": ("face", 4, False, 0.00, (232, 112, 122)),
    "far ear": ("ears", 5, True, 0.72, _NO),
    "ear": ("ears", 6, True, 0.80, _NO),
    "inner ear": ("ears", 6, False, 0.10, (204, 140, 132)),
    "collar": ("collar", 7, False, 0.00, (206, 40, 52)),
    "buckle": ("collar", 7, False, 0.00, (246, 206, 92)),
}
INK: Final = {name: i for i, name in enumerate(_TABLE, start=1)}
"""Material to its number."""


def _material_lookup(values: list[int]) -> npt.NDArray[np.uint8]:
    """Table from a number to a value; a line has its material's value."""
    table = np.zeros(256, dtype=np.uint8)
    table[1 : 1 + len(values)] = table[1 + EDGE : 1 + EDGE + len(values)] = values
    return table


PART: Final = _material_lookup([MASK_NAMES.index(part) for part, *_ in _TABLE.values()])
GROUP: Final = _material_lookup([group for _, group, *_ in _TABLE.values()])
FURRY: Final = _material_lookup([int(furry) for _, _, furry, *_ in _TABLE.values()])

_COATS = {
    "grey coat": (128, 135, 150),
    "black coat": (60, 56, 64),
    "brown coat": (128, 82, 52),
    "golden coat": (218, 164, 92),
}
_SHARE: Final = np.zeros((256, 1))
_FIXED: Final = np.zeros((256, 3))
for _name, (_, _, _, _share, _fixed) in _TABLE.items():
    _SHARE[INK[_name]], _FIXED[INK[_name]] = _share, _fixed
_PEN: Final = np.array([10.0, 6.0, 12.0])
_SHARE[EDGE:] = 0.36 * _SHARE[:EDGE]
_FIXED[EDGE:] = 0.36 * _FIXED[:EDGE] + _PEN
_SHARE[EDGE] = 0.28


def dog_palette(
    colour: int, tone: float, tint: list[float], collar: float
) -> npt.NDArray[np.uint32]:
    """Colours of the numbers for one dog.

    Parameters
    ----------
    colour
        Value of the attribute ``colour``.
    tone, tint, collar
        Jitter in [0, 1): how light the coat is, its three channels, the collar's red.

    Returns
    -------
    numpy.ndarray
        ``(256,)`` uint32, packed red, green, blue and opacity.
    """
    coat = np.array(_COATS[ATTRIBUTES["colour"][colour]]) * (0.88 + 0.26 * tone)
    coat += 14 * (np.array(tint) - 0.5)
    table = np.empty((256, 4), dtype=np.uint8)
    inks = _SHARE * coat + _FIXED
    inks[INK["collar"]] += 26 * (collar - 0.5)
    table[:, :3] = np.clip(inks, 0, 255, out=inks)
    table[:, 3] = 255
    table[0] = 0
    return table.view(np.uint32).ravel()


FUR_DEPTH: Final = {outlines.FLUFFY: 0.2, outlines.SMOOTH: 0.03, outlines.CURLY: 0.27}


@lru_cache(maxsize=4)
def paint_fur_tiles(size: int) -> F32:
    """Paint fur: streaks, sleek hair, curls.

    Returns
    -------
    numpy.ndarray
        ``(3, h, w)`` float32 brightness about 0, one tile for each value of ``coat``.
    """
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((11, size))))
    k = 3 * size / 64
    side = round(104 * size / 64) * 3
    tiles: list[F32] = []
    for coat in (outlines.FLUFFY, outlines.SMOOTH, outlines.CURLY):
        image = Image.new("F", (side, side), 0.0)
        draw = ImageDraw.Draw(image)
        if coat == outlines.FLUFFY:  # strokes that hang down and back
            for x, y, length, tone in rng.random((2200, 4)).tolist():
                x, y, length = (x * 110 - 4) * k, (y * 110 - 6) * k, (2.4 + 2 * length) * k  # noqa: PLW2901
                shade = (-1.0, -0.6, 0.7, 1.0)[int(tone * 4)]
                draw.line([(x, y), (x - 0.55 * length, y + length)], shade, round(0.8 * k))
        elif coat == outlines.CURLY:  # little rings, lit from above
            for x, y, r in rng.random((1300, 3)).tolist():
                cx, cy, a = x * 104 * k, y * 104 * k, (1.15 + 0.6 * r) * k
                draw.ellipse([cx - a, cy - a, cx + a, cy + a], fill=-1.0)
                a *= 0.72
                draw.ellipse([cx - a, cy - a * 1.25, cx + a, cy + a * 0.75], fill=0.9)
        else:
            image = Image.fromarray(rng.standard_normal((side, side), dtype=np.float32), mode="F")
        tile = np.asarray(image.reduce(3), dtype=np.float32)
        tiles.append(tile - tile.mean())
    return np.stack(tiles)


@lru_cache(maxsize=4)
def paint_watermark(size: int) -> tuple[F32, F32]:
    """Paint the corner watermark: a paw and three lines.

    Returns
    -------
    tone, cover
        ``(h, w)`` float32 grey value and opacity.
    """
    k = 4 * size / 64
    box = (round(15 * size / 64) * 4, round(8 * size / 64) * 4)
    tone, cover = Image.new("F", box, 20.0), Image.new("F", box, 0.55)
    draw, veil = ImageDraw.Draw(tone), ImageDraw.Draw(cover)
    toes = ((2.2, 3.0), (3.6, 2.0), (5.1, 2.1), (6.3, 3.3))
    for x, y, a, b in ((4.0, 5.1, 1.7, 1.4), *((*toe, 0.7, 1.0) for toe in toes)):
        area = [(x - a) * k, (y - b) * k, (x + a) * k, (y + b) * k]
        draw.ellipse(area, fill=250.0)
        veil.ellipse(area, fill=0.95)
    for y, w in ((1.7, 5), (3.8, 4), (5.6, 5)):
        area = [8.4 * k, y * k, (8.4 + w) * k, (y + 1.1) * k]
        draw.rectangle(area, fill=250.0)
        veil.rectangle(area, fill=0.95)
    return (
        np.asarray(tone.reduce(4), dtype=np.float32),
        np.asarray(cover.reduce(4), dtype=np.float32),
    )
