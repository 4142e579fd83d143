"""Hashes of texts, JSON values and arrays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    pass

DIGITS = 32
"""Hex digits of the hashes that name values; files are checked with all 64."""


def text_hash(text: str) -> str:
    """Hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def json_hash(value: object) -> str:
    """Hash of a JSON value, the same whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text_hash(text)


def picture_hash(png: bytes) -> str:
    """Name of a picture: 16 hex digits of the SHA-256 of its bytes."""
    return hashlib.sha256(png).hexdigest()[:16]


def little_endian(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array C-contiguous and little-endian, its shape kept (0-d included)."""
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def array_digest(array: npt.NDArray[Any]) -> bytes:
    """SHA-256 over dtype, shape and contents, bit for bit (NaN payloads included)."""
    plain = little_endian(array)
    digest = hashlib.sha256(f"{plain.dtype.str}{list(plain.shape)}".encode())
    # A view as bytes is hashed in place: arrays on disk stream through without a copy.
    if plain.size:
        digest.update(plain.reshape(-1).view(np.uint8).data)
    return digest.digest()


def arrays_hash(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Hash of named arrays, independent of their order; one array at a time is read."""
    whole = hashlib.sha256(b"circuitz arrays 1")
    for name in sorted(arrays):
        whole.update(hashlib.sha256(name.encode()).digest())
        whole.update(array_digest(arrays[name]))
    return whole.hexdigest()[:DIGITS]
