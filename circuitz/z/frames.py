"""z as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from circuitz.z.annotation import Annotation
from circuitz.z.layer import LayerSpec
from circuitz.z.targets import target_key

if TYPE_CHECKING:
    from circuitz.z.measurements import Measurements

UNIT_COLUMNS = (
    "unit",
    "layer",
    "index",
    "annotation",
    "concepts",
    "author_kind",
    "confidence",
    "mean",
    "max",
    "drives",
    "drive",
    "in_cut",
)
ANNOTATION_COLUMNS = (
    "target",
    "text",
    "concepts",
    "author",
    "author_kind",
    "confidence",
    "time",
    "id",
)


def annotations_frame(effective: Mapping[str, Annotation]) -> pd.DataFrame:
    """Annotations in force, one row a target, in the order of units."""
    rows = [
        {name: getattr(effective[target], name) for name in ANNOTATION_COLUMNS}
        for target in sorted(effective, key=target_key)
    ]
    return pd.DataFrame(rows, columns=list(ANNOTATION_COLUMNS))


def units_frame(
    layers: Sequence[LayerSpec],
    cut: Sequence[str],
    bases: Mapping[str, int],
    effective: Mapping[str, Annotation],
    measurements: Measurements | None,
) -> pd.DataFrame:
    """Every unit, one row each; what was not measured is NaN."""
    drives = _drives(measurements)
    places = [(layer.name, layer.name, layer.size) for layer in layers]
    places += [(place, place.partition("@")[0], size) for place, size in bases.items()]
    rows: list[dict[str, Any]] = []
    for place, layer, size in places:
        measured = measurements.layers.get(place) if measurements else None
        mean = peak = np.full(size, np.nan)
        if measured is not None and len(measured.responses):
            mean, peak = measured.responses.mean(axis=0), measured.peaks.max(axis=0)
        for index in range(size):
            unit = f"{place}:{index}"
            said = effective.get(unit)
            drive = drives.get(unit, ("", float("nan")))
            rows.append(
                {
                    "unit": unit,
                    "layer": layer,
                    "index": index,
                    "annotation": said.text if said else "",
                    "concepts": said.concepts if said else (),
                    "author_kind": said.author_kind if said else "",
                    "confidence": said.confidence if said else float("nan"),
                    "mean": float(mean[index]) if index < len(mean) else float("nan"),
                    "max": float(peak[index]) if index < len(peak) else float("nan"),
                    "drives": drive[0],
                    "drive": drive[1],
                    "in_cut": layer in cut,
                }
            )
    return pd.DataFrame(rows, columns=list(UNIT_COLUMNS))


def _drives(measurements: Measurements | None) -> dict[str, tuple[str, float]]:
    """Class each unit of the cut raises most, and by how much of that class's whole effect."""
    effects = measurements.effects if measurements else None
    if effects is None or not effects.targets or not len(effects.drive):
        return {}
    best = np.nan_to_num(effects.drive, nan=-np.inf).argmax(axis=1)
    return {
        unit: (effects.targets[int(best[row])], float(effects.drive[row, best[row]]))
        for row, unit in enumerate(effects.units)
    }
