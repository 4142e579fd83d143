"""What a transform does to pictures, found by running it: torchvision's, Hugging Face's, anybody's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from circuitz.errors import InputsError
from circuitz.models.run.prepare_inputs import prepare_inputs
from circuitz.z.layer import Preprocessing

U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]
_PICTURES = 4
#: In parts of a picture's range, 0 to 1: as much as kinds of resizing differ, and rounding.
_SAME, _ALIKE = 0.02, 0.12


def preprocessing_from_transform(
    transform: Callable[..., Any], pictures: U8 | None
) -> tuple[Preprocessing, str]:
    """Return the preprocessing that does what a transform does, and what to say about it.

    Black, white and red pictures tell mean, standard deviation, size and colour order; what is
    found must then make the same of pictures of D as the transform does.

    Parameters
    ----------
    transform
        From one picture (PIL, an array or a tensor) to a network's input ``(c, h, w)``.
    pictures
        ``(n, h, w, c)`` uint8 of D; None where there are none.

    Raises
    ------
    InputsError
        If it cannot be run on a picture, is random, or does more than scale and normalise.
    """
    name = type(transform).__name__
    height, width, channels = (64, 64, 3) if pictures is None else pictures.shape[1:]
    blank = np.zeros((height, width, channels), np.uint8)
    run = _way_to_call(transform, blank)
    black, white = run(blank), run(np.full_like(blank, 255))
    low, high = black.mean((1, 2)), white.mean((1, 2))
    flat = all(
        np.ptp(out, (1, 2)).max() <= 1e-3 * max(1.0, np.abs(out).max()) for out in (black, white)
    )
    if not flat or (high - low <= 0).any():
        raise InputsError(
            f"A {name} does more to pictures than scale them and subtract a mean: it makes of an "
            "even picture one that is not.",
            "Give preprocess= as a mapping of mean, std and size, and pictures as the network "
            "sees them but for that.",
        )
    std = 1 / (high - low)
    colour = "L" if len(low) == 1 else "RGB"
    if len(low) == 3 and channels == 3:
        red = run(np.full_like(blank, (255, 0, 0)))
        share = (red.mean((1, 2)) - low) * std
        colour = "BGR" if share[2] > share[0] else "RGB"
    found = Preprocessing(
        tuple(np.round(-low * std, 6).tolist()), tuple(np.round(std, 6).tolist()),
        (black.shape[1], black.shape[2]), colour,
    )  # fmt: skip
    return found, _compare(run, found, pictures, name)


def _compare(
    run: Callable[[U8], F64], preprocessing: Preprocessing, pictures: U8 | None, name: str
) -> str:
    if pictures is None:
        draw = np.random.default_rng(0)
        shape = (2, *preprocessing.size, 3 if len(preprocessing.mean) == 3 else 1)
        pictures = draw.integers(0, 256, shape, dtype=np.uint8)
    step = max(1, len(pictures) // _PICTURES)
    some = np.ascontiguousarray(pictures[::step][:_PICTURES])
    theirs, again = (np.stack([run(picture) for picture in some]) for _ in range(2))
    std = np.array(preprocessing.std)[:, None, None]
    if np.abs(theirs - again).max() > 1e-6:
        raise InputsError(
            f"A {name} makes something else of the same picture each time.",
            "Pass the transform of evaluation, without augmentation.",
        )
    off = np.abs((theirs - prepare_inputs(some, preprocessing).double().numpy()) * std)
    if off.max() <= _SAME:
        return ""
    said = (
        f"The {name} makes of pictures of D what mean {preprocessing.mean}, std {preprocessing.std} and size "
        f"{preprocessing.size} do, but for up to {off.max():.2g} of a picture's range"
    )
    if float(np.quantile(off, 0.99)) > _ALIKE or off.mean() > _SAME:
        raise InputsError(
            f"{said}: it crops, or does something else besides.",
            f"Give pictures as they are behind that ({preprocessing.size[0]} × {preprocessing.size[1]}, 0 to 255), and "
            "preprocess= as a mapping of mean and std.",
        )
    return f"{said}: it resizes a little otherwise."


def _way_to_call(transform: Callable[..., Any], picture: U8) -> Callable[[U8], F64]:
    """Return how the transform takes a picture.

    Raises
    ------
    InputsError
        If it takes none.
    """

    def as_image(array: U8) -> Any:
        return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)

    def as_tensor(array: U8) -> Any:
        return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))

    ways: tuple[Callable[[U8], Any], ...] = (
        lambda a: transform(as_image(a)),
        lambda a: transform(as_tensor(a)),
        lambda a: transform(as_tensor(a).float() / 255),
        lambda a: transform(image=a),
        transform,
    )
    problems: list[str] = []
    for way in ways:
        try:
            found = _as_input(way(picture))
        except Exception as problem:  # whatever the user's own code raises
            problems.append(f"{type(problem).__name__}: {problem}")
            continue
        if found is not None:
            return lambda array, way=way: cast(F64, _as_input(way(array)))
    name = type(transform).__name__
    raise InputsError(
        f"preprocess is a {name}, which makes no input (channels, height, width) of a picture"
        + (f" ({problems[0]})." if problems else "."),
        "Give a mapping of mean, std and size, or a transform such as torchvision's, that ends in "
        "a tensor.",
    )


def _as_input(out: Any) -> F64 | None:
    """Return what a transform gave as ``(c, h, w)``; None if it is no such thing."""
    if isinstance(out, Mapping):
        held = cast(Mapping[str, Any], out)
        out = held.get("pixel_values", held.get("image"))
    if isinstance(out, list) and len(cast(list[Any], out)) == 1:
        out = out[0]
    if isinstance(out, torch.Tensor):
        out = out.detach().cpu().numpy()
    with suppress(ValueError, TypeError):
        array = np.asarray(out)
        array = array[0] if array.ndim == 4 and len(array) == 1 else array
        if array.ndim == 3 and array.shape[0] in (1, 3) and array.dtype.kind == "f":
            return array.astype(np.float64)
    return None
