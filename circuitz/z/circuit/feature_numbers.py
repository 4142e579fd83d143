"""Numbers in files of attribution graphs: of features, of their layers, and finite ones."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from circuitz.errors import GraphError

SCHEMA = 1


def cantor_pair(layer: int, index: int) -> int:
    """Return the one number that stands for a layer and an index."""
    return (layer + index) * (layer + index + 1) // 2 + index


def cantor_unpair(number: int) -> tuple[int, int]:
    """Return layer and index of a number that :func:`cantor_pair` made."""
    diagonal = (math.isqrt(8 * number + 1) - 1) // 2
    index = number - diagonal * (diagonal + 1) // 2
    return diagonal - index, index


def unit_index_of_record(item: Mapping[str, Any], layer: str, version: Any) -> int | str:
    """Return the index of a unit in its layer, or its id where the file says none.

    Ids are ``layer_index_position`` in all files that are known, so they tell where ``feature`` is
    null or does not fit; files without a version number it in more than one way.
    """
    key = str(item["node_id"])
    parts = re.fullmatch(rf"{re.escape(layer)}_(\d{{1,12}})_\d+", key)
    feature = item["feature"]
    if feature is None:
        return int(parts[1]) if parts else re.sub(r"[\s:@,]+", "_", key)
    number = int(feature)
    if parts and layer.isdigit() and version != SCHEMA:
        return int(parts[1])
    try:
        return unit_index_from_feature(number, layer, version)
    except GraphError:
        if not parts:
            raise
        return int(parts[1])


def unit_index_from_feature(feature: int, layer: str, version: Any) -> int:
    """Return the index of a unit in its layer from the number that stands for both.

    Raises
    ------
    GraphError
        If the number does not belong to the layer.
    """
    if not layer.isdigit():
        return feature
    if version == SCHEMA:
        home, index = cantor_unpair(feature)
        if home != int(layer):
            raise GraphError(f"Feature {feature} belongs to layer {home}, not {layer}.", "")
        return index
    digits = str(feature)
    if int(layer) == 0:
        return feature
    if not digits.startswith(layer) or len(digits) == len(layer):
        raise GraphError(f"Feature {feature} does not belong to layer {layer}.", "")
    return int(digits[len(layer) :])


def require_finite_number(value: Any) -> float:
    """Return a number of a file.

    Raises
    ------
    GraphError
        If it is none, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise GraphError(f"{value!r} is no number.", "The file is damaged.")
    return float(value)


def none_or_finite_number(value: Any) -> float | None:
    """Return a number of a file, or ``None`` where it has none (see :func:`require_finite_number`)."""
    return None if value is None else require_finite_number(value)
