"""What a bird is painted with: materials, plumage, and the caption at the top of a picture."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

F32 = npt.NDArray[np.float32]

MASK_NAMES: Final = (
    "", "beak", "crest", "head", "neck", "wings", "body", "tail", "legs", "surroundings",
    "leg ring", "caption",
)  # fmt: skip
EDGE: Final = 128
"""Added to a material's number where a thin line is drawn."""

# Material: part, group (a line is drawn between groups), feathered?, share of the plumage's
# colour, fixed colour.
_NO = (0, 0, 0)
_TABLE: Final[dict[str, tuple[str, int, bool, float, tuple[int, int, int]]]] = {
    "tail": ("tail", 1, True, 0.72, _NO),
    "far leg": ("legs", 2, False, 0.0, (150, 98, 46)),
    "leg": ("legs", 2, False, 0.0, (206, 138, 60)),
    "ring": ("leg ring", 7, False, 0.0, (214, 44, 132)),
    "neck": ("neck", 3, True, 1.0, _NO),
    "body": ("body", 3, True, 1.0, _NO),
    "belly": ("body", 3, True, 0.55, (104, 100, 94)),
    "throat": ("neck", 3, False, 0.0, (170, 46, 34)),
    "head": ("head", 3, True, 0.97, _NO),
    "crest": ("crest", 4, False, 0.62, _NO),
    "cheek": ("head", 3, True, 0.7, (66, 64, 60)),
    "beak": ("beak", 5, False, 0.0, (232, 170, 52)),
    "beak tip": ("beak", 5, False, 0.0, (92, 70, 52)),
    "wing": ("wings", 6, True, 0.8, _NO),
    "quill": ("wings", 6, False, 0.5, _NO),
    "mark": ("wings", 6, False, 0.12, (214, 210, 200)),
    "rim": ("head", 3, False, 0.0, (240, 226, 170)),
    "eye": ("head", 3, False, 0.0, (26, 22, 28)),
    "gleam": ("head", 3, False, 0.0, (255, 255, 255)),
}
INK: Final = {name: i for i, name in enumerate(_TABLE, start=1)}
"""Material to its number."""


def _material_lookup(values: list[int]) -> npt.NDArray[np.uint8]:
    table = np.zeros(256, dtype=np.uint8)
    table[1 : 1 + len(values)] = table[1 + EDGE : 1 + EDGE + len(values)] = values
    return table


PART: Final = _material_lookup([MASK_NAMES.index(part) for part, *_ in _TABLE.values()])
GROUP: Final = _material_lookup([group for _, group, *_ in _TABLE.values()])
FEATHERED: Final = _material_lookup([int(soft) for _, _, soft, *_ in _TABLE.values()])

PLUMAGE: Final = ((96, 108, 130), (140, 94, 58), (226, 224, 220), (222, 180, 66))
"""Colours in the order of the attribute's values."""
_SHARE: Final = np.zeros((256, 1))
_FIXED: Final = np.zeros((256, 3))
for _name, (_, _, _, _share, _fixed) in _TABLE.items():
    _SHARE[INK[_name]], _FIXED[INK[_name]] = _share, _fixed
_SHARE[EDGE:] = 0.5 * _SHARE[:EDGE]
_FIXED[EDGE:] = 0.5 * _FIXED[:EDGE] + np.array([8.0, 8.0, 10.0])
_SHARE[EDGE] = 0.4


def bird_palette(colour: int, tone: float, tint: list[float]) -> npt.NDArray[np.uint32]:
    """Colours of the numbers for one bird, ``(256,)`` uint32 of red, green, blue and opacity.

    Parameters
    ----------
    colour
        Value of the attribute ``colour``.
    tone, tint
        Jitter in [0, 1): how light the plumage is, and its three channels.
    """
    coat = np.array(PLUMAGE[colour]) * (0.86 + 0.24 * tone) + 18 * (np.array(tint) - 0.5)
    table = np.empty((256, 4), dtype=np.uint8)
    table[:, :3] = np.clip(_SHARE * coat + _FIXED, 0, 255)
    table[:, 3] = 255
    table[0] = 0
    return table.view(np.uint32).ravel()


@lru_cache(maxsize=4)
def paint_feather_tile(size: int) -> F32:
    """Paint rows of overlapping feathers, ``(h, w)`` float32 brightness about 0."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((31, size))))
    k = 3 * size / 64
    side = round(100 * size / 64) * 3
    image = Image.new("F", (side, side), 0.0)
    draw = ImageDraw.Draw(image)
    for row in range(-1, 42):
        for column in range(-1, 32):
            wide, tall = 1.9 + 0.5 * rng.random(), 1.8 + 0.5 * rng.random()
            x = (column * 3.3 + row % 2 * 1.65 + 0.8 * rng.random()) * k
            y = (row * 2.5 + 0.6 * rng.random()) * k
            draw.ellipse([x - wide * k, y - tall * k, x + wide * k, y + tall * k], fill=-1.0)
            lit = 0.25 + 0.5 * rng.random()
            draw.ellipse(
                [x - wide * k, (y - tall * k) - 0.7 * k, x + wide * k, y + (tall - 0.8) * k],
                fill=lit,
            )
    tile = np.asarray(image.reduce(3), dtype=np.float32)
    return tile - tile.mean()


@lru_cache(maxsize=4)
def paint_caption_strip(size: int) -> tuple[F32, F32]:
    """Paint a strip of unreadable figures, such as trap cameras leave at the top.

    Returns
    -------
    tone, cover
        ``(h, w)`` float32 grey value and opacity.
    """
    k = 4 * size / 64
    box = (round(30 * size / 64) * 4, round(6 * size / 64) * 4)
    tone, cover = Image.new("F", box, 14.0), Image.new("F", box, 0.72)
    ink, veil = ImageDraw.Draw(tone), ImageDraw.Draw(cover)
    strokes = ((1, 4.2), (5.4, 1.1), (7.4, 3.6), (11.8, 3.6), (16.2, 1.1), (18.2, 3.6), (22.6, 5.6))
    for x, w in strokes:
        for draw, value in ((ink, 246.0), (veil, 0.95)):
            draw.rectangle([x * k, 1.4 * k, (x + w) * k, 2.3 * k], fill=value)
            draw.rectangle([x * k, 3.6 * k, (x + w) * k, 4.6 * k], fill=value)
            draw.rectangle([x * k, 1.4 * k, (x + 0.9) * k, 4.6 * k], fill=value)
    return (
        np.asarray(tone.reduce(4), dtype=np.float32),
        np.asarray(cover.reduce(4), dtype=np.float32),
    )
