"""What names a picture by its content: the same pixels have one name, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from circuitz.disk.hashing import array_digest, json_hash
from circuitz.z.inputs import InputSet

_KEPT: WeakKeyDictionary[InputSet, tuple[str, ...]] = WeakKeyDictionary()


def pixel_hash(pixels: npt.NDArray[Any]) -> str:
    """Content hash of a picture: of its pixels, however they are encoded."""
    return array_digest(np.ascontiguousarray(pixels)).hex()


def pixel_hashes(inputs: InputSet) -> tuple[str, ...]:
    """Return the content hash of every picture of a set; computed once for each set."""
    if inputs not in _KEPT:
        _KEPT[inputs] = tuple(pixel_hash(picture) for picture in inputs.images)
    return _KEPT[inputs]


def fingerprint_of_pictures(hashes: Iterable[str]) -> str:
    """Return one hash for a set of pictures, whatever their order; copies count once."""
    return json_hash(["pictures 1", sorted(set(hashes))])
