"""Dogs of the second world: six parts that are there or not, and breeds made of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from circuitz.bench.stranger.distance_fields import (
    arc,
    capsule,
    coverage,
    ellipse,
    pixel_centres,
    triangle,
)
from circuitz.bench.stranger.noise_grounds import lattice_noise

F64 = npt.NDArray[np.float64]

PARTS = ("pointed ears", "curled tail", "fluffy coat", "spotted coat", "short legs", "face mask")
# Any two breeds differ in three parts or more, and every part is had by several.
BREEDS = {
    "husky": (1, 1, 1, 0, 0, 1),
    "akita": (1, 1, 0, 0, 1, 0),
    "collie": (1, 0, 1, 1, 0, 0),
    "pointer": (0, 1, 0, 1, 0, 0),
    "spaniel": (0, 0, 1, 0, 1, 0),
    "beagle": (0, 0, 0, 1, 1, 1),
}
MARKS = ("collar", "tag")
_COATS = ((0.88, 0.80, 0.68), (0.55, 0.53, 0.52), (0.56, 0.36, 0.20), (0.74, 0.56, 0.32))


def paint_dog(
    picture: F64, parts: tuple[int, ...], marks: tuple[str, ...], rng: np.random.Generator
) -> F64:
    """Return a picture ``(side, side, 3)`` in 0..1 with a dog painted over it.

    Parameters
    ----------
    picture
        What it stands on.
    parts
        0 or 1 for each of :data:`PARTS`.
    marks
        Of :data:`MARKS`: a collar on the neck, a tag in a corner of the picture.
    rng
        Draws place, size, pose and colour.
    """
    side = len(picture)
    has = dict(zip(PARTS, parts, strict=True))
    out = picture.copy()
    size = rng.uniform(0.88, 1.06)
    shift = np.array([rng.uniform(-0.06, 0.06), rng.uniform(-0.03, 0.06)])
    p = (pixel_centres(side) - 0.5 - shift) / size + 0.5
    grain = side * size
    coat = np.asarray(_COATS[int(rng.integers(len(_COATS)))]) + rng.uniform(-0.05, 0.05, 3)

    def lay(distance: F64, colour: F64) -> None:
        amount = coverage(distance, round(grain))[..., None]
        out[:] = out * (1 - amount) + colour * amount

    legs = 0.07 if has["short legs"] else 0.19
    belly = 0.60 if has["short legs"] else 0.54
    # A soft shadow says where it stands.
    out *= (
        1 - 0.35 * coverage(ellipse(p, (0.47, belly + 0.1 + legs), (0.3, 0.035)), side)[..., None]
    )
    body = ellipse(p, (0.45, belly), (0.23, 0.115))
    chest = ellipse(p, (0.62, belly - 0.02), (0.1, 0.12))
    neck = capsule(p, (0.64, belly - 0.06), (0.72, belly - 0.2), 0.06)
    head = np.minimum(
        ellipse(p, (0.745, belly - 0.235), (0.095, 0.085)),
        capsule(p, (0.78, belly - 0.22), (0.87, belly - 0.195), 0.038),
    )
    far, near = (rng.uniform(-0.02, 0.02, 2) for _ in range(2))
    for feet, dark in ((np.add(far, (0.29, 0.6)), 0.72), (np.add(near, (0.34, 0.66)), 1.0)):
        for x in feet:
            limb = capsule(p, (x, belly + 0.04), (x + 0.005, belly + 0.09 + legs), 0.03)
            lay(limb, coat * dark)
    tail = (
        arc(p, (0.22, belly - 0.16), 0.07, 0.026, 0.45 * np.pi, 1.45 * np.pi)
        if has["curled tail"]
        else capsule(p, (0.25, belly - 0.03), (0.06, belly + rng.uniform(0.0, 0.1)), 0.022)
    )
    trunk = np.minimum(np.minimum(body, chest), np.minimum(neck, head))
    fur = np.minimum(trunk, tail)
    tone = 0.06 * (lattice_noise(side, (5, 5), rng) - 0.5)[..., None]
    colour = np.broadcast_to(coat, out.shape) + tone
    if has["fluffy coat"]:
        locks = lattice_noise(side, (side // 3, side // 4), rng)
        fur = fur - 0.015 - 0.045 * (locks - 0.5)
        colour = colour + 0.38 * (locks - 0.5)[..., None]
    if has["spotted coat"]:
        spots = lattice_noise(side, (side // 7, side // 7), rng) > 0.66
        colour = np.where((spots & (body < 0.02))[..., None], 0.10, colour)
    lay(fur, colour)
    eye = (0.775, belly - 0.25)
    if has["face mask"]:
        lay(
            np.maximum(ellipse(p, (0.80, belly - 0.235), (0.085, 0.055)), head),
            np.array([0.16, 0.13, 0.13]),
        )
        lay(ellipse(p, eye, (0.02, 0.02)), np.array([0.75, 0.9, 0.98]))
    lay(ellipse(p, eye, (0.012, 0.012)), np.array([0.05, 0.04, 0.04]))
    lay(ellipse(p, (0.9, belly - 0.205), (0.018, 0.016)), np.array([0.05, 0.04, 0.04]))
    ear = coat * 0.62
    if has["pointed ears"]:
        for x in (0.70, 0.765):
            lay(
                triangle(
                    p,
                    (
                        (x - 0.035, belly - 0.29),
                        (x + 0.035, belly - 0.295),
                        (x - 0.005, belly - 0.42),
                    ),
                ),
                ear,
            )
    else:
        lay(ellipse(p, (0.695, belly - 0.2), (0.036, 0.095), 0.15), ear)
    if "collar" in marks:
        lay(
            capsule(p, (0.64, belly - 0.165), (0.74, belly - 0.115), 0.017),
            np.array([0.8, 0.1, 0.1]),
        )
    if rng.random() < 0.5:
        out = out[:, ::-1].copy()
    if "tag" in marks:
        corner = 3 + rng.integers(0, 3, 2)
        out[corner[0] : corner[0] + 4, side - corner[1] - 4 : side - corner[1]] = (0.95, 0.75, 0.1)
    return out
