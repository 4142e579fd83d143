"""Outlines of a dog's parts as complex numbers (x + iy, y downwards), smooth, fluffy or curly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.complex128]

SMOOTH, FLUFFY, CURLY = 1, 0, 2
"""Values of the attribute ``coat``."""


def _ring(n: int) -> Points:
    return np.exp(2j * np.pi * np.arange(n) / n)


def _tufted(teeth: int, depth: float) -> Points:
    """Return a unit circle with slanted teeth, as fur sticks out."""
    turn = 2 * np.pi * np.arange(teeth) / teeth
    step = 2 * np.pi / teeth
    tips = (1 + depth) * np.exp(1j * (turn + 0.15 * step))
    pits = (1 - depth * 0.35) * np.exp(1j * (turn + 0.62 * step))
    return np.stack([tips, pits], axis=1).ravel()


def _bumpy(lobes: int, depth: float) -> Points:
    """Return a unit circle of small arcs, as curls stick out."""
    t = 2 * np.pi * np.arange(lobes * 6) / (lobes * 6)
    return (1 - depth * 0.4 + depth * np.abs(np.sin(lobes * t / 2))) * np.exp(1j * t)


BODY: dict[int, Points] = {FLUFFY: _tufted(19, 0.17), SMOOTH: _ring(36), CURLY: _bumpy(13, 0.17)}
SMALL: dict[int, Points] = {FLUFFY: _tufted(13, 0.15), SMOOTH: _ring(28), CURLY: _bumpy(9, 0.2)}
ROUND = _ring(20)

_HALF = np.exp(1j * np.linspace(-np.pi / 2, np.pi / 2, 7))


def oval(unit: Points, centre: complex, a: float, b: float) -> Points:
    """Return the unit outline stretched to half axes ``a`` and ``b`` about ``centre``."""
    return centre + a * unit.real + 1j * b * unit.imag


def limb(start: complex, end: complex, w0: float, w1: float) -> Points:
    """Return a tapered stick with round ends of radius ``w0`` and ``w1``."""
    way = (end - start) / abs(end - start)
    return np.concatenate([end + way * w1 * _HALF, start - way * w0 * _HALF])


def ribbon(line: Points, width: npt.NDArray[np.float64]) -> Points:
    """Return the band of half width ``width`` about a curve."""
    along = np.gradient(line)
    normal = 1j * along / np.abs(along)
    return np.concatenate([line + normal * width, (line - normal * width)[::-1]])


def _curl() -> tuple[Points, npt.NDArray[np.float64]]:
    t = np.linspace(0, 1, 26)
    angle = np.deg2rad(90 + 345 * t)  # from the root backwards, up and over
    return (1.0 - 0.52 * t) * np.exp(1j * angle), np.interp(t, [0, 0.3, 1], [0.3, 0.36, 0.2])


CURL_LINE, CURL_WIDTH = _curl()
