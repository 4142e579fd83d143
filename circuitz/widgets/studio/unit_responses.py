"""What a unit responds to beyond its exemplars: to each class, at every strength, with whom.

No torch, no widget: all of it was measured before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import MeasurementError, UnitError
from circuitz.responses.token_grid import images_or_token_pictures
from circuitz.widgets.studio import sprite_sheets
from circuitz.widgets.studio.studio_payload import finite_or_none, fitting_layer_measurements
from circuitz.z.inputs import InputSet
from circuitz.z.measurements import STATISTICS, LayerMeasurements
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

I64 = npt.NDArray[np.int64]

#: Levels of the activation spectrum, in the order of its rows.
LEVELS = ("smallest", "low", "middle", "largest")
MOST_CLASSES = 12
_SIDE = 112


def locate_unit_measurements(
    z: AnnotatedModel, unit: str
) -> tuple[str, int, LayerMeasurements | None]:
    """Return the layer or basis a unit is measured under, its index there, and what is known.

    Raises
    ------
    UnitError
        If that is no unit, or there are fewer.
    """
    parsed = Unit.parse(unit)
    name = f"{parsed.layer}@{parsed.basis}" if parsed.basis else parsed.layer
    layer = fitting_layer_measurements(z, name)
    if layer is not None and parsed.index >= len(layer.exemplars):
        raise UnitError(
            f"There is no unit {unit}.", f"{name} has units 0 to {len(layer.exemplars) - 1}."
        )
    return name, parsed.index, layer


def unit_statistics_and_neighbours(z: AnnotatedModel, unit: str) -> dict[str, Any]:
    """Return the figures of a unit that need no picture.

    Returns
    -------
    ``statistics``, ``quality`` and ``neighbours``, each empty where it was not measured, and
    ``more``: whether there are rows of pictures to ask for (:func:`spectrum_and_relevance_payload`).
    """
    name, index, layer = locate_unit_measurements(z, unit)
    found: dict[str, Any] = {"statistics": {}, "quality": {}, "neighbours": [], "more": False}
    if layer is None:
        return found
    if layer.statistics is not None:
        values = layer.statistics[index]
        found["statistics"] = {
            k: finite_or_none(v) for k, v in zip(STATISTICS, values, strict=True)
        }
    scores = {
        "clarity": layer.clarity,
        "polysemanticity": layer.polysemanticity,
        "redundancy": layer.redundancy,
    }
    if all(score is not None for score in scores.values()):
        known = {k: finite_or_none(s[index]) for k, s in scores.items() if s is not None}
        found["quality"] = {**known, "embedding": layer.embedding}
    if layer.neighbours is not None and layer.neighbour_correlation is not None:
        found["neighbours"] = [
            {"unit": f"{name}:{other}", "correlation": finite_or_none(how_much)}
            for other, how_much in zip(
                layer.neighbours[index], layer.neighbour_correlation[index], strict=True
            )
            if other >= 0
        ]
    found["more"] = z.concept_set is not None and (
        layer.spectrum is not None or layer.relevant is not None
    )
    return found


def spectrum_and_relevance_payload(
    z: AnnotatedModel, unit: str
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return rows of pictures: the activation spectrum, and exemplars by relevance to classes.

    Returns
    -------
    ``spectrum`` and ``relevant``, rows of cells that say which picture of the strip they show,
    and the strip (PNG), each picture in it once. Classes come in the order of the unit's share;
    at most twelve, ``unlisted`` counts the others.

    Raises
    ------
    MeasurementError
        If they were not measured, or the concept set is not at hand.
    """
    _, index, layer = locate_unit_measurements(z, unit)
    known = z.concept_set
    if layer is None or known is None:
        raise MeasurementError(
            f"{unit} has no pictures here.", "Measure: cz.measure(z, concept_set)."
        )
    levels = _activation_spectrum_rows(layer, index, known)
    classes = _class_relevance_rows(layer, index, known, z.classes)
    listed = classes[:MOST_CLASSES]
    images = sorted({cell["image"] for row in (*levels, *listed) for cell in row["cells"]})
    place = {image: i for i, image in enumerate(images)}
    for row in (*levels, *listed):
        for cell in row["cells"]:
            cell["at"] = place[cell["image"]]
    answer: dict[str, Any] = {
        "unit": unit,
        "spectrum": levels,
        "relevant": listed,
        "unlisted": len(classes) - len(listed),
        "size": [0, 0],
    }
    if not images:
        return answer, {}
    strip, size = sprite_sheets.encode_picture_strip(images_or_token_pictures(known), images, _SIDE)
    return {**answer, "size": list(size)}, {"strip": strip}


def _activation_spectrum_rows(
    layer: LayerMeasurements, index: int, concept_set: InputSet
) -> list[dict[str, Any]]:
    if layer.spectrum is None:
        return []
    found: list[dict[str, Any]] = []
    for level, images in zip(LEVELS, layer.spectrum[index], strict=True):
        cells = [
            _picture_cell(i, concept_set, response=_peak_on_image(layer, i, index))
            for i in _images_within_concept_set(images, concept_set)
        ]
        found.append({"name": level, "cells": cells})
    return [row for row in found if row["cells"]]


def _class_relevance_rows(
    layer: LayerMeasurements, index: int, concept_set: InputSet, classes: tuple[str, ...]
) -> list[dict[str, Any]]:
    if layer.relevant is None or layer.relevance is None:
        return []
    found: list[dict[str, Any]] = []
    for k, name in enumerate(classes[: layer.relevant.shape[1]]):
        shares = dict(
            zip(layer.relevant[index, k].tolist(), layer.relevance[index, k], strict=True)
        )
        cells = [
            _picture_cell(
                i,
                concept_set,
                response=_peak_on_image(layer, i, index),
                share=finite_or_none(shares[i]),
            )
            for i in _images_within_concept_set(layer.relevant[index, k], concept_set)
        ]
        if cells:
            found.append({"name": name, "cells": cells})
    return sorted(found, key=lambda row: -max(cell["share"] or 0 for cell in row["cells"]))


def _images_within_concept_set(images: I64, concept_set: InputSet) -> list[int]:
    return [int(i) for i in images if 0 <= i < len(concept_set)]


def _peak_on_image(layer: LayerMeasurements, image: int, index: int) -> float | None:
    return finite_or_none(layer.peaks[image, index]) if image < len(layer.peaks) else None


def _picture_cell(image: int, concept_set: InputSet, **figures: float | None) -> dict[str, Any]:
    return {"image": image, "shows": concepts_labelled_on_image(concept_set, image), **figures}


def concepts_labelled_on_image(concept_set: InputSet, image: int) -> list[str]:
    """Return the concepts an image of the concept set is labelled with."""
    if concept_set.concepts is None:
        return []
    labels = zip(concept_set.concept_names, concept_set.concepts[image], strict=True)
    return [name for name, yes in labels if yes == 1]
