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
            if field.default is dataclasses.MISSING or not _is_default(value, field.default):
                found[field.name] = encode(value)
        return found
    if isinstance(record, np.generic):
        return record.item()
    if isinstance(record, (list, tuple)):
        return [encode(item) for item in record]
    if isinstance(record, dict):
        return {key: encode(item) for key, item in record.items()}
    return record


def _is_default(value: Any, default: Any) -> bool:
    if type(value) is not type(default) or value != default:
        return False
    # -0.0 equals 0.0 and is another value; only numbers can differ so.
    return isinstance(value, str) or repr(value) == repr(default)


def decode(kind: type[T], value: Any, place: str) -> T:
    """Make a dataclass from JSON values.

    Raises
    ------
    BundleFormatError
        If a field is missing, unknown, or not of its declared type.
    """
    if not isinstance(value, dict):
        raise BundleFormatError(f"{place} is not an object.", "The file is damaged.")
    decoders, required = _field_decoders_and_required(kind)
    if not (decoders.keys() >= value.keys() >= required):
        unknown, missing = value.keys() - decoders.keys(), required - value.keys()
        what = f"unknown field {min(unknown)!r}" if unknown else f"no field {min(missing)!r}"
        raise BundleFormatError(f"{place} has {what}.", "The file is damaged.")
    made = {name: decoders[name](item, place, name) for name, item in value.items()}
    return kind(**made)


# Reads a value of one declared type; the place and the field's name are for the error message.
Decoder = Callable[[Any, str, str], Any]


@cache
def _field_decoders_and_required(kind: type) -> tuple[dict[str, Decoder], frozenset[str]]:
    hints = get_type_hints(kind)
    fields: Any = dataclasses.fields(kind)
    required = frozenset(
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )
    return {field.name: _decoder_of_type(hints[field.name]) for field in fields}, required


def _decoder_of_type(hint: Any) -> Decoder:
    """Make the function that reads values of a declared type."""
    if hint is Any:
        return lambda value, *_: value
    if dataclasses.is_dataclass(hint):
        kind: Any = hint
        return lambda value, where, name: decode(kind, value, f"{where}.{name}")
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _checking_decoder(hint, lambda value: isinstance(value, str) and value in arguments)
    if origin in (Union, types.UnionType):
        inner = _decoder_of_type(next(option for option in arguments if option is not type(None)))
        return lambda value, where, name: None if value is None else inner(value, where, name)
    if origin is tuple:
        return _tuple_decoder(hint, arguments)
    if origin is dict:
        return _dict_decoder(hint, _decoder_of_type(arguments[1]))
    if hint is float:
        return _decode_float
    if hint is int:
        return _checking_decoder(
            int, lambda value: isinstance(value, int) and not isinstance(value, bool)
        )
    return _checking_decoder(hint, lambda value: isinstance(value, hint))


def _wrong_type_error(value: Any, place: str, name: str, hint: Any) -> BundleFormatError:
    text = repr(value)
    shown = text if len(text) <= 60 else text[:57] + "..."
    wanted = getattr(hint, "__name__", str(hint))
    return BundleFormatError(f"{place}.{name} is {shown}, not {wanted}.", "The file is damaged.")


def _checking_decoder(hint: Any, good: Callable[[Any], bool]) -> Decoder:
    def decode_checked(value: Any, place: str, name: str) -> Any:
        if not good(value):
            raise _wrong_type_error(value, place, name, hint)
        return value

    return decode_checked


def _decode_float(value: Any, place: str, name: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise _wrong_type_error(value, place, name, float)
    try:
        return float(value)
    except OverflowError:  # a whole number of more digits than any float has
        raise _wrong_type_error(value, place, name, float) from None


def _tuple_decoder(hint: Any, arguments: tuple[Any, ...]) -> Decoder:
    endless = len(arguments) == 2 and arguments[1] is Ellipsis
    decoders = [_decoder_of_type(argument) for argument in arguments if argument is not Ellipsis]

    def decode_tuple(value: Any, place: str, name: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or not (endless or len(value) == len(decoders)):
            raise _wrong_type_error(value, place, name, hint)
        each = decoders * len(value) if endless else decoders
        pairs = enumerate(zip(each, value, strict=True))
        return tuple(decoder(item, place, f"{name}[{i}]") for i, (decoder, item) in pairs)

    return decode_tuple


def _dict_decoder(hint: Any, inner: Decoder) -> Decoder:
    def decode_dict(value: Any, place: str, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong_type_error(value, place, name, hint)
        return {key: inner(item, place, f"{name}[{key!r}]") for key, item in value.items()}

    return decode_dict
