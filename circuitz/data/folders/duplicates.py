"""Pictures that occur twice: one scene, and never under two classes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError

CONFLICTS_ALLOWED = 0.01
"""Share of pictures that may stand under two classes before a set is refused."""


def assign_scene_numbers(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64] | None = None,
    names: Sequence[object] | None = None,
) -> npt.NDArray[np.int64]:
    """Return a scene number a picture such that identical pictures share one.

    A picture in two splits would be learned by heart in one and asked about in the other.

    Parameters
    ----------
    images
        ``(n, h, w, c)`` uint8.
    labels
        ``(n,)`` class numbers, or ``(n, k)`` of 0 and 1; compared among identical pictures.
    names
        What an error calls them, such as their files; by default their numbers.

    Returns
    -------
    numpy.ndarray
        ``(n,)`` int64: the first picture that looks the same.

    Raises
    ------
    InputsError
        If more than one picture in a hundred stands under two classes.
    """
    seen: dict[bytes, int] = {}
    scene = np.arange(len(images), dtype=np.int64)
    conflicts: list[tuple[int, int]] = []
    for i, image in enumerate(images):
        first = seen.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), i)
        scene[i] = first
        if labels is not None and not np.array_equal(labels[first], labels[i]):
            conflicts.append((first, i))
    if len(conflicts) > CONFLICTS_ALLOWED * len(images):
        a, b = conflicts[0] if names is None else (names[i] for i in conflicts[0])
        raise InputsError(
            f"{len(conflicts)} pictures stand under two classes, first {a} and {b}.",
            "Remove the duplicates with the wrong label.",
        )
    return scene
