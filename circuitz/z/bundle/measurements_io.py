"""Measurements as files: one safetensors file a layer, one for effects, PNG pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.disk.json_io import dumps, loads
from circuitz.disk.tensors_io import read_safetensors_in_place, safetensors_bytes
from circuitz.errors import BundleFormatError, MeasurementError
from circuitz.z.measurements import (
    ConceptEffects,
    EffectMeasurements,
    LayerMeasurements,
    Measurements,
)

Array = npt.NDArray[Any]
_META = "circuitz"

# Name, dtype and axes; axes of one name have one length throughout a file.
_LAYER: dict[str, tuple[str, str]] = {
    "responses": ("float32", "nu"),
    "peaks": ("float32", "nu"),
    "exemplars": ("int64", "ue"),
    "exemplar_boxes": ("int16", "ue4"),
    "exemplar_heat": ("uint8", "uehw"),
    "histogram": ("int64", "ub"),
    "histogram_edges": ("float32", "uc"),
    "visualisations": ("uint8", "uHW3"),
    "statistics": ("float32", "u5"),
    "spectrum": ("int64", "u43"),
    "clarity": ("float32", "u"),
    "polysemanticity": ("float32", "u"),
    "redundancy": ("float32", "u"),
    "neighbours": ("int64", "um"),
    "neighbour_correlation": ("float32", "um"),
    "relevant": ("int64", "ukr"),
    "relevance": ("float32", "ukr"),
}
# Texts that say what a layer's were made with.
_ABOUT = ("embedding", "values")
_LATER = frozenset(list(_LAYER)[list(_LAYER).index("visualisations") :])
_EFFECTS: dict[str, tuple[str, str]] = {
    "scale": ("float32", "k"),
    "sufficiency": ("float32", "nuk"),
    "necessity": ("float32", "nuk"),
    "split": ("uint8", "n"),
    "scene": ("int64", "n"),
    "source": ("int64", "n"),
    "drive": ("float32", "uk"),
    "drive_error": ("float32", "uk"),
    "span": ("float32", "u"),
    "group_sufficiency": ("float32", "gnk"),
    "group_necessity": ("float32", "gnk"),
    "margin": ("float32", "nk"),
}

# What concepts do, in the same file; absent where it was not measured.
_CONCEPTS: dict[str, tuple[str, str]] = {
    "of": ("int64", "t"),
    "present": ("int64", "t"),
    "absent": ("int64", "t"),
    "split": ("uint8", "t"),
    "scene": ("int64", "t"),
    "whole": ("float32", "tk"),
    "rest": ("float32", "tk"),
}
_PREFIX = "concepts."
_BOTH = _EFFECTS | {_PREFIX + name: axes for name, axes in _CONCEPTS.items()}
_OF_CONCEPTS = frozenset(_BOTH) - frozenset(_EFFECTS)
# Measurements of old lack them.
_OPTIONAL = _OF_CONCEPTS | {"margin", "drive_error"}
# What they hold that nobody reads any more.
_RETIRED = frozenset({"concepts.unit"})


def encode_layer(layer: LayerMeasurements) -> bytes:
    """Write one layer's measurements; NaN is kept bit for bit.

    Raises
    ------
    MeasurementError
        If an array has another dtype or shape than its field says.
    """
    arrays = _arrays_of_fields(layer, _LAYER)
    _check_dtypes_and_axis_lengths(
        arrays, _LAYER, f"Measurements of {layer.layer}", MeasurementError
    )
    about = {name: getattr(layer, name) for name in _ABOUT}
    meta = {"layer": layer.layer} | {name: text for name, text in about.items() if text}
    return safetensors_bytes(arrays, {_META: dumps(meta).decode()})


def decode_layer(buffer: memoryview, place: str) -> LayerMeasurements:
    """Read one layer's measurements in place.

    Raises
    ------
    BundleFormatError
        If the file holds something else.
    """
    arrays, meta = _read_arrays_and_header(buffer, place, _LAYER, optional=_LATER)
    layer: Any = meta.get("layer")
    embedding, values = (meta.get(name, "") for name in _ABOUT)
    if not all(isinstance(text, str) for text in (layer, embedding, values)):
        raise BundleFormatError(f"{place} names no layer.", "The file is damaged.")
    return LayerMeasurements(layer=layer, embedding=embedding, values=values, **arrays)


def encode_effects(effects: EffectMeasurements) -> bytes:
    """Write effects; NaN is kept bit for bit.

    Raises
    ------
    MeasurementError
        If an array has another dtype or shape than its field says.
    """
    arrays, concepts = _arrays_of_fields(effects, _EFFECTS), effects.concepts
    meta: dict[str, Any] = {
        "units": list(effects.units),
        "targets": list(effects.targets),
        "groups": [list(group) for group in effects.groups],
        "seed": int(effects.seed),
    }
    if concepts is not None:
        arrays |= {
            _PREFIX + name: array for name, array in _arrays_of_fields(concepts, _CONCEPTS).items()
        }
        meta["concepts"] = list(concepts.names)
        meta["left_out"] = [list(units) for units in concepts.left_out]
    _check_dtypes_and_axis_lengths(
        arrays, _BOTH, "Effects", MeasurementError, _axis_lengths(effects)
    )
    return safetensors_bytes(arrays, {_META: dumps(meta).decode()})


def decode_effects(buffer: memoryview, place: str) -> EffectMeasurements:
    """Read effects in place.

    Raises
    ------
    BundleFormatError
        If the file holds something else.
    """
    arrays, meta = _read_arrays_and_header(buffer, place, _BOTH, optional=_OPTIONAL)
    concepts = _decode_concept_effects(arrays, meta, place)
    texts = [*_list_or_list_of_none(meta, "units"), *_list_or_list_of_none(meta, "targets")]
    groups = _list_or_list_of_none(meta, "groups")
    good = all(isinstance(group, list) for group in groups)
    texts += [unit for group in groups if isinstance(group, list) for unit in group]
    seed = meta.get("seed")
    # By their types: there may be a hundred thousand.
    if not good or set(map(type, texts)) - {str} or not isinstance(seed, int):
        raise BundleFormatError(f"{place} lacks its units or targets.", "The file is damaged.")
    effects = EffectMeasurements(
        units=tuple(meta["units"]),
        targets=tuple(meta["targets"]),
        groups=tuple(tuple(group) for group in meta["groups"]),
        seed=seed,
        concepts=concepts,
        **{name: array for name, array in arrays.items() if name in _EFFECTS},
    )
    _check_dtypes_and_axis_lengths(arrays, _BOTH, place, BundleFormatError, _axis_lengths(effects))
    return effects


def _decode_concept_effects(
    arrays: dict[str, Array], meta: dict[str, Any], place: str
) -> ConceptEffects | None:
    held = _OF_CONCEPTS & set(arrays)
    if not held:
        return None
    names, left_out = (
        _list_or_list_of_none(meta, "concepts"),
        _list_or_list_of_none(meta, "left_out"),
    )
    texts = [*names, *(unit for some in left_out if isinstance(some, list) for unit in some)]  # pyright: ignore[reportUnknownVariableType]
    good = held == _OF_CONCEPTS and len(names) == len(left_out) and set(map(type, texts)) <= {str}  # pyright: ignore[reportUnknownArgumentType]
    if not good or not all(isinstance(some, list) for some in left_out):
        raise BundleFormatError(f"{place} lacks the concepts it speaks of.", "It is damaged.")
    return ConceptEffects(
        names=tuple(names),
        left_out=tuple(tuple(some) for some in left_out),
        **{name: arrays[_PREFIX + name] for name in _CONCEPTS},
    )


def measurements_manifest(measurements: Measurements) -> dict[str, Any]:
    """Say what the manifest records about measurements besides their files."""
    return {
        "weights_hash": measurements.weights_hash,
        "concepts_hash": measurements.concepts_hash,
        "data_hash": measurements.data_hash,
        "group_pictures": {k: list(v) for k, v in measurements.group_pictures.items()},
        "seed": int(measurements.seed),
    }


def _axis_lengths(effects: EffectMeasurements) -> dict[str, int]:
    return {"u": len(effects.units), "k": len(effects.targets), "g": len(effects.groups)}


def _arrays_of_fields(record: Any, fields: dict[str, tuple[str, str]]) -> dict[str, Array]:
    found = {name: getattr(record, name) for name in fields}
    return {name: array for name, array in found.items() if array is not None}


def _check_dtypes_and_axis_lengths(
    arrays: dict[str, Any],
    fields: dict[str, tuple[str, str]],
    what: str,
    error: type[BundleFormatError | MeasurementError],
    lengths: dict[str, int] | None = None,
) -> None:
    known = dict(lengths or {})
    for name, array in arrays.items():
        dtype, axes = fields[name]
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != len(axes):
            found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array)
            raise error(
                f"{what}: {name} is {found}, not {dtype} with {len(axes)} axes.",
                "Measure again, or restore the file from a copy.",
            )
        if "g" in axes and not array.size:
            continue  # without groups they are empty in every axis
        for axis, length in zip(axes, array.shape, strict=True):
            expected = int(axis) if axis.isdigit() else known.setdefault(axis, length)
            if length != expected:
                raise error(
                    f"{what}: {name} has shape {array.shape}, but axis {axis!r} has {expected}.",
                    "Measure again, or restore the file from a copy.",
                )


def _read_arrays_and_header(
    buffer: memoryview,
    place: str,
    fields: dict[str, tuple[str, str]],
    optional: frozenset[str] = frozenset(),
) -> tuple[dict[str, Array], dict[str, Any]]:
    arrays, metadata = read_safetensors_in_place(buffer, place)
    arrays = {name: array for name, array in arrays.items() if name not in _RETIRED}
    missing = set(fields) - set(arrays) - optional
    if missing or set(arrays) - set(fields):
        raise BundleFormatError(f"{place} does not hold measurements.", "The file is damaged.")
    _check_dtypes_and_axis_lengths(arrays, fields, place, BundleFormatError)
    meta = loads(metadata.get(_META, "null").encode(), f"the header of {place}")
    if not isinstance(meta, dict):
        raise BundleFormatError(f"{place} does not say what it measures.", "It is damaged.")
    return arrays, meta


def _list_or_list_of_none(meta: dict[str, Any], name: str) -> list[Any]:
    value = meta.get(name)
    return value if isinstance(value, list) else [None]
