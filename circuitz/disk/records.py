"""Dataclasses to JSON and back, every field checked against its declared type."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from circuitz.errors import BundleFormatError

T = TypeVar("T")


def encode(record: Any) -> Any:
    """Turn a dataclass into JSON values, leaving out fields that have their default."""
    if isinstance(record, (str, float, int)) and not isinstance(record, np.generic):
        return record
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
    if type(value) is not type(default) or value != default:
        return False
    # -0.0 equals 0.0 and is another value; only numbers can differ so.
    return isinstance(value, str) or repr(value) == repr(default)


def decode(kind: type[T], value: Any, where: str) -> T:
    """Make a dataclass from JSON values.

    Raises
    ------
    BundleFormatError
        If a field is missing, unknown, or not of its declared type.
    """
    if not isinstance(value, dict):
        raise BundleFormatError(f"{where} is not an object.", "The file is damaged.")
    decoders, required = _fields(kind)
    if not (decoders.keys() >= value.keys() >= required):
        unknown, missing = value.keys() - decoders.keys(), required - value.keys()
        what = f"unknown field {min(unknown)!r}" if unknown else f"no field {min(missing)!r}"
        raise BundleFormatError(f"{where} has {what}.", "The file is damaged.")
    made = {name: decoders[name](item, where, name) for name, item in value.items()}
    return kind(**made)


# Reads a value of one declared type; the place and the field's name are for the error message.
Decoder = Callable[[Any, str, str], Any]


@cache
def _fields(kind: type) -> tuple[dict[str, Decoder], frozenset[str]]:
    hints = get_type_hints(kind)
    fields: Any = dataclasses.fields(kind)
    required = frozenset(
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )
    return {field.name: _decoder(hints[field.name]) for field in fields}, required


def _decoder(hint: Any) -> Decoder:
    """Make the function that reads values of a declared type."""
    if hint is Any:
        return lambda value, *_: value
    if dataclasses.is_dataclass(hint):
        kind: Any = hint
        return lambda value, where, name: decode(kind, value, f"{where}.{name}")
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _checked(hint, lambda value: isinstance(value, str) and value in arguments)
    if origin in (Union, types.UnionType):
        inner = _decoder(next(option for option in arguments if option is not type(None)))
        return lambda value, where, name: None if value is None else inner(value, where, name)
    if origin is tuple:
        return _tuple_decoder(hint, arguments)
    if origin is dict:
        return _dict_decoder(hint, _decoder(arguments[1]))
    if hint is float:
        return _float
    if hint is int:
        return _checked(int, lambda value: isinstance(value, int) and not isinstance(value, bool))
    return _checked(hint, lambda value: isinstance(value, hint))


def _wrong(value: Any, where: str, name: str, hint: Any) -> BundleFormatError:
    text = repr(value)
    shown = text if len(text) <= 60 else text[:57] + "..."
    wanted = getattr(hint, "__name__", str(hint))
    return BundleFormatError(f"{where}.{name} is {shown}, not {wanted}.", "The file is damaged.")


def _checked(hint: Any, good: Callable[[Any], bool]) -> Decoder:
    def read(value: Any, where: str, name: str) -> Any:
        if not good(value):
            raise _wrong(value, where, name, hint)
        return value

    return read


def _float(value: Any, where: str, name: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise _wrong(value, where, name, float)
    try:
        return float(value)
    except OverflowError:  # a whole number of more digits than any float has
        raise _wrong(value, where, name, float) from None


def _tuple_decoder(hint: Any, arguments: tuple[Any, ...]) -> Decoder:
    endless = len(arguments) == 2 and arguments[1] is Ellipsis
    decoders = [_decoder(argument) for argument in arguments if argument is not Ellipsis]

    def read(value: Any, where: str, name: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or not (endless or len(value) == len(decoders)):
            raise _wrong(value, where, name, hint)
        each = decoders * len(value) if endless else decoders
        pairs = enumerate(zip(each, value, strict=True))
        return tuple(decoder(item, where, f"{name}[{i}]") for i, (decoder, item) in pairs)

    return read


def _dict_decoder(hint: Any, inner: Decoder) -> Decoder:
    def read(value: Any, where: str, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(value, where, name, hint)
        return {key: inner(item, where, f"{name}[{key!r}]") for key, item in value.items()}

    return read
