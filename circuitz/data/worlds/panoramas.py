"""What the grounds look like: snow, grass, sand, water and rooms, each with its backdrop."""

from __future__ import annotations

import numpy as np

from circuitz.data.worlds.painter import (
    HEIGHT,
    HORIZON,
    WIDTH,
    Painter,
    Rgb,
    vertical_colour_gradient,
)


def scale_brightness(colour: Rgb, factor: float) -> Rgb:
    """Return a colour made lighter or darker."""
    r, g, b = (min(255, max(0, round(c * factor))) for c in colour)
    return r, g, b


def _paint_fir(p: Painter, x: float, y: float, h: float) -> None:
    green = p.random_colour([(52, 84, 78), (66, 98, 90), (44, 74, 72)])
    p.fill_box(x - h * 0.04, y - h * 0.12, h * 0.08, h * 0.12, (84, 66, 60))
    for i in range(3):
        top, half = y - h + i * h * 0.25, h * (0.16 + 0.08 * i)
        low = top + h * 0.42
        p.fill_polygon([(x, top), (x + half, low), (x - half, low)], green)
        p.fill_polygon([(x, top), (x + half * 0.45, top + h * 0.17), (x, top + h * 0.13),
                (x - half * 0.45, top + h * 0.17)], (238, 244, 250))  # fmt: skip


def _paint_snow(p: Painter) -> None:
    skies: list[tuple[Rgb, Rgb]] = [
        ((150, 172, 204), (214, 224, 238)),
        ((178, 190, 206), (222, 228, 236)),
        ((126, 146, 186), (232, 214, 220)),
    ]
    top, low = skies[int(p.rng.integers(3))]
    p.paint_sky_and_land(top, low, (226, 234, 246), (246, 249, 253))
    p.fill_hills((196, 208, 228), p.random_between(9, 16), p.random_between(16, 28))
    p.fill_hills((214, 224, 240), p.random_between(5, 9), p.random_between(9, 16))
    for x in np.sort(p.rng.uniform(0, WIDTH, 16)).tolist():
        _paint_fir(p, x, HORIZON + p.random_between(0, 3), p.random_between(9, 21))
    p.mottle_brightness(0.045, 7, stretch=3)
    for _ in range(34):  # drifts: a lit back and a blue lee side
        x, y = p.random_between(0, WIDTH), p.random_ground_row()
        a = 4 + (y - HORIZON) * 0.28
        p.fill_oval(x, y + 0.9, a, 1.4, (198, 213, 236))
        p.fill_oval(x - 0.6, y, a, 1.3, (250, 252, 255))
    for _ in range(420):  # falling flakes and sparkles
        r = p.random_between(0.3, 0.95)
        p.fill_oval(p.random_between(0, WIDTH), p.random_between(0, HEIGHT), r, r, (255, 255, 255))


def _paint_grass(p: Painter) -> None:
    p.paint_sky_and_land((112, 172, 226), (196, 224, 240), (122, 176, 84), (74, 138, 56))
    for _ in range(9):
        x, y = p.random_between(0, WIDTH), p.random_between(8, HORIZON - 14)
        for _ in range(4):
            a = p.random_between(4, 8)
            p.fill_oval(
                x + p.random_between(-7, 7),
                y + p.random_between(-1, 1),
                a,
                a * 0.4,
                (240, 246, 250),
            )
    p.fill_hills((126, 170, 120), p.random_between(8, 14), p.random_between(16, 28))
    p.fill_hills((102, 156, 88), p.random_between(4, 8), p.random_between(8, 14))
    for x in np.sort(p.rng.uniform(0, WIDTH, 10)).tolist():
        h, green = (
            p.random_between(6, 15),
            p.random_colour([(72, 122, 60), (88, 138, 64), (60, 110, 66)]),
        )
        p.fill_box(x - 0.8, HORIZON - h * 0.5, 1.6, h * 0.55, (108, 82, 56))
        for dx, dy, s in ((0, 0.75, 0.4), (-0.25, 0.58, 0.3), (0.27, 0.6, 0.3)):
            p.fill_oval(x + dx * h, HORIZON - dy * h, s * h, s * h * 0.85, green)
            p.fill_oval(x + dx * h - 0.1 * h, HORIZON - (dy + 0.1) * h, s * h * 0.5,
                   s * h * 0.4, scale_brightness(green, 1.15))  # fmt: skip
    p.mottle_brightness(0.13, 5)
    blades: list[Rgb] = [(58, 116, 44), (96, 160, 62), (142, 194, 88), (70, 130, 50)]
    for _ in range(1500):
        x, y = p.random_between(0, WIDTH), p.random_ground_row()
        s = 0.5 + (y - HORIZON) / 28
        p.draw_line(
            [(x, y), (x + p.random_between(-0.7, 0.7) * s, y - 1.6 * s)],
            p.random_colour(blades),
            0.5,
        )
    for _ in range(60):
        x, y = p.random_between(0, WIDTH), p.random_ground_row()
        r = 0.5 + (y - HORIZON) / 90
        p.fill_oval(x, y, r, r, p.random_colour([(250, 240, 250), (246, 206, 84), (236, 132, 150)]))


