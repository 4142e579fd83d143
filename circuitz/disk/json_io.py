"""JSON as bundles use it: strict in reading, exact in writing."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from circuitz.errors import BundleFormatError, BundleUnsafeError, CircuitzError

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 64
_FLOAT = "$float"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def dumps(value: object, *, indent: int | None = None) -> bytes:
    """Write a JSON value as UTF-8; NaN and infinities as ``{"$float": "nan"}``.

    Raises
    ------
    BundleFormatError
        If something in it is not a JSON value.
    """
    plain = _json_value_with_tagged_floats(value, "value", 0)
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(
        plain, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BundleFormatError(
            "A text holds half of a surrogate pair and cannot be written as UTF-8.",
            "Remove the broken character.",
        ) from error


def loads(data: bytes | memoryview, place: str) -> Any:
    """Read JSON that somebody else may have written.

    Raises
    ------
    BundleFormatError
        If it is not UTF-8 or not JSON, or repeats a key.
    BundleUnsafeError
        If it is larger or more deeply nested than any bundle needs.
    """
    if len(data) > MAX_BYTES:
        raise BundleUnsafeError(
            f"{place} has {len(data):,} bytes; at most {MAX_BYTES:,} are read.",
            "This is not a bundle written by circuitz.",
        )
    try:
        text = bytes(data).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BundleFormatError(f"{place} is not UTF-8 text.", "The file is damaged.") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_dict_of_unique_keys,
            parse_constant=_refuse_nonfinite_constant,
            parse_float=_parse_finite_float,
        )
    except CircuitzError:
        raise
    except RecursionError as error:
        raise _too_deep_error(place) from error
    except ValueError as error:
        raise BundleFormatError(f"{place} is not JSON: {error}.", "The file is damaged.") from error
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(value, place)
    if _FLOAT not in text and text.count("[") + text.count("{") <= MAX_DEPTH:
        return value  # nothing to restore, and too few brackets to be deep
    return _restore_nonfinite_floats(value, place, 0)


def _refuse_lone_surrogates(value: Any, place: str) -> None:
    """Refuse halves of surrogate pairs, which are no text and cannot be written again."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise _too_deep_error(place) from error
    except UnicodeEncodeError as error:
        raise BundleFormatError(
            f"{place} holds half of a surrogate pair, which is no text.", "The file is damaged."
        ) from error


def _too_deep_error(place: str) -> BundleUnsafeError:
    return BundleUnsafeError(
        f"{place} is nested more than {MAX_DEPTH} levels deep.",
        "This is not a bundle written by circuitz.",
    )


def _dict_of_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _parse_finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


def _refuse_nonfinite_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _json_value_with_tagged_floats(value: Any, place: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _too_deep_error(place)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {_FLOAT: str(value)}
    if isinstance(value, (list, tuple)):
        return [
            _json_value_with_tagged_floats(item, f"{place}[{i}]", depth + 1)
            for i, item in enumerate(value)
        ]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise BundleFormatError(
                    f"{place} has the key {key!r}; JSON keys are text.", "Use strings as keys."
                )
            if key == _FLOAT:
                raise BundleFormatError(f"{place} uses the reserved key {_FLOAT!r}.", "Rename it.")
        return {
            key: _json_value_with_tagged_floats(item, f"{place}[{key!r}]", depth + 1)
            for key, item in value.items()
        }
    raise BundleFormatError(
        f"{place} is a {type(value).__name__}, which is not a JSON value.",
        "Use text, numbers, true, false, null, lists and dicts.",
    )


def _restore_nonfinite_floats(value: Any, place: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _too_deep_error(place)
    if isinstance(value, list):
        return [_restore_nonfinite_floats(item, place, depth + 1) for item in value]
    if isinstance(value, dict):
        if set(value) == {_FLOAT}:
            if value[_FLOAT] not in ("nan", "inf", "-inf"):
                raise BundleFormatError(f"{place} holds a number nobody wrote.", "It is damaged.")
            return float(value[_FLOAT])
        return {
            key: _restore_nonfinite_floats(item, place, depth + 1) for key, item in value.items()
        }
    return value
