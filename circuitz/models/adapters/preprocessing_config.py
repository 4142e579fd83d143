"""How a network wants its images: what it, or a file beside its weights, says about that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from torch import nn

from circuitz.errors import InputsError

HF_FILE = "preprocessor_config.json"
PreprocessingFields = dict[str, Any]
"""Fields of a ``Preprocessing``: mean, std, size, colour; those that are known."""


def preprocessing_from_network(net: nn.Module) -> tuple[PreprocessingFields, str] | None:
    """Return what a network itself says about its preprocessing, and where it says so.

    Understood are timm's ``pretrained_cfg`` and ``default_cfg``, and torchvision's weights,
    whose ``transforms`` hold mean, std and crop size, where the network keeps them as an
    attribute ``weights`` or ``transforms``.
    """
    for name in ("pretrained_cfg", "default_cfg"):
        config = getattr(net, name, None)
        config = config if isinstance(config, Mapping) else getattr(config, "__dict__", None)
        if config and "mean" in config and "std" in config:
            return _parse_preprocessing_fields(
                cast(Mapping[str, Any], config), name
            ), f"the network's {name}"
    weights = getattr(net, "weights", None)
    for name, held in (("weights", getattr(weights, "transforms", None)),
                       ("transforms", getattr(net, "transforms", None))):  # fmt: skip
        if held is None or isinstance(held, nn.Module | Mapping):
            made = held
        else:
            try:
                made = held()
            except TypeError:  # an object with the values, and no function that makes one
                made = held
        if made is not None and hasattr(made, "mean") and hasattr(made, "std"):
            config = {key: getattr(made, key, None) for key in ("mean", "std", "crop_size")}
            return _parse_preprocessing_fields(config, name), f"the network's {name}"
    return None


def read_preprocessing_file(path: str | Path) -> tuple[PreprocessingFields, str]:
    """Read preprocessing from a JSON file.

    Understood are our own fields (mean, std, size, colour) and ``preprocessor_config.json`` of
    Hugging Face.

    Raises
    ------
    InputsError
        If the file cannot be read or says nothing of use.
    """
    file = Path(path)
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise InputsError(f"{file} cannot be read as JSON: {problem}.", "Check it.") from problem
    if not isinstance(found, dict):
        raise InputsError(f"{file} is no JSON object.", "Give mean, std and size.")
    fields = _parse_preprocessing_fields(cast(dict[str, Any], found), str(file))
    if not fields:
        raise InputsError(f"{file} gives no mean, std or size.", "Give mean, std and size.")
    return fields, file.name


def preprocessing_beside_weights(weights: Path) -> tuple[PreprocessingFields, str] | None:
    """Read ``preprocessor_config.json`` beside a weights file or in its folder, when it is there."""
    file = (weights if weights.is_dir() else weights.parent) / HF_FILE
    return read_preprocessing_file(file) if file.is_file() else None


def class_names_from_network(net: nn.Module) -> tuple[str, ...] | None:
    """Return class names in the order of the logits, where the network tells them."""
    table = getattr(getattr(net, "config", None), "id2label", None)
    if isinstance(table, Mapping):
        pairs = {int(i): str(name) for i, name in cast(Mapping[Any, Any], table).items()}
        if sorted(pairs) == list(range(len(pairs))):
            return tuple(pairs[i] for i in range(len(pairs)))
    names = getattr(net, "classes", None)
    if isinstance(names, Sequence) and not isinstance(names, str):
        found = cast(Sequence[Any], names)
        return tuple(str(n) for n in found) if found else None
    return None


def _parse_preprocessing_fields(config: Mapping[str, Any], place: str) -> PreprocessingFields:
    found: PreprocessingFields = {}
    for field, keys in (("mean", ("image_mean", "mean")), ("std", ("image_std", "std"))):
        value = next((config[k] for k in keys if config.get(k) is not None), None)
        if value is not None:
            found[field] = _one_float_per_channel(value, field, place)
    if config.get("do_normalize") is False:
        found |= {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    factor = config.get("rescale_factor")
    if config.get("do_rescale") is False or (
        isinstance(factor, int | float) and abs(factor * 255 - 1) > 1e-3
    ):
        raise InputsError(
            f"{place} scales pixels other than from 0..255 to 0..1.",
            "Give mean and std in units of the 0..1 image: --mean and --std.",
        )
    size = next((config[k] for k in ("crop_size", "size", "input_size") if config.get(k)), None)
    if size is not None:
        found["size"] = _parse_size(size, place)
    if isinstance(config.get("colour"), str):
        found["colour"] = config["colour"]
    return found


def _one_float_per_channel(value: Any, field: str, place: str) -> tuple[float, ...]:
    many = value if isinstance(value, Sequence) else [value]
    try:
        return tuple(float(v) for v in cast(Sequence[Any], many))
    except (TypeError, ValueError) as problem:
        raise InputsError(
            f"{field} in {place} is {value!r}.", "Give one number a channel."
        ) from problem


def _parse_size(value: Any, place: str) -> tuple[int, int]:
    if isinstance(value, Mapping):
        table = cast(Mapping[str, Any], value)
        edge = table.get("shortest_edge")
        value = [table.get("height", edge), table.get("width", edge)]
    try:
        many = [int(v) for v in value] if isinstance(value, Sequence) else [int(value)]
    except (TypeError, ValueError) as problem:
        raise InputsError(f"The size in {place} is {value!r}.", "Give a side.") from problem
    many = many[-2:]  # timm counts the channels first
    return (many[0], many[-1])
