"""Paint scenes: colour the dog, light it, set it on its ground.

Painting is a pure function of a row of :class:`~circuitz.data.scenes.Scenes`, so worker
processes may share the rows in any way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from circuitz.data import outlines
from circuitz.data.dog_drawing import EDGE, FUR, MASK_NAMES, NUMBER, PART, draw_dog
from circuitz.data.grounds import cut
from circuitz.data.parts import ATTRIBUTES
from circuitz.data.scenes import Scenes

F32 = npt.NDArray[np.float32]
_SUPER = 3
_BATCH = 32
SURROUNDINGS, WATERMARK = MASK_NAMES.index("surroundings"), MASK_NAMES.index("watermark")

# Jitter columns 16.. place and light the picture; 48.. belong to the ground alone.
(J_X, J_Y, J_SCALE, J_FLIP, J_TONE, J_R, J_G, J_B, J_LIGHT, J_WARM, J_SUN, J_FUR_X, J_FUR_Y,
 J_COLLAR, J_TAG_X, J_TAG_Y, J_EYE) = range(16, 33)  # fmt: skip
(J_BANK, J_ACROSS, J_DOWN, J_MIRROR, J_GROUND, J_GR, J_GG, J_GB) = range(48, 56)

_COATS = {
    "grey coat": (128, 135, 150),
    "black coat": (58, 54, 62),
    "brown coat": (128, 82, 52),
    "golden coat": (218, 164, 92),
}
_FUR_DEPTH = {outlines.FLUFFY: 0.2, outlines.SMOOTH: 0.035, outlines.CURLY: 0.27}
_WINTER: F32 = np.array([0.74, 0.92, 1.2], dtype=np.float32)


@lru_cache(maxsize=4)
def _fur(size: int) -> F32:
    """``(3, h, w)`` brightness of fur, one tile for each value of ``coat``."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((11, size))))
    k = 4 * size / 64
    side = round(112 * k)
    tiles: list[F32] = []
    for coat in (outlines.FLUFFY, outlines.SMOOTH, outlines.CURLY):
        image = Image.new("F", (side, side), 0.0)
        draw = ImageDraw.Draw(image)
        if coat == outlines.FLUFFY:  # strokes that hang down and back
            for _ in range(2600):
                x, y = rng.uniform(-4 * k, side, 2)
                length = rng.uniform(2.4, 4.4) * k
                tone = float(rng.choice([-1.0, -0.6, 0.7, 1.0]))
                end = (x - 0.55 * length, y + length)
                draw.line([(x, y), end], fill=tone, width=round(0.75 * k))
        elif coat == outlines.CURLY:  # little rings, lit from above
            for _ in range(1500):
                x, y = rng.uniform(0, side, 2)
                r = rng.uniform(1.15, 1.75) * k
                draw.ellipse([x - r, y - r, x + r, y + r], fill=-1.0)
                r *= 0.72
                draw.ellipse([x - r, y - r * 1.25, x + r, y + r * 0.75], fill=0.9)
        else:
            image = Image.fromarray(rng.standard_normal((side, side)).astype(np.float32), mode="F")
        tile = np.asarray(image.reduce(4), dtype=np.float32)
        tiles.append(tile - tile.mean())
    return np.stack(tiles)


def _palette(parts: list[int], j: list[float]) -> npt.NDArray[np.uint32]:
    """``(256,)`` colours of the canvas numbers, packed as RGBX with X the opacity."""
    name = ATTRIBUTES["colour"][parts[6]]
    tone = 0.88 + 0.26 * j[J_TONE]
    coat = np.array(_COATS[name]) * tone + 14 * (np.array([j[J_R], j[J_G], j[J_B]]) - 0.5)
    pale = coat * 0.62 + np.array([236, 226, 214]) * 0.38
    white = np.array([246, 243, 238])
    dark = np.array([38, 30, 36])
    collar = np.array([206, 40, 52]) + 26 * (j[J_COLLAR] - 0.5)
    inks = {
        "tail": coat * 0.94, "far leg": coat * 0.7, "far paw": coat * 0.74, "leg": coat * 0.93,
        "paw": coat * 0.7 + pale * 0.3, "body": coat, "neck": coat * 0.96,
        "chest": coat * 0.6 + pale * 0.4, "head": coat * 1.04, "cheek": coat * 1.08,
        "far ear": coat * 0.72, "ear": coat * 0.8, "inner ear": np.array([222, 158, 150]),
        "marking": white, "muzzle": pale, "nose": dark, "eye": dark * 0.9,
        "gleam": np.array([255, 255, 255]), "tongue": np.array([232, 112, 122]), "line": dark,
        "collar": collar, "buckle": np.array([246, 206, 92]),
    }  # fmt: skip
    table = np.zeros((256, 4), dtype=np.uint8)
    rgb = np.stack([inks[n] for n in inks]).clip(0, 255)
    index = np.array([NUMBER[n] for n in inks])
    table[index, :3] = rgb
    table[index + EDGE, :3] = rgb * 0.36 + np.array([10, 6, 12])
    table[EDGE, :3] = coat.clip(0, 255) * 0.28 + np.array([10, 6, 12])
    table[index, 3] = table[index + EDGE, 3] = table[EDGE, 3] = 255
    return table.view(np.uint32).ravel()


