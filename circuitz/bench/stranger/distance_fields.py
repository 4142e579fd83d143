"""Shapes as signed distances: negative inside, so that edges can be soft and unions a minimum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Point = tuple[float, float]


def pixel_centres(side: int) -> F64:
    """Return the centres of all pixels of a square picture, ``(side, side, 2)`` of x, y in 0..1."""
    at = (np.arange(side) + 0.5) / side
    return np.stack(np.meshgrid(at, at), -1)


def capsule(p: F64, a: Point, b: Point, radius: float) -> F64:
    """Return the distance to a thick line from ``a`` to ``b``."""
    start, along = np.asarray(a), np.subtract(b, a)
    share = ((p - start) @ along / max(float(along @ along), 1e-9)).clip(0, 1)
    return np.linalg.norm(p - start - share[..., None] * along, axis=-1) - radius


def ellipse(p: F64, centre: Point, radii: Point, turn: float = 0.0) -> F64:
    """Return about the distance to an ellipse, turned by an angle."""
    x, y = np.moveaxis(p - np.asarray(centre), -1, 0)
    c, s = np.cos(turn), np.sin(turn)
    u, v = (c * x + s * y) / radii[0], (c * y - s * x) / radii[1]
    return (np.hypot(u, v) - 1) * min(radii)


def triangle(p: F64, corners: tuple[Point, Point, Point]) -> F64:
    """Return about the distance to a triangle whose corners run either way round."""
    points = np.asarray(corners)
    sides = np.roll(points, -1, 0) - points
    turn = np.sign(sides[0, 0] * sides[1, 1] - sides[0, 1] * sides[1, 0]) or 1.0
    # Outward normals: of y running down, the sign of the turn decides.
    normals = np.stack([sides[:, 1], -sides[:, 0]], -1) * turn
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return np.max([(p - q) @ n for q, n in zip(points, normals, strict=True)], axis=0)


def arc(p: F64, centre: Point, radius: float, width: float, start: float, span: float) -> F64:
    """Return the distance to a thick arc; angles run clockwise from the right, y being down."""
    x, y = np.moveaxis(p - np.asarray(centre), -1, 0)
    angle = (np.arctan2(y, x) - start) % (2 * np.pi)
    ring = np.abs(np.hypot(x, y) - radius) - width
    ends = [
        np.hypot(x - radius * np.cos(a), y - radius * np.sin(a)) - width
        for a in (start, start + span)
    ]
    return np.where(angle <= span, ring, np.minimum(*ends))


def coverage(distance: F64, side: int) -> F64:
    """Return how much of each pixel lies inside, 0..1."""
    return (0.5 - distance * side).clip(0, 1)
