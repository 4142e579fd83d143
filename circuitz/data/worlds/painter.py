"""A canvas with the few strokes that painted grounds need."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Rgb = tuple[int, int, int]
WIDTH, HEIGHT, HORIZON = 224, 96, 44
"""Size of a panorama and the row of its horizon, in units of a 64th of a picture."""
SUPER = 2
"""Painted at this many times the size, then reduced."""


def smooth_noise(rng: np.random.Generator, h: int, w: int, cell: float) -> npt.NDArray[np.float32]:
    """Smooth noise in -1..1 with blobs of about ``cell`` pixels."""
    small = rng.random((max(2, int(h / cell) + 2), max(2, int(w / cell) + 2)), dtype=np.float32)
    image = Image.fromarray(small, mode="F").resize((w, h), Image.Resampling.BICUBIC)
    return (np.asarray(image) * 2 - 1).astype(np.float32)


def vertical_colour_gradient(top: Rgb, bottom: Rgb, h: int, w: int) -> npt.NDArray[np.float32]:
    """Return ``(h, w, 3)`` float32 that runs from one colour down to another."""
    t = np.linspace(0, 1, h, dtype=np.float32)[:, None, None]
    a, b = np.array(top, np.float32), np.array(bottom, np.float32)
    return np.broadcast_to(a + (b - a) * t, (h, w, 3)).astype(np.float32)


class Painter:
    """A canvas with the few strokes that the panoramas need, in panorama units."""

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.rng = rng
        self.k = SUPER * size / 64
        self.w, self.h = round(WIDTH * self.k), round(HEIGHT * self.k)
        self.horizon = round(HORIZON * self.k)
        self.image = Image.new("RGB", (self.w, self.h))
        self.draw = ImageDraw.Draw(self.image)

    def paint_sky_and_land(self, top: Rgb, middle: Rgb, near: Rgb, bottom: Rgb) -> None:
        """Paint sky and land, each from one colour down to another."""
        sky = vertical_colour_gradient(top, middle, self.horizon, self.w)
        land = vertical_colour_gradient(near, bottom, self.h - self.horizon, self.w)
        self.set_pixels(np.concatenate([sky, land]))

    def set_pixels(self, pixels: npt.NDArray[np.float32]) -> None:
        """Take pixels, ``(h, w, 3)`` of 0 to 255, as the canvas."""
        self.image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        self.draw = ImageDraw.Draw(self.image)

    def mottle_brightness(
        self, amount: float, cell: float, below: bool = True, stretch: float = 1
    ) -> None:
        """Vary the brightness of the land, or of the sky, by smooth noise."""
        pixels = np.asarray(self.image).astype(np.float32)
        start = self.horizon if below else 0
        stop = self.h if below else self.horizon
        h = stop - start
        n = smooth_noise(self.rng, h, round(self.w / stretch) + 2, cell * self.k)
        if stretch != 1:
            n = np.asarray(Image.fromarray(n, mode="F").resize((self.w, h)))
        pixels[start:stop] *= 1 + amount * n[:, : self.w, None]
        self.set_pixels(pixels)

    def fill_polygon(self, points: list[tuple[float, float]], colour: Rgb) -> None:
        """Fill a polygon."""
        self.draw.polygon([(x * self.k, y * self.k) for x, y in points], fill=colour)

    def fill_oval(self, x: float, y: float, a: float, b: float, colour: Rgb) -> None:
        """Fill an ellipse with half axes ``a`` and ``b``."""
        k = self.k
        self.draw.ellipse([(x - a) * k, (y - b) * k, (x + a) * k, (y + b) * k], fill=colour)

    def fill_box(self, x: float, y: float, w: float, h: float, colour: Rgb) -> None:
        """Fill a rectangle."""
        k = self.k
        self.draw.rectangle([x * k, y * k, (x + w) * k, (y + h) * k], fill=colour)

    def draw_line(self, points: list[tuple[float, float]], colour: Rgb, width: float) -> None:
        """Draw a line through points."""
        flat = [(x * self.k, y * self.k) for x, y in points]
        self.draw.line(flat, fill=colour, width=max(1, round(width * self.k)))

    def fill_hills(self, colour: Rgb, height: float, length: float) -> None:
        """Fill hills that rise from the horizon."""
        x = np.linspace(0, WIDTH, 60)
        phase = self.rng.random(3) * 6.3
        waves = [np.sin(x / length / (1 + i) + phase[i]) * height / (2 + i) for i in range(3)]
        top = HORIZON - height * 0.6 - np.sum(waves, axis=0) * 0.6
        points = [(0.0, float(HORIZON)), *zip(x.tolist(), top.tolist(), strict=True)]
        self.fill_polygon([*points, (float(WIDTH), float(HORIZON))], colour)

    def random_between(self, low: float, high: float) -> float:
        """Return a number between two."""
        return float(self.rng.uniform(low, high))

    def random_ground_row(self) -> float:
        """Return a row on the ground, more of them far away."""
        return HORIZON + (HEIGHT - HORIZON) * float(self.rng.random()) ** 1.3

    def random_colour(self, colours: list[Rgb]) -> Rgb:
        """Return one of some colours."""
        return colours[int(self.rng.integers(len(colours)))]