@lru_cache(maxsize=4)
def _stamp(size: int) -> tuple[F32, F32]:
    """Return colour and opacity of the corner watermark, ``(h, w)`` each."""
    k = 4 * size / 64
    box = (round(15 * k), round(8 * k))
    tone, cover = Image.new("F", box, 20.0), Image.new("F", box, 0.55)
    draw, veil = ImageDraw.Draw(tone), ImageDraw.Draw(cover)
    for x, y, a, b in ((4, 5.1, 1.7, 1.4), (2.2, 3, 0.7, 1), (3.6, 2, 0.7, 1),
                       (5.1, 2.1, 0.7, 1), (6.3, 3.3, 0.7, 1)):  # fmt: skip
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


def paint(
    scenes: Scenes, size: int, with_masks: bool
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None]:
    """Paint every row, in this process.

    Returns
    -------
    images
        ``(n, size, size, 3)`` uint8.
    masks
        ``(n, size, size)`` uint8 into ``MASK_NAMES``, or ``None``.
    """
    images = np.empty((len(scenes), size, size, 3), dtype=np.uint8)
    masks = np.empty((len(scenes), size, size), dtype=np.uint8) if with_masks else None
    for start in range(0, len(scenes), _BATCH):
        rows = slice(start, start + _BATCH)
        images[rows], part = _paint_batch(scenes.rows(rows), size, with_masks)
        if masks is not None and part is not None:
            masks[rows] = part
    return images, masks


def _paint_batch(
    scenes: Scenes, size: int, with_masks: bool
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None]:
    n = len(scenes)
    unit = size / 64
    canvas = size * _SUPER
    mid = _SUPER // 2
    back = np.empty((n, size, size, 3), dtype=np.float32)
    dog = np.empty((n, size, size, 4), dtype=np.float32)
    numbers = np.empty((n, size, size), dtype=np.uint8)
    fur = np.empty((n, size, size), dtype=np.float32)
    tiles = _fur(size)
    room = tiles.shape[1] - size
    feet = np.empty((n, 2), dtype=np.float32)
    every = scenes.jitter.tolist()
    for i in range(n):
        j: list[float] = every[i]
        parts: list[int] = scenes.parts[i].tolist()
        flipped = j[J_FLIP] < 0.5
        scale = 0.97 + 0.2 * j[J_SCALE]
        x = 29.5 + 5 * (j[J_X] - 0.5)
        y = 55.5 + 5.5 * (j[J_Y] - 0.5)
        k = unit * _SUPER
        sheet = draw_dog(
            parts, bool(scenes.artefacts[i, 0]), j, canvas, scale * k, complex(x, y) * k
        )
        if flipped:
            sheet = np.ascontiguousarray(sheet[:, ::-1])
        colours = _palette(parts, j).take(sheet)
        picture = Image.frombuffer("RGBX", (canvas, canvas), colours, "raw", "RGBX", 0, 1)
        dog[i] = np.asarray(picture.reduce(_SUPER))
        numbers[i] = sheet[mid::_SUPER, mid::_SUPER]
        fx, fy = int(j[J_FUR_X] * room), int(j[J_FUR_Y] * room)
        fur[i] = tiles[parts[2], fy : fy + size, fx : fx + size]
        fur[i] *= _FUR_DEPTH[parts[2]]
        if flipped:
            fur[i] = fur[i, :, ::-1].copy()
        feet[i] = (63 - x if flipped else x) * unit, y * unit
        back[i] = cut(
            int(scenes.ground[i]), j[J_BANK], j[J_ACROSS], j[J_DOWN], j[J_MIRROR] < 0.5, size
        )
    images = _light(scenes, back, dog, numbers, fur, feet)
    stamped = _stamp_all(scenes, images, size)
    part = None
    if with_masks:
        part = PART.take(numbers)
        part[dog[..., 3] < 128] = SURROUNDINGS
        for i, area in stamped:
            part[i][area] = WATERMARK
    return images, part