def _paint_sand(p: Painter) -> None:
    p.paint_sky_and_land((140, 196, 222), (244, 228, 196), (232, 204, 148), (212, 174, 112))
    p.fill_oval(p.random_between(20, WIDTH - 20), p.random_between(14, 24), 6, 6, (254, 240, 190))
    p.fill_hills((226, 190, 136), p.random_between(10, 16), p.random_between(18, 30))
    p.fill_hills((214, 174, 118), p.random_between(5, 9), p.random_between(11, 18))
    for x in p.rng.uniform(0, WIDTH, 7).tolist():
        h, green = p.random_between(8, 16), p.random_colour([(96, 140, 90), (82, 124, 84)])
        y = HORIZON + p.random_between(0, 3)
        p.draw_line([(x, y), (x, y - h)], green, 1.9)
        for side, up in ((-1, 0.45), (1, 0.6)):
            p.draw_line([(x, y - h * up), (x + side * 3, y - h * up), (x + side * 3, y - h * up - 3.4)],
                   green, 1.3)  # fmt: skip
    p.mottle_brightness(0.05, 4)
    for _ in range(130):  # ripples of the wind: a lit crest and its shadow
        x, y = p.random_between(0, WIDTH), p.random_ground_row()
        s = 2.5 + (y - HORIZON) * 0.22
        curve = np.linspace(-1, 1, 7)
        bend = (1 - curve**2) * p.random_between(0.5, 1.1) * (0.4 + s * 0.09)
        crest = list(zip((x + s * curve).tolist(), (y - bend).tolist(), strict=True))
        p.draw_line([(a, b + 0.8) for a, b in crest], (196, 156, 98), 0.7)
        p.draw_line(crest, (248, 226, 176), 0.5)
    for _ in range(420):
        r = p.random_between(0.2, 0.55)
        p.fill_oval(p.random_between(0, WIDTH), p.random_ground_row(), r, r,
               p.random_colour([(176, 136, 88), (250, 236, 204), (188, 150, 110)]))  # fmt: skip


def _paint_water(p: Painter) -> None:
    deep: list[tuple[Rgb, Rgb]] = [
        ((88, 156, 190), (30, 92, 142)),
        ((104, 178, 184), (26, 112, 134)),
        ((84, 132, 178), (36, 74, 128)),
    ]
    far, near = deep[int(p.rng.integers(3))]
    p.paint_sky_and_land((158, 196, 220), (232, 232, 224), far, near)
    for x in p.rng.uniform(0, WIDTH, 2).tolist():
        p.fill_oval(x, HORIZON, p.random_between(9, 18), p.random_between(3, 7), (112, 140, 138))
    p.fill_box(0, HORIZON, WIDTH, HEIGHT - HORIZON, far)
    pixels = np.asarray(p.image).astype(np.float32)
    pixels[p.horizon :] = vertical_colour_gradient(far, near, p.h - p.horizon, p.w)
    p.set_pixels(pixels)
    for x in p.rng.uniform(0, WIDTH, 5).tolist():
        s = p.random_between(3.5, 6.5)
        p.fill_polygon(
            [(x, HORIZON - s * 2), (x, HORIZON - 1), (x + s, HORIZON - 1)], (250, 246, 238)
        )
        p.fill_polygon([(x - s, HORIZON - 1), (x + s * 1.2, HORIZON - 1), (x + s * 0.8, HORIZON + 1),
                (x - s * 0.7, HORIZON + 1)], p.random_colour([(190, 76, 66), (96, 76, 66)]))  # fmt: skip
    p.mottle_brightness(0.1, 4, stretch=4)
    for _ in range(330):  # wave crests
        x, y = p.random_between(0, WIDTH), p.random_ground_row()
        s = 1 + (y - HORIZON) / 13
        tone = p.random_colour(
            [(196, 226, 236), (148, 200, 220), scale_brightness(near, 0.82), (224, 240, 244)]
        )
        p.draw_line([(x - s, y), (x - s * 0.4, y - 0.35 * s), (x + s * 0.4, y - 0.35 * s), (x + s, y)],
               tone, 0.4 + s * 0.09)  # fmt: skip


