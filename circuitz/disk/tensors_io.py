"""Arrays in the safetensors format: written by its library, read in place from a mapping.

The reader is our own (the format is a length, a JSON header and the bytes) because arrays of a
bundle stay in the memory map whose hash was checked; nothing is copied, nothing is read twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from circuitz.disk.hashing import little_endian
from circuitz.disk.json_io import loads
from circuitz.errors import BundleFormatError, BundleTruncatedError

Array = npt.NDArray[Any]

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
_WRITABLE = frozenset(_DTYPES.values())
_META = "__metadata__"


def safetensors_bytes(
    arrays: Mapping[str, Array], metadata: Mapping[str, str] | None = None, *, what: str = "arrays"
) -> bytes:
    """Write arrays as one safetensors file, the same bytes for the same arrays.

    Raises
    ------
    BundleFormatError
        If an array has a dtype the format does not hold.
    """
    plain: dict[str, Array] = {}
    for name in sorted(arrays):
        array = little_endian(np.asarray(arrays[name]))
        if array.dtype.str not in _WRITABLE or name == _META:
            raise BundleFormatError(
                f"{what}: {name!r} has the dtype {array.dtype}, which a bundle cannot hold.",
                "Convert it to a float, integer or bool array.",
            )
        plain[name] = array
    return save(plain, metadata=dict(metadata) if metadata else None)


def read_safetensors_in_place(
    buffer: memoryview, place: str
) -> tuple[dict[str, Array], dict[str, str]]:
    """Read arrays in place; they are read-only and live as long as the buffer.

    Returns
    -------
    The arrays by name, and the file's metadata.

    Raises
    ------
    BundleTruncatedError
        If the file ends before its header or its arrays do.
    BundleFormatError
        If the header is not what the format says.
    """
    if len(buffer) < 8:
        raise BundleTruncatedError(f"{place} ends before its header.", "Restore it from a copy.")
    start = 8 + int.from_bytes(buffer[:8], "little")
    if start > len(buffer):
        raise BundleTruncatedError(f"{place} ends inside its header.", "Restore it from a copy.")
    header = loads(buffer[8:start], f"the header of {place}")
    if not isinstance(header, dict):
        raise _format_error(place, "its header is not an object")
    metadata = header.pop(_META, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _format_error(place, "its metadata are not texts")
    return {
        name: _read_array_in_place(buffer, start, name, spec, place)
        for name, spec in header.items()
    }, {str(key): str(value) for key, value in metadata.items()}


def _read_array_in_place(
    buffer: memoryview, start: int, name: str, description: Any, place: str
) -> Array:
    if not isinstance(description, dict) or set(description) != {"dtype", "shape", "data_offsets"}:
        raise _format_error(place, f"{name!r} is not described")
    dtype = _DTYPES.get(description["dtype"]) if isinstance(description["dtype"], str) else None
    if dtype is None:
        raise _format_error(place, f"{name!r} has the dtype {str(description['dtype'])[:20]!r}")
    shape, offsets = description["shape"], description["data_offsets"]
    if not (
        _is_list_of_counts(shape)
        and _is_list_of_counts(offsets)
        and len(offsets) == 2
        and len(shape) <= 16
    ):
        raise _format_error(place, f"{name!r} has no proper shape or place")
    low, high = offsets
    if math.prod(length or 1 for length in shape) >= 2**48:
        raise _format_error(place, f"{name!r} has an absurd shape")
    # Compared before anything is allocated: a header may declare what it likes.
    if high - low != math.prod(shape) * np.dtype(dtype).itemsize:
        raise _format_error(place, f"the shape of {name!r} does not fit its bytes")
    if start + high > len(buffer):
        raise BundleTruncatedError(f"{place} ends inside {name!r}.", "Restore it from a copy.")
    flat = np.frombuffer(buffer[start + low : start + high], dtype=np.dtype(dtype))
    array = flat.reshape(shape)
    array.flags.writeable = False
    return array


def _is_list_of_counts(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 2**48 for v in values
    )


def _format_error(place: str, what: str) -> BundleFormatError:
    return BundleFormatError(f"{place} is not a safetensors file: {what}.", "It is damaged.")