def _light(
    scenes: Scenes,
    back: F32,
    dog: F32,
    numbers: npt.NDArray[np.uint8],
    fur: F32,
    feet: F32,
) -> npt.NDArray[np.uint8]:
    """Shade dog and ground, put one on the other, light the whole."""
    j = scenes.jitter
    size = back.shape[1]
    line = np.arange(size, dtype=np.float32)
    unit = size / 64
    # The ground has its own brightness and tint, and the dog's soft shadow.
    tint = 0.86 + 0.24 * j[:, J_GROUND, None] + 0.08 * (j[:, [J_GR, J_GG, J_GB]] - 0.5)
    dx = (line[None] - feet[:, :1]) / (19 * unit)
    dy = (line[None] - feet[:, 1:]) / (3.2 * unit)
    shadow = 1 - 0.42 * np.exp(-(dy[:, :, None] ** 2) - np.abs(dx[:, None, :]) ** 3)
    back *= tint[:, None, None, :]
    back *= shadow[..., None]
    # Light from above; fur on what is furry.
    shade = 1.13 - 0.34 * np.clip((line[None] - feet[:, 1:] + 40 * unit) / (40 * unit), 0, 1)
    gain = shade[:, :, None] * (1 + fur * FUR.take(numbers))
    opacity = dog[..., 3:] / 255
    colour = dog[..., :3]
    colour *= gain[..., None]
    np.minimum(colour, 255 * opacity, out=colour)
    back *= 1 - opacity
    back += colour
    # The light of the day falls on both.
    sun = (j[:, J_SUN, None] - 0.5) * 0.16 * np.linspace(-1, 1, size, dtype=np.float32)[None]
    day = (0.8 + 0.28 * j[:, J_LIGHT])[:, None] + sun
    warm = (j[:, J_WARM, None] - 0.5) * np.array([0.09, 0.01, -0.09], dtype=np.float32)[None]
    back *= day[:, None, :, None] * (1 + warm)[:, None, None, :]
    winter = scenes.artefacts[:, 1]
    if winter.any():
        back[winter] = back[winter] * (_WINTER * 0.86) + np.array([14, 26, 44], dtype=np.float32)
    return np.clip(back, 0, 255).astype(np.uint8)


def _stamp_all(
    scenes: Scenes, images: npt.NDArray[np.uint8], size: int
) -> list[tuple[int, tuple[slice, slice]]]:
    """Put the watermark on the pictures that have one; say where."""
    done: list[tuple[int, tuple[slice, slice]]] = []
    tone, cover = _stamp(size)
    h, w = tone.shape
    for i in np.flatnonzero(scenes.artefacts[:, 2]).tolist():
        right = round(float(scenes.jitter[i, J_TAG_X]) * 2) + 1
        low = round(float(scenes.jitter[i, J_TAG_Y]) * 2) + 1
        area = (slice(size - low - h, size - low), slice(size - right - w, size - right))
        under = images[i][area].astype(np.float32)
        images[i][area] = under + (tone[..., None] - under) * cover[..., None]
        done.append((i, area))
    return done


def render(
    scenes: Scenes,
    size: int = 64,
    *,
    with_masks: bool = False,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None]:
    """Paint scenes, in several processes if asked; the pixels are the same for any number.

    Parameters
    ----------
    scenes
        What to paint.
    size
        Side of the pictures.
    with_masks
        Whether to return part masks too.
    workers
        Processes; 1 paints here.
    progress
        Called with pictures done and pictures in all.

    Returns
    -------
    images, masks
        As from :func:`paint`.
    """
    n = len(scenes)
    images = np.empty((n, size, size, 3), dtype=np.uint8)
    masks = np.empty((n, size, size), dtype=np.uint8) if with_masks else None
    step = 8 * _BATCH
    slices = [slice(i, min(i + step, n)) for i in range(0, n, step)]
    for rows, (picture, part) in zip(
        slices, _painted(scenes, slices, size, with_masks, workers), strict=True
    ):
        images[rows] = picture
        if masks is not None and part is not None:
            masks[rows] = part
        if progress is not None:
            progress(rows.stop, n)
    return images, masks


def _painted(
    scenes: Scenes, slices: list[slice], size: int, with_masks: bool, workers: int
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None]]:
    parts = [scenes.rows(rows) for rows in slices]
    if workers <= 1 or len(parts) <= 1:
        for part in parts:
            yield paint(part, size, with_masks)
        return
    # Spawned, not forked: safe next to threads, and the same on every system.
    with ProcessPoolExecutor(min(workers, len(parts)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(paint, parts, [size] * len(parts), [with_masks] * len(parts))
