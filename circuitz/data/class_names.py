"""Read the names of classes from whatever a person keeps them in, in the order of their numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Set
from typing import Any, cast

import numpy as np

from circuitz.data.folders.name_forms import caseless_name
from circuitz.errors import InputsError

_IN_ORDER = "Give a list of names in the order of the logits, or a dict {name: number}."


def read_class_names(classes: object, *, alike: bool = False) -> tuple[str, ...]:
    """Return the names of classes in the order of their numbers.

    Parameters
    ----------
    classes
        Names in order: any sequence, array or index; or a mapping, of names to numbers from 0
        (``class_to_idx``) or of numbers to names (``id2label``).
    alike
        Whether names may differ in case, or in space at their ends, alone; tokens do.

    Raises
    ------
    InputsError
        If they have no order, as a set has none; if numbers are left out or given twice; or if
        two names are one.
    """
    if isinstance(classes, (str, bytes)):
        text = classes if isinstance(classes, str) else classes.decode("utf-8", "replace")
        raise InputsError(f"Class names are the single text {text[:60]!r}.", _IN_ORDER)
    if isinstance(classes, (set, frozenset)):
        raise InputsError("Class names are a set, which has no order.", _IN_ORDER)
    if isinstance(classes, Mapping):
        names = _names_by_number(cast(Mapping[Any, Any], classes))
    elif isinstance(classes, Iterable):
        names = [_class_name(one) for one in _plain_items(cast(Iterable[Any], classes))]
    else:
        raise InputsError(f"Class names are a {type(classes).__name__}.", _IN_ORDER)
    _check_told_apart(names, alike)
    return tuple(names)


def chosen_class_names(classes: object) -> tuple[str, ...]:
    """Return names that choose among classes, whose order is of no matter: sets too."""
    chosen = sorted(map(str, cast(Set[Any], classes))) if isinstance(classes, Set) else classes
    return read_class_names(chosen, alike=True)


def _plain_items(values: Iterable[Any]) -> list[Any]:
    """Return the items of a sequence, array, tensor or index."""
    shape = getattr(values, "shape", None)
    if shape is not None and len(shape) != 1:
        raise InputsError(f"Class names are of shape {tuple(shape)}.", "Give them in one row.")
    return list(values.tolist() if hasattr(values, "tolist") else values)  # pyright: ignore


def _class_name(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if value is None or value != value or not text.strip():  # noqa: PLR0124 (NaN)
        raise InputsError("A class has no name.", "Give one name a logit, in their order.")
    return text


def _names_by_number(table: Mapping[Any, Any]) -> list[str]:
    """Return names in the order of their numbers, whichever of the two are the keys."""
    keys, values = list(table), list(table.values())
    numbers = (_are_numbers(keys), _are_numbers(values))
    if numbers == (True, True):
        # Words that look like numbers beside numbers: the words are the names.
        numbers = (_are_numbers(keys, text=False), _are_numbers(values, text=False))
    if numbers[0] == numbers[1]:
        raise InputsError(
            "Which side of the dict of classes are names, and which numbers, cannot be told.",
            "Give {name: number} or {number: name}, numbers being whole and counted from 0.",
        )
    pairs = zip(keys, values, strict=True) if numbers[0] else zip(values, keys, strict=True)
    named: dict[int, str] = {}
    for number, value in pairs:
        name, at = _class_name(value), int(number)
        if at in named:
            raise InputsError(
                f"Classes {named[at]!r} and {name!r} both have number {at}.",
                "Give each class its own number, from 0.",
            )
        named[at] = name
    absent = [i for i in range(len(named)) if i not in named]
    if absent:
        stray = min(at for at in named if not 0 <= at < len(named))
        raise InputsError(
            f"No class has number {absent[0]}, and {named[stray]!r} has number {stray}.",
            "Number classes from 0 without gaps, one number a logit.",
        )
    return [named[i] for i in range(len(named))]


def _are_numbers(values: list[Any], text: bool = True) -> bool:
    """Whether all are whole numbers, or text that is one, as the keys of JSON are."""
    return all(
        (isinstance(v, (int, np.integer)) and not isinstance(v, bool))
        or (text and isinstance(v, str) and v.isdecimal())
        for v in values
    )


def _check_told_apart(names: list[str], alike: bool) -> None:
    """Refuse two names that are one, or that people and screens cannot tell apart."""
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        form = unicodedata.normalize("NFC", name) if alike else caseless_name(name)
        if form in seen:
            raise InputsError(
                f"Classes {seen[form]} and {i} have one name: {names[seen[form]]!r} and {name!r}.",
                "Give each class its own name, different in more than case or space.",
            )
        seen[form] = i
