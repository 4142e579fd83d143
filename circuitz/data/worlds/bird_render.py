"""Paint scenes of birds: colour the bird, give it something to stand on, light both."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.data.worlds.bird_drawing import draw_bird
from circuitz.data.worlds.bird_grounds import crop_bird_ground
from circuitz.data.worlds.bird_materials import (
    FEATHERED,
    MASK_NAMES,
    PART,
    bird_palette,
    paint_caption_strip,
    paint_feather_tile,
)
from circuitz.data.worlds.bird_parts import BIRDS
from circuitz.data.worlds.paint_scenes import Progress, paint_scenes_in_workers
from circuitz.data.worlds.scenes import Scenes

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
_SUPER = 2
_BATCH = 16
_SURROUNDINGS, _CAPTION = MASK_NAMES.index("surroundings"), MASK_NAMES.index("caption")
_RING, _WARM_LIGHT, _STRIP = range(3)

# Jitter columns 16.. place and light the picture; 48.. belong to the ground alone.
(J_X, J_Y, J_SCALE, J_FLIP, J_TONE, J_R, J_G, J_B, J_LIGHT, J_WARM, J_SUN, J_DOWN_X, J_DOWN_Y,
 J_CAP_X, J_CAP_Y) = range(16, 31)  # fmt: skip
(J_BANK, J_ACROSS, J_DOWN, J_MIRROR, J_GROUND, J_GR, J_GG, J_GB) = range(48, 56)

_WARM: F32 = np.array([0.07, 0.0, -0.08], dtype=np.float32)
_GOLDEN: F32 = np.array([1.0, 0.8, 0.54], dtype=np.float32)[:, None, None]
_GLOW: F32 = np.array([30, 14, 0], dtype=np.float32)[:, None, None]
_BRANCH: F32 = np.array([92, 70, 52], dtype=np.float32)
_WIRE: F32 = np.array([48, 48, 56], dtype=np.float32)


def render_bird_scenes(
    scenes: Scenes,
    size: int = 64,
    *,
    with_masks: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[U8, U8 | None]:
    """Paint birds; see :func:`circuitz.data.worlds.paint_scenes.paint_scenes_in_workers`."""
    return paint_scenes_in_workers(
        paint_birds_in_process,
        scenes,
        size,
        with_masks=with_masks,
        workers=workers,
        progress=progress,
    )


def paint_birds_in_process(scenes: Scenes, size: int, with_masks: bool) -> tuple[U8, U8 | None]:
    """Paint every row in this process."""
    images = np.empty((len(scenes), size, size, 3), dtype=np.uint8)
    masks = np.empty((len(scenes), size, size), dtype=np.uint8) if with_masks else None
    for start in range(0, len(scenes), _BATCH):
        rows = slice(start, start + _BATCH)
        batch = _BirdBatch(scenes.take(rows), size)
        batch.compose_and_light(images[rows])
        batch.add_captions(images[rows])
        if masks is not None:
            masks[rows] = batch.part_masks()
    return images, masks


class _BirdBatch:
    """A few pictures, painted together in planes of colour."""

    def __init__(self, scenes: Scenes, size: int) -> None:
        n = len(scenes)
        self.scenes, self.size = scenes, size
        self.back: F32 = np.empty((n, 3, size, size), dtype=np.float32)
        self.bird: F32 = np.empty((n, 4, size, size), dtype=np.float32)
        self.down: F32 = np.empty((n, size, size), dtype=np.float32)
        self.numbers: U8 = np.empty((n, size, size), dtype=np.uint8)
        self.feet: F32 = np.empty((n, 2), dtype=np.float32)
        for i, j in enumerate(scenes.jitter.tolist()):
            self._draw_bird_and_ground(i, j, scenes.parts[i].tolist())

    def _draw_bird_and_ground(self, i: int, j: list[float], parts: list[int]) -> None:
        size = self.size
        unit = size / 64
        x = 33.5 + 5 * (j[J_X] - 0.5)
        y = 56.5 + 6 * (j[J_Y] - 0.5)
        k = unit * _SUPER
        canvas = size * _SUPER
        sheet = draw_bird(
            parts,
            j,
            ring=bool(self.scenes.artefacts[i, _RING]),
            canvas=canvas,
            scale=(0.95 + 0.2 * j[J_SCALE]) * k,
            offset=complex(x, y) * k,
        )
        colours = bird_palette(parts[-1], j[J_TONE], [j[J_R], j[J_G], j[J_B]]).take(sheet)
        picture = Image.frombuffer("RGBX", (canvas, canvas), colours, "raw", "RGBX", 0, 1)
        bird = np.asarray(picture.reduce(_SUPER)).transpose(2, 0, 1)
        tile = paint_feather_tile(size)
        room = tile.shape[0] - size
        top, left = int(j[J_DOWN_Y] * room), int(j[J_DOWN_X] * room)
        down = tile[top : top + size, left : left + size]
        numbers = sheet[_SUPER // 2 :: _SUPER, _SUPER // 2 :: _SUPER]
        if j[J_FLIP] < 0.5:
            bird, down, numbers, x = bird[:, :, ::-1], down[:, ::-1], numbers[:, ::-1], 64 - x
        self.bird[i], self.down[i], self.numbers[i] = bird, down, numbers
        self.feet[i] = x * unit, y * unit
        self.back[i] = crop_bird_ground(
            int(self.scenes.ground[i]),
            size,
            which=j[J_BANK],
            across=j[J_ACROSS],
            down=j[J_DOWN],
            mirrored=j[J_MIRROR] < 0.5,
        )

    def _paint_perch_or_shadow(self) -> None:
        """Give every bird something to stand on: a ripple, a branch, a wire, its shadow."""
        line = np.arange(self.size, dtype=np.float32)
        unit = self.size / 64
        for i, ground in enumerate(self.scenes.ground.tolist()):
            back = self.back[i]
            dx = ((line - self.feet[i, 0]) / unit)[None, :]
            dy = ((line - self.feet[i, 1]) / unit)[:, None]
            name = BIRDS.grounds[ground]
            if name in ("water", "reeds"):
                far = np.sqrt((dx / 3.4) ** 2 + dy**2)
                ring = np.exp(-((far - 2.2) ** 2) * 3) + 0.7 * np.exp(-((far - 4.4) ** 2) * 2)
                back *= 1 - 0.3 * np.exp(-((dx / 9) ** 2) - ((dy - 3) / 5) ** 2)
                back += (235 - back) * (0.55 * ring)
            elif name in ("trees", "sky"):
                slope = 0.12 * (float(self.scenes.jitter[i, J_ACROSS]) - 0.5) * dx
                thick = 1.7 if name == "trees" else 0.55
                away = np.abs(dy + slope - thick * 0.9)
                cover = np.clip((thick - away) * unit + 0.5, 0, 1)
                colour = (_BRANCH if name == "trees" else _WIRE)[:, None, None]
                lit = 1.25 - 0.5 * np.clip((dy + slope) / (2 * thick), 0, 1)
                back += (colour * lit - back) * cover
            else:
                back *= 1 - 0.42 * np.exp(-((np.abs(dx) / 11) ** 3) - ((dy - 0.6) / 2.4) ** 2)

    def compose_and_light(self, out: U8) -> None:
        """Shade bird and ground, put one on the other, light the whole, write it to ``out``."""
        self._paint_perch_or_shadow()
        j, size, back = self.scenes.jitter, self.size, self.back
        line = np.arange(size, dtype=np.float32)
        unit = size / 64
        bird, opacity = self.bird[:, :3], self.bird[:, 3] / 255
        tint = 0.84 + 0.26 * j[:, J_GROUND, None] + 0.1 * (j[:, [J_GR, J_GG, J_GB]] - 0.5)
        back *= (1 - opacity)[:, None]
        back *= tint[:, :, None, None]
        # A rounded body: lit from above, its underside in shade; feathers on what is feathered.
        height = (line - self.feet[:, 1:]) / (42 * unit) + 1
        shade = 1.16 - 0.36 * np.clip(height, 0, 1) ** 1.5
        gain = 0.11 * self.down * FEATHERED.take(self.numbers) + 1
        gain *= shade[:, :, None]
        bird *= gain[:, None]
        np.minimum(bird, self.bird[:, 3:], out=bird)
        back += bird
        sun = (j[:, J_SUN, None] - 0.5) * 0.2 * np.linspace(-1, 1, size, dtype=np.float32)
        day = 0.82 + 0.26 * j[:, J_LIGHT, None] + sun
        warm = 1 + (j[:, J_WARM, None] - 0.5) * _WARM
        back *= (day[:, None, :] * warm[:, :, None])[:, :, None, :]
        golden = self.scenes.artefacts[:, _WARM_LIGHT]
        if golden.any():
            back[golden] = back[golden] * _GOLDEN + _GLOW
        out[:] = np.clip(back, 0, 255, out=back).astype(np.uint8).transpose(0, 2, 3, 1)

    def _caption_areas(self) -> Iterator[tuple[int, tuple[slice, slice]]]:
        """Pictures with a caption, and where it is."""
        h, w = paint_caption_strip(self.size)[0].shape
        for i in np.flatnonzero(self.scenes.artefacts[:, _STRIP]).tolist():
            left = 1 + round(float(self.scenes.jitter[i, J_CAP_X]) * 2)
            top = 1 + round(float(self.scenes.jitter[i, J_CAP_Y]) * 2)
            yield i, (slice(top, top + h), slice(left, left + w))

    def add_captions(self, out: U8) -> None:
        """Put the caption on the pictures that have one."""
        tone, cover = paint_caption_strip(self.size)
        for i, area in self._caption_areas():
            under = out[i][area].astype(np.float32)
            out[i][area] = under + (tone[..., None] - under) * cover[..., None]

    def part_masks(self) -> U8:
        """Say which part each pixel shows; see the dogs' renderer, which does the same."""
        part = PART.take(self.numbers)
        opacity = self.bird[:, 3]
        part[opacity < 255] = 0
        part[opacity < 128] = _SURROUNDINGS
        for i, area in self._caption_areas():
            part[i][area] = _CAPTION
        return part
