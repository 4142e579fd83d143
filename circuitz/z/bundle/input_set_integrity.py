"""Whether an input set is what its fields say."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError
from circuitz.z.inputs import SPLITS, InputSet

Array = npt.NDArray[Any]


def check_input_set_fields(inputs: InputSet) -> InputSet:
    """Return the set, its arrays of the right kind and length and its indices in range.

    Images are not read, only their shape is: they may be a large memory map.

    Raises
    ------
    InputsError
        If something does not fit; the message names the field.
    """
    n = (
        _check_tokens_and_count(inputs)
        if _holds_tokens(inputs)
        else _check_images_and_count(inputs.images)
    )
    several = inputs.labels is not None and np.ndim(inputs.labels) == 2
    _check_dtype_and_shape(
        inputs.labels, "labels", np.int64, (n, len(inputs.classes)) if several else (n,)
    )
    _check_dtype_and_shape(inputs.concepts, "concepts", np.float32, (n, len(inputs.concept_names)))
    _check_dtype_and_shape(inputs.split, "split", np.uint8, (n,))
    _check_dtype_and_shape(inputs.scene, "scene", np.int64, (n,))
    _check_dtype_and_shape(inputs.masks, "masks", np.uint8, inputs.images.shape[:3])
    _check_dtype_and_shape(inputs.focus, "focus", np.int64, (n, 2))
    _check_unique_names(inputs.classes, "classes")
    _check_unique_names(inputs.concept_names, "concept names")
    _check_unique_names(
        inputs.mask_names, "mask names", empty=True
    )  # 0 may stand for nothing named
    if inputs.labels is not None:
        if several and not np.isin(inputs.labels, (0, 1)).all():
            raise InputsError(
                "Labels, one column a class, hold values other than 0 and 1.",
                "Write 1 for each class an image shows and 0 for the others.",
            )
        if not several:
            _check_index_range(inputs.labels, "labels", len(inputs.classes), "classes")
    if inputs.split is not None:
        _check_index_range(inputs.split, "split", len(SPLITS), "splits")
    if inputs.concepts is not None:
        values = inputs.concepts[~np.isnan(inputs.concepts)]
        if not np.isin(values, (0, 1)).all():
            raise InputsError(
                "Concept labels hold values other than 0, 1 and NaN.",
                "Write 1 for present, 0 for absent and NaN for not known.",
            )
    if inputs.pairs is not None:
        pairs = inputs.pairs
        _check_dtype_and_shape(pairs, "pairs", np.int64, (len(pairs), 3))
        _check_index_range(pairs[:, :2], "pairs", n, "images")
        _check_index_range(pairs[:, 2], "pairs", len(inputs.concept_names), "concepts")
    return inputs


def _check_images_and_count(images: Any) -> int:
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != 4:
        found = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else type(images)
        raise InputsError(
            f"Images are {found}, not uint8 of shape (n, height, width, channels).",
            "Convert them to 8-bit images, channels last; token sequences are int32 (n, length).",
        )
    return len(images)


def _holds_tokens(inputs: InputSet) -> bool:
    images: Any = inputs.images
    return isinstance(images, np.ndarray) and images.dtype == np.int32 and images.ndim == 2


def _check_tokens_and_count(inputs: InputSet) -> int:
    n, length = inputs.images.shape
    if not inputs.vocabulary or not length or inputs.masks is not None:
        raise InputsError(
            "Token sequences lack a vocabulary, hold no position, or come with part masks.",
            "Give the text of every token as vocabulary; masks are for images.",
        )
    _check_unique_names(inputs.vocabulary, "tokens of the vocabulary")
    _check_index_range(inputs.images, "tokens", len(inputs.vocabulary), "tokens in the vocabulary")
    if inputs.focus is not None:
        _check_index_range(inputs.focus, "focus", length, "positions")
    return n


def _check_dtype_and_shape(array: Any, name: str, dtype: type, shape: tuple[int, ...]) -> None:
    if array is None:
        return
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array)
        raise InputsError(
            f"{name.capitalize()} are {found}, not {np.dtype(dtype)} {shape}.",
            f"Give {name} that dtype, one row an image.",
        )


def _check_unique_names(names: tuple[Any, ...], what: str, *, empty: bool = False) -> None:
    good = all(isinstance(name, str) and (name or empty) for name in names)
    if not good or len(set(names)) != len(names):
        raise InputsError(f"The {what} are not distinct texts.", "Give each its own name.")


def _check_index_range(values: Array, name: str, limit: int, noun: str) -> None:
    if values.size and (int(values.min()) < 0 or int(values.max()) >= limit):
        raise InputsError(
            f"{name.capitalize()} lie in {int(values.min())}..{int(values.max())}, but there are "
            f"{limit} {noun}.",
            f"Number {noun} from 0.",
        )
