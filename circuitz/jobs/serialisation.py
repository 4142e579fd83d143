"""What travels between machines: plain facts and arrays as the bytes of a safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.disk.json_io import loads
from circuitz.disk.tensors_io import read_safetensors_in_place, safetensors_bytes
from circuitz.errors import BundleFormatError

Array = npt.NDArray[Any]
_FACTS = "facts"


def serialise_payload(facts: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> bytes:
    """Return facts (JSON values) and arrays as bytes, the same for the same contents."""
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False)
    return safetensors_bytes(arrays or {}, {_FACTS: text}, what="a piece of work")


def deserialise_payload(data: bytes | memoryview) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what was packed; the arrays are read-only and share the memory of ``data``.

    Raises
    ------
    BundleError
        If the bytes are damaged.
    """
    arrays, metadata = read_safetensors_in_place(memoryview(data), "a piece of work")
    facts = loads(metadata.get(_FACTS, "{}").encode(), "its facts")
    if not isinstance(facts, dict):
        raise BundleFormatError("A piece of work has no facts.", "It is damaged.")
    return facts, arrays


def copy_prefixed_arrays(arrays: Mapping[str, Array], prefix: str = "") -> dict[str, Array]:
    """Return writable copies of the arrays whose names begin with a prefix, without it."""
    return {n.removeprefix(prefix): np.array(a) for n, a in arrays.items() if n.startswith(prefix)}
