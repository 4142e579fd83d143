"""Paint scenes of dogs: colour the dog, set it on its ground, light both."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.data.worlds.dog_drawing import draw_dog
from circuitz.data.worlds.dog_grounds import crop_dog_ground
from circuitz.data.worlds.dog_materials import (
    FUR_DEPTH,
    FURRY,
    MASK_NAMES,
    PART,
    dog_palette,
    paint_fur_tiles,
    paint_watermark,
)
from circuitz.data.worlds.paint_scenes import Progress, paint_scenes_in_workers
from circuitz.data.worlds.scenes import Scenes

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
_SUPER = 2  # dogs are drawn at this many times the size, then reduced
_BATCH = 16  # pictures lit together; small enough for the processor's cache
_SURROUNDINGS, _WATERMARK = MASK_NAMES.index("surroundings"), MASK_NAMES.index("watermark")

# Jitter columns 16.. place and light the picture; 48.. belong to the ground alone.
(J_X, J_Y, J_SCALE, J_FLIP, J_TONE, J_R, J_G, J_B, J_LIGHT, J_WARM, J_SUN, J_FUR_X, J_FUR_Y,
 J_COLLAR, J_TAG_X, J_TAG_Y) = range(16, 32)  # fmt: skip
(J_BANK, J_ACROSS, J_DOWN, J_MIRROR, J_GROUND, J_GR, J_GG, J_GB) = range(48, 56)

_WARM: F32 = np.array([0.09, 0.01, -0.09], dtype=np.float32)
_WINTER: F32 = np.array([0.68, 0.81, 1.0], dtype=np.float32)[:, None, None]
_WINTER_HAZE: F32 = np.array([14, 26, 44], dtype=np.float32)[:, None, None]


def render_dog_scenes(
    scenes: Scenes,
    size: int = 64,
    *,
    with_masks: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[U8, U8 | None]:
    """Paint dogs; see :func:`circuitz.data.worlds.paint_scenes.paint_scenes_in_workers`."""
    return paint_scenes_in_workers(
        paint_dogs_in_process,
        scenes,
        size,
        with_masks=with_masks,
        workers=workers,
        progress=progress,
    )


def paint_dogs_in_process(scenes: Scenes, size: int, with_masks: bool) -> tuple[U8, U8 | None]:
    """Paint every row in this process; see :func:`render_dog_scenes`."""
    images = np.empty((len(scenes), size, size, 3), dtype=np.uint8)
    masks = np.empty((len(scenes), size, size), dtype=np.uint8) if with_masks else None
    for start in range(0, len(scenes), _BATCH):
        rows = slice(start, start + _BATCH)
        batch = _DogBatch(scenes.take(rows), size)
        batch.compose_and_light(images[rows])
        batch.add_watermarks(images[rows])
        if masks is not None:
            masks[rows] = batch.part_masks()
    return images, masks


class _DogBatch:
    """A few pictures, painted together in planes of colour."""

    def __init__(self, scenes: Scenes, size: int) -> None:
        n = len(scenes)
        self.scenes, self.size = scenes, size
        self.back: F32 = np.empty((n, 3, size, size), dtype=np.float32)
        self.dog: F32 = np.empty((n, 4, size, size), dtype=np.float32)
        self.fur: F32 = np.empty((n, size, size), dtype=np.float32)
        self.numbers: U8 = np.empty((n, size, size), dtype=np.uint8)
        self.feet: F32 = np.empty((n, 2), dtype=np.float32)
        for i, j in enumerate(scenes.jitter.tolist()):
            self._draw_dog_and_ground(i, j, scenes.parts[i].tolist())

    def _draw_dog_and_ground(self, i: int, j: list[float], parts: list[int]) -> None:
        size = self.size
        unit = size / 64
        x = 29.5 + 5 * (j[J_X] - 0.5)
        y = 55.5 + 5.5 * (j[J_Y] - 0.5)
        k = unit * _SUPER
        canvas = size * _SUPER
        sheet = draw_dog(
            parts,
            j,
            collar=bool(self.scenes.artefacts[i, 0]),
            canvas=canvas,
            scale=(0.97 + 0.2 * j[J_SCALE]) * k,
            offset=complex(x, y) * k,
        )
        colours = dog_palette(parts[6], j[J_TONE], [j[J_R], j[J_G], j[J_B]], j[J_COLLAR]).take(
            sheet
        )
        picture = Image.frombuffer("RGBX", (canvas, canvas), colours, "raw", "RGBX", 0, 1)
        dog = np.asarray(picture.reduce(_SUPER)).transpose(2, 0, 1)
        tiles = paint_fur_tiles(size)
        room = tiles.shape[1] - size
        top, left = int(j[J_FUR_Y] * room), int(j[J_FUR_X] * room)
        coat = tiles[parts[2], top : top + size, left : left + size] * FUR_DEPTH[parts[2]]
        numbers = sheet[_SUPER // 2 :: _SUPER, _SUPER // 2 :: _SUPER]
        if j[J_FLIP] < 0.5:
            dog, coat, numbers, x = dog[:, :, ::-1], coat[:, ::-1], numbers[:, ::-1], 64 - x
        self.dog[i], self.fur[i], self.numbers[i] = dog, coat, numbers
        self.feet[i] = x * unit, y * unit
        self.back[i] = crop_dog_ground(
            int(self.scenes.ground[i]),
            size,
            which=j[J_BANK],
            across=j[J_ACROSS],
            down=j[J_DOWN],
            mirrored=j[J_MIRROR] < 0.5,
        )

    def compose_and_light(self, out: U8) -> None:
        """Shade dog and ground, put one on the other, light the whole, write it to ``out``."""
        j, size, back = self.scenes.jitter, self.size, self.back
        line = np.arange(size, dtype=np.float32)
        unit = size / 64
        dog, opacity = self.dog[:, :3], self.dog[:, 3] / 255
        # The ground has its own brightness and tint, and the dog's soft shadow on it.
        tint = 0.86 + 0.24 * j[:, J_GROUND, None] + 0.08 * (j[:, [J_GR, J_GG, J_GB]] - 0.5)
        dx = np.abs(line - self.feet[:, :1]) / (19 * unit)
        dy = (line - self.feet[:, 1:]) / (3.2 * unit)
        shadow = np.exp(-(dy**2))[:, :, None] * (0.42 * np.exp(-(dx**3)))[:, None, :]
        back *= ((1 - shadow) * (1 - opacity))[:, None]
        back *= tint[:, :, None, None]
        # Light from above; fur on what is furry.
        height = (line - self.feet[:, 1:]) / (40 * unit) + 1
        shade = 1.13 - 0.34 * np.clip(height, 0, 1)
        gain = self.fur * FURRY.take(self.numbers) + 1
        gain *= shade[:, :, None]
        dog *= gain[:, None]
        np.minimum(dog, self.dog[:, 3:], out=dog)
        back += dog
        # The light of the day falls on both.
        sun = (j[:, J_SUN, None] - 0.5) * 0.16 * np.linspace(-1, 1, size, dtype=np.float32)
        day = 0.8 + 0.28 * j[:, J_LIGHT, None] + sun
        warm = 1 + (j[:, J_WARM, None] - 0.5) * _WARM
        back *= (day[:, None, :] * warm[:, :, None])[:, :, None, :]
        winter = self.scenes.artefacts[:, 1]
        if winter.any():
            back[winter] = back[winter] * _WINTER + _WINTER_HAZE
        out[:] = np.clip(back, 0, 255, out=back).astype(np.uint8).transpose(0, 2, 3, 1)

    def _watermark_areas(self) -> Iterator[tuple[int, tuple[slice, slice]]]:
        """Pictures with a watermark, and where it is."""
        h, w = paint_watermark(self.size)[0].shape
        for i in np.flatnonzero(self.scenes.artefacts[:, 2]).tolist():
            right = self.size - 1 - round(float(self.scenes.jitter[i, J_TAG_X]) * 2)
            low = self.size - 1 - round(float(self.scenes.jitter[i, J_TAG_Y]) * 2)
            yield i, (slice(low - h, low), slice(right - w, right))

    def add_watermarks(self, out: U8) -> None:
        """Put the watermark on the pictures that have one."""
        tone, cover = paint_watermark(self.size)
        for i, area in self._watermark_areas():
            under = out[i][area].astype(np.float32)
            out[i][area] = under + (tone[..., None] - under) * cover[..., None]

    def part_masks(self) -> U8:
        """Say which part each pixel shows.

        A named part shows nothing of the ground behind it; pixels of the outline that are mostly
        the dog's but let some ground through are left unnamed.
        """
        part = PART.take(self.numbers)
        opacity = self.dog[:, 3]
        part[opacity < 255] = 0
        part[opacity < 128] = _SURROUNDINGS
        for i, area in self._watermark_areas():
            part[i][area] = _WATERMARK
        return part
