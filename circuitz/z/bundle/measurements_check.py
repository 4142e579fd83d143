"""Whether the indices in measurements point at anything.

What is read from a bundle is used to look pictures and units up: an index beyond them would be an
error far from where it came from, or, being negative, silently another picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import BundleFormatError
from circuitz.z.inputs import SPLITS
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements

# -1 stands for "there is none" in all of these.
_OF_IMAGES = ("exemplars", "spectrum", "relevant")
_OF_UNITS = ("neighbours",)


def check_layer_indices(layer: LayerMeasurements, place: str) -> None:
    """Refuse a layer whose exemplars, neighbours and the like are not among what was measured.

    Raises
    ------
    BundleFormatError
        Naming the file and the field.
    """
    images, units = layer.responses.shape
    # A sweep of very many images keeps no responses, and their number is not known here.
    known = images or None
    for names, limit, of in ((_OF_IMAGES, known, "images"), (_OF_UNITS, units, "units")):
        for name in names:
            _check_index_range(getattr(layer, name, None), -1, limit, f"{place}: {name}", of)


def check_effect_indices(effects: EffectMeasurements, place: str) -> None:
    """Refuse effects of images in splits that there are not.

    Raises
    ------
    BundleFormatError
        Naming the file and the field.
    """
    _check_index_range(effects.split, 0, len(SPLITS), f"{place}: split", "splits")
    _check_index_range(effects.source, 0, None, f"{place}: source", "images")
    concepts = effects.concepts
    if concepts is not None:
        _check_index_range(concepts.split, 0, len(SPLITS), f"{place}: concepts.split", "splits")
        _check_index_range(concepts.of, 0, len(concepts.names), f"{place}: concepts.of", "concepts")


def _check_index_range(
    values: npt.NDArray[Any] | None, least: int, limit: int | None, what: str, noun: str
) -> None:
    if values is None or not values.size:
        return
    low, high = int(np.min(values)), int(np.max(values))
    if low < least or (limit is not None and high >= limit):
        there = "" if limit is None else f", but there are {limit:,} {noun}"
        raise BundleFormatError(
            f"{what} names {noun} {low:,} to {high:,}{there}.",
            "The bundle was not written by circuitz; measure again, or restore it from a copy.",
        )
