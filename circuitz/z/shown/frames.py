"""z as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from circuitz.z.annotation import Annotation
from circuitz.z.layer import LayerSpec
from circuitz.z.targets import target_sort_key

if TYPE_CHECKING:
    from circuitz.z.measurements import Measurements

UNIT_COLUMNS = {
    "unit": "str",
    "layer": "str",
    "index": "int64",
    "annotation": "str",
    "concepts": "object",
    "author_kind": "str",
    "confidence": "float64",
    "mean": "float64",
    "max": "float64",
    "drives": "str",
    "drive": "float64",
    "in_cut": "bool",
}
ANNOTATION_COLUMNS = {
    "target": "str",
    "text": "str",
    "concepts": "object",
    "author": "str",
    "author_kind": "str",
    "confidence": "float64",
    "time": "str",
    "id": "str",
}


def typed_frame(rows: Iterable[Sequence[Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Make a table whose columns have their dtypes even when it is empty.

    Without them, choosing rows of an empty table by a column of truths is an error.

    Parameters
    ----------
    rows
        Values in the order of the columns.
    columns
        Dtype by name.
    """
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    series = {
        name: pd.Series(list(column), dtype=kind)
        for (name, kind), column in zip(columns.items(), values, strict=True)
    }
    return pd.DataFrame(series)


def annotations_frame(effective: Mapping[str, Annotation]) -> pd.DataFrame:
    """Annotations in force, one row a target, in the order of units."""
    ordered = (effective[target] for target in sorted(effective, key=target_sort_key))
    rows = ([getattr(entry, name) for name in ANNOTATION_COLUMNS] for entry in ordered)
    return typed_frame(rows, ANNOTATION_COLUMNS)


def units_frame(
    layers: Sequence[LayerSpec],
    cut: Sequence[str],
    bases: Mapping[str, int],
    effective: Mapping[str, Annotation],
    measurements: Measurements | None,
) -> pd.DataFrame:
    """Every unit, one row each; what was not measured is NaN."""
    drives = _most_raised_class_by_unit(measurements)
    places = [(layer.name, layer.name, layer.size) for layer in layers]
    places += [(place, place.partition("@")[0], size) for place, size in bases.items()]
    nothing = ("", (), "", np.nan)
    rows: list[tuple[Any, ...]] = []
    for place, layer, size in places:
        means, peaks = _means_and_peaks(measurements, place, size)
        for index in range(size):
            unit = f"{place}:{index}"
            entry = effective.get(unit)
            said = nothing
            if entry is not None:
                said = (entry.text, entry.concepts, entry.author_kind, entry.confidence)
            drive = drives.get(unit, ("", np.nan))
            rows.append(
                (unit, layer, index, *said, means[index], peaks[index], *drive, place in cut)
            )
    return typed_frame(rows, UNIT_COLUMNS)


def _means_and_peaks(
    measurements: Measurements | None, place: str, size: int
) -> tuple[Sequence[float], Sequence[float]]:
    """Mean response and largest peak of each unit of a layer."""
    measured = measurements.layers.get(place) if measurements else None
    found = None if measured is None else measured.statistics
    if found is not None and len(found) == size:
        return found[:, 0].tolist(), found[:, 4].tolist()
    if measured is None or not len(measured.responses) or measured.responses.shape[1] != size:
        unknown = [float("nan")] * size
        return unknown, unknown
    return measured.responses.mean(axis=0).tolist(), measured.peaks.max(axis=0).tolist()


def _most_raised_class_by_unit(measurements: Measurements | None) -> dict[str, tuple[str, float]]:
    """Class each unit of the cut raises most, and by how much of that class's whole effect."""
    effects = measurements.effects if measurements else None
    if effects is None or not effects.targets or not len(effects.drive):
        return {}
    best = np.nan_to_num(effects.drive, nan=-np.inf).argmax(axis=1)
    return {
        unit: (effects.targets[int(best[row])], float(effects.drive[row, best[row]]))
        for row, unit in enumerate(effects.units)
    }
