"""Where birds are: water, reeds, sand, trees, grass and sky, painted from noise and strokes.

Each picture takes a crop of one of a few wide paintings of its ground, mirrored or not, as the
dogs' pictures do; what is painted, and how, is different.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from circuitz.data.worlds.bird_parts import BIRDS
from circuitz.data.worlds.painter import (
    HEIGHT,
    WIDTH,
    Painter,
    Rgb,
    smooth_noise,
    vertical_colour_gradient,
)

F32 = npt.NDArray[np.float32]
PER_GROUND = 8


def _layered_noise(p: Painter, cell: float, stretch: float = 1, octaves: int = 4) -> F32:
    """Noise of several sizes in about -1..1, drawn out sideways by ``stretch``."""
    out = np.zeros((p.h, p.w), np.float32)
    for i in range(octaves):
        w = max(4, round(p.w / stretch))
        n = smooth_noise(p.rng, p.h, w, max(cell * p.k / 2**i, 1.2))
        out += np.asarray(Image.fromarray(n, mode="F").resize((p.w, p.h))) / 2**i
    return (out / 1.6).astype(np.float32)


def _vary_brightness(pixels: F32, by: F32) -> F32:
    return (pixels * (1 + by)[..., None]).astype(np.float32)


def _blend_colour(pixels: F32, colour: Rgb, share: F32) -> F32:
    target = np.array(colour, np.float32)
    return (pixels + (target - pixels) * np.clip(share, 0, 1)[..., None]).astype(np.float32)


def _blur_canvas(p: Painter, radius: float) -> None:
    p.set_pixels(
        np.asarray(p.image.filter(ImageFilter.GaussianBlur(radius * p.k))).astype(np.float32)
    )


def _paint_water(p: Painter) -> None:
    far, near = [
        ((120, 168, 196), (38, 92, 132)),
        ((132, 178, 176), (40, 106, 112)),
        ((150, 168, 186), (66, 92, 116)),
        ((176, 168, 176), (70, 86, 128)),
    ][int(p.rng.integers(4))]
    pixels = vertical_colour_gradient(far, near, p.h, p.w)
    # Waves lie flat and are larger near by.
    rows = np.linspace(0, 1, p.h, dtype=np.float32)[:, None]
    for cell, stretch, part in ((2.2, 7, 1 - rows), (4.4, 6, rows)):
        wave = _layered_noise(p, cell, stretch, 3)
        pixels *= 1 + (0.34 * wave * part)[..., None]
        glint = np.clip((wave - 0.42) * 3.4, 0, 1) * part
        pixels = _blend_colour(pixels, (232, 242, 246), 0.8 * glint)
    p.set_pixels(pixels)


def _paint_reeds(p: Painter) -> None:
    pixels = vertical_colour_gradient((150, 160, 122), (74, 82, 58), p.h, p.w)
    p.set_pixels(_vary_brightness(pixels, 0.2 * _layered_noise(p, 5, 5)))
    stalks: list[Rgb] = [(176, 162, 92), (128, 134, 66), (206, 188, 122), (92, 106, 52)]
    for depth in range(3):
        for _ in range(210):
            x, foot = p.random_between(-4, WIDTH), p.random_between(HEIGHT * 0.45, HEIGHT * 1.1)
            tall, bend = p.random_between(26, 70), p.random_between(-5, 5)
            colour = p.random_colour(stalks)
            p.draw_line([(x, foot), (x + bend * 0.3, foot - tall * 0.6), (x + bend, foot - tall)],
                   colour, 0.5 + 0.3 * depth)  # fmt: skip
        if depth < 2:
            _blur_canvas(p, 0.7 - 0.4 * depth)
    for _ in range(26):  # their brown heads
        x, y = p.random_between(0, WIDTH), p.random_between(4, HEIGHT * 0.6)
        p.fill_oval(x, y, 1.3, 4.2, (98, 62, 38))


def _paint_sand(p: Painter) -> None:
    light = p.random_colour([(232, 212, 170), (222, 196, 152), (216, 206, 184)])
    dark = (int(light[0] * 0.8), int(light[1] * 0.77), int(light[2] * 0.72))
    pixels = vertical_colour_gradient(light, dark, p.h, p.w)
    y, x = np.mgrid[0 : p.h, 0 : p.w].astype(np.float32) / p.k
    bent = y * 1.1 + 0.28 * x + 5 * _layered_noise(p, 16)
    ripple = np.sin(bent * p.random_between(0.8, 1.3))
    pixels *= (1 + 0.09 * ripple + 0.05 * _layered_noise(p, 9))[..., None]
    pixels *= 1 + 0.07 * p.rng.standard_normal((p.h, p.w, 1), dtype=np.float32)
    p.set_pixels(pixels)
    for _ in range(70):  # pebbles and shells, each with its shadow
        x0, y0, r = (
            p.random_between(0, WIDTH),
            p.random_between(0, HEIGHT),
            p.random_between(0.5, 1.6),
        )
        p.fill_oval(x0 + 0.5, y0 + 0.5, r, r * 0.7, (142, 118, 88))
        p.fill_oval(
            x0, y0, r, r * 0.7, p.random_colour([(248, 240, 226), (170, 150, 136), (236, 206, 184)])
        )


def _paint_trees(p: Painter) -> None:
    pixels = vertical_colour_gradient((96, 124, 78), (58, 62, 38), p.h, p.w)
    p.set_pixels(_vary_brightness(pixels, 0.4 * _layered_noise(p, 10)))
    for _ in range(80):  # light that falls through the leaves
        r = p.random_between(1.5, 4.5)
        p.fill_oval(p.random_between(0, WIDTH), p.random_between(0, HEIGHT * 0.7), r, r,
               p.random_colour([(146, 172, 96), (186, 200, 132), (84, 112, 62)]))  # fmt: skip
    _blur_canvas(p, 1.1)
    for _ in range(34):
        x, w = p.random_between(0, WIDTH), p.random_between(1, 5)
        bark = p.random_colour([(70, 54, 40), (88, 72, 54), (52, 44, 36), (120, 108, 92)])
        p.fill_box(x, -2, w, HEIGHT + 4, bark)
        p.fill_box(x, -2, w * 0.3, HEIGHT + 4, (min(255, bark[0] + 34), bark[1] + 28, bark[2] + 20))
        side = p.random_between(-14, 14)
        y = p.random_between(4, HEIGHT * 0.7)
        p.draw_line([(x + w / 2, y), (x + w / 2 + side, y - abs(side) * 0.6)], bark, w * 0.3)
    for _ in range(260):
        x, y = p.random_between(0, WIDTH), p.random_between(0, HEIGHT)
        p.fill_oval(x, y, p.random_between(0.7, 1.7), p.random_between(0.5, 1.1),
               p.random_colour([(92, 132, 58), (62, 96, 46), (136, 152, 66), (150, 104, 52)]))  # fmt: skip


def _paint_grass(p: Painter) -> None:
    pixels = vertical_colour_gradient((168, 192, 104), (92, 138, 52), p.h, p.w)
    p.set_pixels(_vary_brightness(pixels, 0.16 * _layered_noise(p, 7)))
    greens: list[Rgb] = [(120, 168, 62), (86, 134, 46), (164, 196, 92), (70, 112, 40)]
    for sharp in (False, True):
        for _ in range(620):
            x, foot, tall = (
                p.random_between(0, WIDTH),
                p.random_between(6, HEIGHT * 1.15),
                p.random_between(5, 15),
            )
            bend = p.random_between(-5, 5)
            p.draw_line([(x, foot), (x + bend * 0.3, foot - tall * 0.6), (x + bend, foot - tall)],
                   p.random_colour(greens), 0.6)  # fmt: skip
        for _ in range(30):  # blossoms, the far ones out of focus
            r = p.random_between(0.8, 2.0)
            p.fill_oval(p.random_between(0, WIDTH), p.random_between(0, HEIGHT), r, r,
                   p.random_colour([(236, 226, 120), (226, 130, 150), (240, 240, 236), (168, 120, 190)]))  # fmt: skip
        if not sharp:
            _blur_canvas(p, 0.9)


def _paint_sky(p: Painter) -> None:
    top, low = [
        ((86, 140, 206), (190, 214, 234)),
        ((128, 168, 214), (222, 224, 222)),
        ((110, 130, 168), (226, 200, 190)),
        ((140, 156, 176), (196, 204, 212)),
    ][int(p.rng.integers(4))]
    pixels = vertical_colour_gradient(top, low, p.h, p.w)
    cloud = _layered_noise(p, 20, 2, 5) + p.random_between(-0.3, 0.25)
    shade = np.clip(np.roll(cloud, round(-2 * p.k), 0) * 2.2, 0, 1)
    pixels = _blend_colour(pixels, (250, 250, 252), 0.95 * np.clip(cloud * 2.6, 0, 1))
    p.set_pixels(_blend_colour(pixels, (182, 190, 206), 0.4 * shade))


SCENERY = {
    "water": _paint_water, "reeds": _paint_reeds, "sand": _paint_sand, "trees": _paint_trees, "grass": _paint_grass, "sky": _paint_sky,
}  # fmt: skip
"""Ground to the function that paints it."""


@lru_cache(maxsize=12)
def paint_bird_grounds(ground: int, size: int) -> npt.NDArray[np.uint8]:
    """Paintings of one ground from fixed seeds, ``(PER_GROUND, 3, height, width)`` uint8."""
    painted: list[npt.NDArray[np.uint8]] = []
    for i in range(PER_GROUND):
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((13, ground, i))))
        painter = Painter(rng, size)
        SCENERY[BIRDS.grounds[ground]](painter)
        painted.append(np.asarray(painter.image.reduce(2)))
    out = np.ascontiguousarray(np.stack(painted).transpose(0, 3, 1, 2))
    out.setflags(write=False)
    return out


def crop_bird_ground(
    ground: int, size: int, *, which: float, across: float, down: float, mirrored: bool
) -> npt.NDArray[np.uint8]:
    """Cut a backdrop, ``(3, size, size)`` uint8; numbers in [0, 1) choose which and where."""
    image = paint_bird_grounds(ground, size)[int(which * PER_GROUND)]
    x = int(across * (image.shape[2] - size + 1))
    y = int(down * (image.shape[1] - size + 1))
    crop = image[:, y : y + size, x : x + size]
    return crop[:, :, ::-1] if mirrored else crop
