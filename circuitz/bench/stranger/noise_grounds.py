"""Grounds of the second dog world: fields of smooth noise, stretched and coloured."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

GROUNDS = ("snow", "grass", "sand", "water", "indoors")
# Darkest and lightest colour of each, 0..1.
_RAMPS = {
    "snow": ((0.74, 0.80, 0.90), (0.97, 0.98, 1.00)),
    "grass": ((0.16, 0.30, 0.10), (0.50, 0.62, 0.24)),
    "sand": ((0.66, 0.52, 0.34), (0.90, 0.79, 0.58)),
    "water": ((0.08, 0.26, 0.42), (0.36, 0.60, 0.72)),
    "indoors": ((0.36, 0.20, 0.14), (0.62, 0.40, 0.28)),
}
_SKIES = {
    "snow": (0.78, 0.84, 0.90),
    "grass": (0.62, 0.78, 0.92),
    "sand": (0.70, 0.84, 0.94),
    "water": (0.74, 0.82, 0.88),
    "indoors": (0.80, 0.76, 0.66),
}


def lattice_noise(side: int, cells: tuple[int, int], rng: np.random.Generator) -> F64:
    """Return noise in 0..1 on a square, smooth between ``cells`` (down, across) random values."""
    values = rng.random((cells[0] + 1, cells[1] + 1))
    at = [np.linspace(0, n, side, endpoint=False) for n in cells]
    (i, y), (j, x) = ((a.astype(np.int64), a % 1) for a in at)
    y, x = (t * t * (3 - 2 * t) for t in (y, x))
    y = y[:, None]
    top = values[i][:, j] * (1 - x) + values[i][:, j + 1] * x
    bottom = values[i + 1][:, j] * (1 - x) + values[i + 1][:, j + 1] * x
    return top * (1 - y) + bottom * y


def _shade(name: str, side: int, rng: np.random.Generator) -> F64:
    """Return the lightness of a ground, about 0..1."""
    fine = rng.random((side, side))
    broad = lattice_noise(side, (4, 4), rng)
    if name == "snow":
        return 0.55 + 0.45 * lattice_noise(side, (6, 3), rng) + 0.5 * (fine > 0.985)
    if name == "grass":
        return 0.3 * broad + 0.7 * lattice_noise(side, (side // 5, side // 2), rng)
    if name == "sand":
        phase = np.linspace(0, side / 5, side)[:, None] + 2.5 * broad
        return 0.5 + 0.22 * np.sin(2 * np.pi * phase) + 0.28 * (fine - 0.5)
    if name == "water":
        return 0.25 * broad + 0.75 * lattice_noise(side, (side // 3, side // 12), rng) ** 1.5
    boards = (np.arange(side)[:, None] + int(rng.integers(side))) // max(side // 9, 2)
    tone = rng.random(int(boards.max()) + 1)[boards]
    return 0.25 + 0.45 * tone + 0.3 * lattice_noise(side, (side // 3, 3), rng)


def paint_ground(name: str, side: int, rng: np.random.Generator) -> F64:
    """Return a picture ``(side, side, 3)`` in 0..1 of one ground below its sky or wall."""
    dark, light = (np.asarray(colour) for colour in _RAMPS[name])
    shade = _shade(name, side, rng)[..., None].clip(0, 1)
    ground = dark + (light - dark) * shade
    sky = np.asarray(_SKIES[name]) + 0.08 * (lattice_noise(side, (2, 4), rng) - 0.5)[..., None]
    horizon = rng.uniform(0.12, 0.42) + 0.04 * (lattice_noise(side, (1, 5), rng)[:1] - 0.5)
    at = (np.arange(side) + 0.5)[:, None] / side
    above = ((horizon - at) * side + 0.5).clip(0, 1)[..., None]
    return above * sky + (1 - above) * ground
