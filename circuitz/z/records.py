"""Dataclasses to JSON and back, every field checked against its declared type."""

from __future__ import annotations

import dataclasses
import types
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from circuitz.errors import BundleFormatError

T = TypeVar("T")


def encode(record: Any) -> Any:
    """Turn a dataclass into JSON values, leaving out fields that have their default."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        found: dict[str, Any] = {}
        for field in dataclasses.fields(record):
            value = getattr(record, field.name)
            if field.default is dataclasses.MISSING or not _same(value, field.default):
                found[field.name] = encode(value)
        return found
    if isinstance(record, np.generic):
        return record.item()
    if isinstance(record, (list, tuple)):
        return [encode(item) for item in record]
    if isinstance(record, dict):
        return {key: encode(item) for key, item in record.items()}
    return record


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and value == default and repr(value) == repr(default)


def decode(kind: type[T], value: Any, where: str) -> T:
    """Make a dataclass from JSON values.

    Raises
    ------
    BundleFormatError
        If a field is missing, unknown, or not of its declared type.
    """
    if not isinstance(value, dict):
        raise BundleFormatError(f"{where} is not an object.", "The file is damaged.")
    hints, required = _fields(kind)
    unknown = set(value) - set(hints)
    missing = required - set(value)
    if unknown or missing:
        what = f"unknown field {min(unknown)!r}" if unknown else f"no field {min(missing)!r}"
        raise BundleFormatError(f"{where} has {what}.", "The file is damaged.")
    made = {name: _decode(hints[name], item, f"{where}.{name}") for name, item in value.items()}
    return kind(**made)


@cache
def _fields(kind: type) -> tuple[dict[str, Any], frozenset[str]]:
    hints = get_type_hints(kind)
    fields: Any = dataclasses.fields(kind)
    required = frozenset(
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )
    return {field.name: hints[field.name] for field in fields}, required


def _decode(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return decode(hint, value, where)  # pyright: ignore[reportArgumentType]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal and value in arguments:
        return value
    if origin in (Union, types.UnionType):
        options = [option for option in arguments if option is not type(None)]
        return None if value is None else _decode(options[0], value, where)
    if origin is tuple and isinstance(value, list):
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_decode(arguments[0], v, f"{where}[{i}]") for i, v in enumerate(value))
        if len(arguments) == len(value):
            pairs = zip(arguments, value, strict=True)
            return tuple(_decode(a, v, f"{where}[{i}]") for i, (a, v) in enumerate(pairs))
    if origin is dict and isinstance(value, dict):
        return {
            key: _decode(arguments[1], item, f"{where}[{key!r}]") for key, item in value.items()
        }
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if hint in (str, bool) and isinstance(value, hint):
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    raise BundleFormatError(f"{where} is {_short(value)}, not {hint}.", "The file is damaged.")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
