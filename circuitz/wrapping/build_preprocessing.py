"""How images become a network's input: from what the user, the network or its data say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from torch import nn

from circuitz.errors import InputsError
from circuitz.models.adapters.preprocessing_config import preprocessing_from_network
from circuitz.models.adapters.preprocessing_from_transform import preprocessing_from_transform
from circuitz.z.assumed_preprocessing import ASSUMED_PREPROCESSING
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

COLOURS = ("RGB", "BGR", "L")
PreprocessingLike = Preprocessing | Mapping[str, Any] | Callable[..., Any] | None


def build_preprocessing(
    preprocess: PreprocessingLike, net: nn.Module, inputs: InputSet | None
) -> tuple[Preprocessing, str, tuple[str, ...]]:
    """Return the preprocessing, where it comes from if not from the user, and what to say of it.

    Parameters
    ----------
    preprocess
        A ``Preprocessing``; a mapping of those of its fields that are known; a transform; or
        nothing.
    net
        The network, which may say something about it.
    inputs
        D, whose pictures give the size where nobody does.

    Raises
    ------
    InputsError
        If it is none of that, or impossible.
    """
    pictures = None if inputs is None or not len(inputs) else inputs.images
    source, remarks = "", list[str]()
    if preprocess is None:
        found = preprocessing_from_network(net)
        fields, source = found or ({}, ASSUMED_PREPROCESSING)
        made = _from_fields(fields, net, pictures)
    elif isinstance(preprocess, Preprocessing):
        made = preprocess
    elif isinstance(preprocess, Mapping):
        made = _from_fields(preprocess, net, pictures)
    elif callable(preprocess):
        made, remark = preprocessing_from_transform(preprocess, pictures)
        remarks += [remark] if remark else []
    else:
        raise InputsError(
            f"preprocess is a {type(preprocess).__name__}.",
            "Give a mapping of mean, std and size, a Preprocessing, or a transform.",
        )
    said = isinstance(preprocess, Mapping) and "size" in preprocess
    if pictures is not None and not said and tuple(pictures.shape[1:3]) != tuple(made.size):
        remarks.append(
            f"D's pictures are {pictures.shape[1]} × {pictures.shape[2]}; the network gets them "
            f"scaled to {made.size[0]} × {made.size[1]} (height × width)."
        )
    if pictures is not None and pictures.shape[3] == 3 and len(made.mean) == 1:
        remarks.append("The network takes one channel: it gets D's coloured pictures in grey.")
    return made, source, tuple(remarks)


def _from_fields(
    known_fields: Mapping[str, Any], net: nn.Module, pictures: npt.NDArray[Any] | None
) -> Preprocessing:
    shape = (64, 64, 3) if pictures is None else tuple(int(s) for s in pictures.shape[1:])
    fields = dict(known_fields)
    unknown = set(fields) - {"mean", "std", "size", "colour"}
    if unknown:
        raise InputsError(
            f"Preprocessing has no field {min(unknown)!r}.", "Its fields: mean, std, size, colour."
        )
    colour = fields.get("colour")
    if colour is not None and colour not in COLOURS:
        raise InputsError(f"There is no colour {colour!r}.", f"Choose one of {', '.join(COLOURS)}.")
    mean, std = (_numbers(fields.get(n, d), n) for n, d in (("mean", 0.5), ("std", 0.25)))
    channels = max(len(mean), len(std))
    if channels == 1:
        channels = {"L": 1, "RGB": 3, "BGR": 3}.get(str(colour), 0) or _channels(net, shape[2])
    mean, std = (v * channels if len(v) == 1 else v for v in (mean, std))
    size = fields.get("size", shape[:2])
    size = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    if len(std) != len(mean) or min(std) <= 0 or min(size) < 1:
        raise InputsError(
            f"Preprocessing with mean {mean}, std {std} and size {size} is impossible.",
            "Give one mean and one positive std a channel, and a positive size.",
        )
    if colour is not None and len(mean) != (1 if colour == "L" else 3):
        raise InputsError(
            f"Preprocessing of colour {colour} has {len(mean)} channels.",
            "Give one mean and std for L, three for RGB or BGR.",
        )
    return Preprocessing(mean, std, size, colour or ("L" if len(mean) == 1 else "RGB"))


def _numbers(value: Any, name: str) -> tuple[float, ...]:
    try:
        return tuple(cast(list[float], np.atleast_1d(np.asarray(value, float)).ravel().tolist()))
    except (TypeError, ValueError) as problem:
        raise InputsError(f"{name} is {value!r}.", "Give one number a channel.") from problem


def _channels(net: nn.Module, of_pictures: int) -> int:
    """Return how many channels a network takes, by its first convolution, or else those of D."""
    first = next((m for m in net.modules() if isinstance(m, nn.Conv2d)), None)
    return first.in_channels if first is not None and first.in_channels in (1, 3) else of_pictures
