"""Which targets an annotation may have, and what was probably meant by one it may not."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from circuitz.errors import UnitError
from circuitz.z.layer import LayerSpec
from circuitz.z.unit import OUTPUT, Unit

GROUP = "group:"
EDGE = "edge:"


def target_units(target: str) -> tuple[str, ...]:
    """Units a target speaks of: one for a unit, all members of a group, both ends of an edge."""
    if target.startswith(GROUP):
        return tuple(part.strip() for part in target[len(GROUP) :].split(",") if part.strip())
    if target.startswith(EDGE):
        start, _, end = target[len(EDGE) :].partition("->")
        return (start.strip(), end.strip())
    return (target,)


def target_sort_key(target: str) -> tuple[Any, ...]:
    """Key that sorts targets by their first unit, indices as numbers."""
    units = target_units(target)
    try:
        return (Unit.parse(units[0]).sort_key, len(units), target)
    except (UnitError, IndexError):
        return ((target, "", 0, ""), len(units), target)


def canonical_target(
    target: str | Unit,
    layers: Sequence[LayerSpec],
    classes: Sequence[str],
    bases: Mapping[str, int] | None = None,
) -> str:
    """Return the target in its one spelling (``conv4:7``, ``group:…`` with sorted members).

    Parameters
    ----------
    target
        Unit, ``group:a,b``, ``edge:a->b`` or ``output:class``.
    layers, classes
        What the model has.
    bases
        Number of directions by basis (``conv4@nmf``).

    Raises
    ------
    UnitError
        If it is malformed or names something the model does not have; the message gives the
        valid range, the hint the nearest valid id.
    """
    if isinstance(target, Unit):
        return _canonical_unit_id(str(target), layers, classes, bases or {})
    if not isinstance(target, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        several = isinstance(target, list | tuple | set)
        raise UnitError(
            f"A {type(target).__name__} is not the id of a unit.",
            "For several units together write group:conv4:1,conv4:2; for each by itself call once a unit."
            if several
            else "Write layer:index, for instance conv4:17, or output:husky for a class.",
        )
    text = target.strip()
    if text.startswith(GROUP):
        members = {
            _canonical_unit_id(part, layers, classes, bases or {}) for part in target_units(text)
        }
        if not members:
            raise UnitError("The group has no members.", "Write group:conv4:1,conv4:2.")
        return GROUP + ",".join(
            str(u) for u in sorted(map(Unit.parse, members), key=_unit_sort_key)
        )
    if text.startswith(EDGE):
        if "->" not in text:
            raise UnitError(f"{text!r} is not an edge.", "Write edge:conv3:1->conv4:2.")
        ends = [
            _canonical_unit_id(part, layers, classes, bases or {}) for part in target_units(text)
        ]
        return EDGE + "->".join(ends)
    return _canonical_unit_id(text, layers, classes, bases or {})


def _unit_sort_key(unit: Unit) -> tuple[str, str, int, str]:
    return unit.sort_key


def _canonical_unit_id(
    text: str, layers: Sequence[LayerSpec], classes: Sequence[str], bases: Mapping[str, int]
) -> str:
    if text in classes:
        raise UnitError(f"{text!r} is a class.", f"Write {OUTPUT}:{text}.")
    unit = Unit.parse(text)
    if unit.is_output:
        if unit.name in classes:
            return str(unit)
        raise UnitError(
            f"The model has no class {unit.name[:80]!r}; it has {_names_up_to_limit(classes)}.",
            _nearest_name_hint([f"{OUTPUT}:{name}" for name in classes], text),
        )
    sizes = {layer.name: layer.size for layer in layers} | dict(bases)
    place = f"{unit.layer}@{unit.basis}" if unit.basis else unit.layer
    # More digits than any layer has units: no number of that length is ever converted.
    index = int(unit.name) if len(unit.name) <= 12 else 10**12
    size = sizes.get(place)
    if size is None:
        near = _nearest_layer(place, [name for name, n in sizes.items() if n])
        hint = f"Did you mean {near}:{min(index, sizes[near] - 1)}?" if near else ""
        raise UnitError(
            f"The model has no layer {place[:80]!r}; it has {_names_up_to_limit(list(sizes))}.",
            hint,
        )
    if index >= size:
        if not size:
            raise UnitError(f"{place} has no units.", "Choose another layer.")
        raise UnitError(
            f"The model has no unit {text[:80]}; {place} has units {place}:0 to {place}:{size - 1}.",
            f"Did you mean {place}:{size - 1}?",
        )
    if unit.position is not None:
        _check_position(unit, layers)
    # "conv4:007" and "conv4:7" are one unit; the log knows only one spelling.
    return str(Unit(unit.layer, str(index), unit.basis, unit.position))


def _check_position(unit: Unit, layers: Sequence[LayerSpec]) -> None:
    spec = next((layer for layer in layers if layer.name == unit.layer), None)
    if spec is None or len(spec.token_axes) != 1:
        raise UnitError(
            f"{str(unit)[:80]!r} names a position; {unit.layer[:80]} has no token positions.",
            f"Write {unit.layer[:80]}:{unit.name}.",
        )
    length = spec.shape[spec.token_axes[0] - 1] if spec.shape else unit.position
    if length is not None and unit.position is not None and unit.position >= max(length, 1):
        raise UnitError(
            f"{str(unit)[:80]!r}: {unit.layer} has positions 0 to {length - 1}.",
            f"Did you mean {unit.layer}:{unit.name}@pos{length - 1}?",
        )


def _nearest_layer(place: str, names: Sequence[str]) -> str:
    """Layer that was probably meant; one of the same last part is nearer than one spelt alike."""
    inner = [name for name in names if name.rpartition(".")[2] == place]
    near = inner or difflib.get_close_matches(place[:200], names, n=1, cutoff=0.0)
    return near[0] if near else ""


def _nearest_name_hint(candidates: Sequence[str], text: str) -> str:
    near = difflib.get_close_matches(text[:200], candidates, n=1, cutoff=0.0)
    return f"Did you mean {near[0]}?" if near else "Name the classes first."


def _names_up_to_limit(names: Sequence[str], limit: int = 8) -> str:
    shown = ", ".join(names[:limit]) or "none"
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