def _paint_room(p: Painter) -> None:
    wall = p.random_colour([(222, 204, 176), (196, 150, 146), (132, 158, 150), (206, 172, 104),
                   (160, 146, 172), (186, 186, 174)])  # fmt: skip
    floor = p.random_colour([(156, 106, 66), (122, 82, 56), (178, 134, 92), (140, 116, 100)])
    p.paint_sky_and_land(scale_brightness(wall, 0.96), wall, floor, scale_brightness(floor, 0.86))
    if p.rng.random() < 0.6:
        for x in range(0, WIDTH, 8):
            p.fill_box(x, 0, 3.4, HORIZON, scale_brightness(wall, 0.92))
    else:
        for x in range(0, WIDTH, 7):
            for y in range(2, HORIZON, 7):
                p.fill_oval(x + (y // 7 % 2) * 3.5, y, 1, 1, scale_brightness(wall, 0.85))
    for x in np.arange(p.random_between(6, 20), WIDTH, 30.0).tolist():
        if p.rng.random() < 0.5:  # a picture, or a window
            p.fill_box(x, HORIZON - 28, 15, 13, (92, 64, 46))
            p.fill_box(
                x + 1.4,
                HORIZON - 26.6,
                12.2,
                10.2,
                p.random_colour([(222, 214, 190), (120, 150, 140)]),
            )
            p.fill_oval(
                x + 7, HORIZON - 21.5, 3, 3, p.random_colour([(196, 96, 76), (84, 110, 130)])
            )
        else:
            p.fill_box(x, HORIZON - 32, 14, 20, (240, 234, 222))
            p.fill_box(x + 1.5, HORIZON - 30.5, 11, 17, (154, 192, 214))
            p.fill_box(x + 6.4, HORIZON - 30.5, 1.2, 17, (240, 234, 222))
            p.fill_box(x + 1.5, HORIZON - 22.6, 11, 1.2, (240, 234, 222))
    p.fill_box(0, HORIZON - 3, WIDTH, 3, (236, 228, 214))
    p.fill_box(0, HORIZON, WIDTH, 0.8, scale_brightness(floor, 0.6))
    rows = HORIZON + 0.8 + np.array([0, 3, 7, 12, 18, 25, 33, 42, 52])
    for i in range(8):  # boards, wider towards the viewer
        top, bottom = float(rows[i]), float(rows[i + 1])
        x = p.random_between(-20, 0)
        while x < WIDTH:
            w = p.random_between(22, 44)
            p.fill_box(
                x, top, w, bottom - top, scale_brightness(floor, p.random_between(0.88, 1.12))
            )
            p.draw_line([(x, top), (x, bottom)], scale_brightness(floor, 0.66), 0.5)
            x += w
        p.draw_line([(0, top), (WIDTH, top)], scale_brightness(floor, 0.68), 0.5)
    if p.rng.random() < 0.6:
        rug = p.random_colour([(176, 78, 70), (86, 110, 138), (196, 158, 92), (112, 130, 96)])
        for x in np.arange(p.random_between(20, 40), WIDTH, 80.0).tolist():
            p.fill_oval(x, HORIZON + 24, 29, 10, scale_brightness(rug, 0.75))
            p.fill_oval(x, HORIZON + 23.5, 27, 9, rug)
            p.fill_oval(x, HORIZON + 23.5, 18, 5.6, scale_brightness(rug, 1.2))
    p.mottle_brightness(0.06, 2.2, stretch=5)


PANORAMAS = {
    "snow": _paint_snow,
    "grass": _paint_grass,
    "sand": _paint_sand,
    "water": _paint_water,
    "indoors": _paint_room,
}
"""Ground to the function that paints it."""
