"""Turn what a person has at hand into an InputSet: arrays, a dataset, a loader, a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from circuitz.data.class_names import read_class_names
from circuitz.data.folders.duplicates import assign_scene_numbers
from circuitz.data.folders.image_folder import D_SHARES, open_folder
from circuitz.data.label_words import (
    check_labels_count_from_zero,
    number_label_words,
    order_label_words,
    words_of_labels,
)
from circuitz.data.nearly_black import warn_if_nearly_black
from circuitz.data.splits import assign_splits
from circuitz.data.validate_inputs import check_image_set
from circuitz.errors import InputsError, warn_of_network
from circuitz.z.inputs import InputSet

#: Floats up to the one are taken for 0 to 1, with rounding; those below the other for neither
#: that nor 0 to 255.
_UNIT, _NEITHER = 1 + 1e-3, 8.0
_X_KEYS = ("x", "image", "images", "picture", "pictures", "img", "pixel_values", "data")
_Y_KEYS = ("y", "label", "labels", "target", "targets", "class")


#: Names in order, or by number: ``class_to_idx`` or ``id2label``.
ClassNames = Sequence[str] | Mapping[str, int] | Mapping[int, str]


def as_inputs(
    data: object,
    *,
    classes: ClassNames | None = None,
    seed: int = 0,
    limit: int | None = None,
) -> InputSet:
    """Turn data into a checked set with labels, splits and scenes.

    Parameters
    ----------
    data
        An ``InputSet``; arrays ``(X, y)`` with ``X`` uint8 ``(n, h, w, c)`` or float
        ``(n, c, h, w)`` in 0..1 (or, with a warning, 0..255), and ``y`` class numbers or class
        names; a dataset or loader that gives ``(picture, label)``; the path
        of a folder with one sub-folder a class.
    classes
        Names of the classes in the order of the labels, or a dict ``{name: number}`` or
        ``{number: name}``; by default the data's own. Labels that are names are matched by name;
        without ``classes`` a warning says in which order they were taken.
    seed
        Chooses the split; the same data and seed give the same one.
    limit
        Take this many pictures at most, the first ones.

    Returns
    -------
    InputSet
        Identical pictures share a scene, so that they never stand in two splits.

    Raises
    ------
    InputsError
        Saying which picture cannot be used, and why.
    """
    inputs, remarks = inputs_and_remarks(data, classes=classes, seed=seed, limit=limit)
    for remark in remarks:
        warn_of_network(remark)
    return inputs


def inputs_and_remarks(
    data: object,
    *,
    classes: ClassNames | None = None,
    seed: int = 0,
    limit: int | None = None,
) -> tuple[InputSet, tuple[str, ...]]:
    """Return what :func:`as_inputs` does, and the remark on the order of classes it guessed."""
    names = None if classes is None else read_class_names(classes, alike=True)
    remarks: list[str] = []
    if limit is not None and limit < 1:
        raise InputsError(f"The limit is {limit}.", "Take at least one picture.")
    if isinstance(data, InputSet):
        check_image_set(data)
        warn_if_nearly_black(data)
        return (data if data.split is not None else _add_scenes_and_splits(data, seed)), ()
    if isinstance(data, (str, Path)):
        found = open_folder(data)
    elif isinstance(data, tuple) and len(cast(tuple[Any, ...], data)) == 2:
        images, labels = cast(tuple[Any, Any], data)
        found = _input_set_from_arrays(pictures_from_arrays(images), labels, names, remarks)
    elif (isinstance(data, Mapping) and 0 not in data) or (
        hasattr(data, "columns") and hasattr(data, "iloc")
    ):
        keys = [str(key) for key in cast(Any, data)]
        x, y = (next((k for k in keys if k.lower() in some), "") for some in (_X_KEYS, _Y_KEYS))
        raise InputsError(
            f"Inputs cannot be read from a {type(data).__name__} of {', '.join(keys[:12])}.",
            f"Give the pair (pictures, labels): "
            f"(np.stack(list(data[{x or 'pictures'!r}])), data[{y or 'labels'!r}]).",
        )
    elif hasattr(data, "__iter__") or hasattr(data, "__getitem__"):
        found = _input_set_from_items(data, names, limit, remarks)
    else:
        raise InputsError(
            f"Inputs cannot be read from a {type(data).__name__}.",
            "Give (X, y) arrays, a dataset, a loader, a folder or an InputSet.",
        )
    if limit is not None and len(found) > limit:
        found = _take_first_pictures(found, limit)
    if names is not None:
        found = replace(found, classes=names)
        check_labels_count_from_zero(found.labels, len(names))
    check_image_set(found, labelled=True)
    warn_if_nearly_black(found)
    return _add_scenes_and_splits(found, seed), tuple(remarks)


def _take_first_pictures(inputs: InputSet, n: int) -> InputSet:
    def first_rows(values: Any) -> Any:
        return None if values is None else values[:n]

    return replace(
        inputs,
        images=inputs.images[:n],
        labels=first_rows(inputs.labels),
        concepts=first_rows(inputs.concepts),
        split=first_rows(inputs.split),
        scene=first_rows(inputs.scene),
        masks=first_rows(inputs.masks),
        pairs=None,
    )


def _to_numpy(values: Any) -> npt.NDArray[Any]:
    """Return any array-like as numpy; tensors are known by what they can do."""
    for step in ("detach", "cpu", "numpy"):
        if hasattr(values, step):
            values = getattr(values, step)()
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputsError(
            "Pictures or labels are not all of one shape.", "Bring them to one size."
        ) from error


def pictures_from_arrays(values: Any) -> npt.NDArray[np.uint8]:
    """Return pictures as uint8 ``(n, h, w, c)``; floats are from 0 to 1, or with a warning to 255."""
    images, highest = _to_uint8_pictures(values)
    _warn_of_float_range(highest)
    return images


def _to_uint8_pictures(values: Any, first: str = "0") -> tuple[npt.NDArray[np.uint8], float]:
    """Return pictures as uint8 ``(n, h, w, c)``, and the largest value of floats (else 0).

    Floats up to 1 are scaled by 255, others only rounded. ``first`` is what to call the first one.
    """
    array = _to_numpy(values)
    if array.dtype == object or array.dtype.kind in "USV":
        raise InputsError("Pictures are not all of one size.", "Bring them to one size.")
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4:
        raise InputsError(
            f"Pictures are of shape {array.shape}.", "Give (n, h, w, c) or (n, c, h, w)."
        )
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    whole = array.dtype.kind in "iu"
    ends = (array.shape[1] in (1, 3, 4), array.shape[3] in (1, 3, 4))
    if not any(ends):
        raise InputsError(
            f"Pictures of shape {array.shape} have no axis of 1, 3 or 4 channels.",
            "Give (n, h, w, c) or (n, c, h, w).",
        )
    # By custom whole numbers have their channels last and floats first, where both would do.
    if ends == (True, False) or (ends == (True, True) and not whole):
        array = array.transpose(0, 2, 3, 1)
    if array.size == 0:
        raise InputsError("The set is empty.", "Give at least one picture.")
    if not whole:
        return _floats_to_uint8(array, first), float(array.max())
    if array.dtype != np.uint8:
        if array.min() < 0 or array.max() > 255:
            raise InputsError(
                f"Pixels run from {array.min()} to {array.max()}.", "Give 0 to 255 as uint8."
            )
        array = array.astype(np.uint8)
    return np.ascontiguousarray(array), 0.0


def _floats_to_uint8(array: npt.NDArray[Any], first: str) -> npt.NDArray[np.uint8]:
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not finite.all():
        bad = int(np.argmin(finite))
        name = str(int(first) + bad) if first.isdecimal() else first
        raise InputsError(
            f"Picture {name} has pixels that are not numbers (NaN).",
            "Leave it out or mend it.",
        )
    low, high = float(array.min()), float(array.max())
    if low < -1e-3 or high > 255 + 1e-3:
        raise InputsError(
            f"Pixels run from {low:.3g} to {high:.3g} instead of 0 to 1.",
            "Give pictures as they are before normalisation, and the normalisation as preprocess.",
        )
    factor = 255 if high <= _UNIT else 1
    return np.ascontiguousarray(np.rint(np.clip(array * factor, 0, 255)).astype(np.uint8))


def _warn_of_float_range(high: float) -> None:
    """Say that floats are taken for 0 to 255; refuse what is neither that nor 0 to 1.

    Raises
    ------
    InputsError
        If their largest value lies little above 1.
    """
    if high <= _UNIT:
        return
    if high < _NEITHER:
        raise InputsError(
            f"Pixels run to {high:.3g}: neither from 0 to 1 nor from 0 to 255.",
            "Give pictures as they are before normalisation, and the normalisation as preprocess.",
        )
    warn_of_network(f"Pictures are floats up to {high:.4g}: they are taken for 0 to 255.")


def _to_class_numbers(values: Any, n: int) -> npt.NDArray[np.int64]:
    labels = _to_numpy(values)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and len(labels) == n:
        return _class_numbers_from_flags(labels)
    if labels.shape != (n,):
        raise InputsError(
            f"There are {n} pictures but labels of shape {labels.shape}.",
            "Give one whole number a picture, or a row of 0 and 1, one a class.",
        )
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all() or (labels != np.rint(labels)).any():
            raise InputsError(
                "Labels are not whole numbers.", "Give the number of each picture's class."
            )
    elif labels.dtype.kind not in "iub":
        raise InputsError(
            f"Labels are of type {labels.dtype}.", "Give the number of each picture's class."
        )
    return labels.astype(np.int64)


def _class_numbers_from_flags(labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return a row of 0 and 1 a picture; where each shows exactly one class, its number."""
    if labels.dtype.kind not in "iubf" or not np.isin(labels, (0, 1)).all():
        raise InputsError(
            "Rows of labels hold values other than 0 and 1.",
            "Give 1 for each class a picture shows and 0 for the others.",
        )
    whole = labels.astype(np.int64)
    return whole.argmax(1) if (whole.sum(1) == 1).all() else whole


def _input_set_from_arrays(
    images: npt.NDArray[np.uint8], labels: Any, classes: Sequence[str] | None, remarks: list[str]
) -> InputSet:
    words = words_of_labels(labels)
    if words is not None:
        if classes is None:
            classes, remark = order_label_words(labels, words)
            remarks.append(remark)
        labels = number_label_words(words, classes)
    numbers = _to_class_numbers(labels, len(images))
    if classes is None:
        count = int(numbers.max()) + 1 if len(numbers) else 0
        count = numbers.shape[1] if numbers.ndim == 2 else count
        if count > max(1000, len(numbers)):
            raise InputsError(
                f"A label is {count - 1}.",
                "Labels count from 0; give classes if there are so many.",
            )
        classes = [f"class {i}" for i in range(count)]
    return InputSet(images, labels=numbers, classes=tuple(classes))


def _input_set_from_items(
    data: Any, classes: Sequence[str] | None, limit: int | None, remarks: list[str]
) -> InputSet:
    """Read a dataset or a loader; a plainly shuffled loader is read in its dataset's order."""
    own = getattr(data, "classes", None)
    own = getattr(getattr(data, "dataset", None), "classes", None) if own is None else own
    parts: list[npt.NDArray[np.uint8]] = []
    labels: list[npt.NDArray[Any]] = []
    highest: list[float] = []
    n = 0
    for item in _iterate_items_unshuffled(data):
        images, numbers, high = _picture_and_label(item, n, _item_name(data, n))
        highest.append(high)
        if parts and images.shape[1:] != parts[0].shape[1:]:
            raise InputsError(
                f"Picture {_item_name(data, n)} is {_picture_size_text(images)}, the ones before it {_picture_size_text(parts[0])}.",
                "Bring pictures to one size in the dataset's transform.",
            )
        parts.append(images)
        labels.append(numbers)
        n += len(images)
        if limit is not None and n >= limit:
            break
    if not parts:
        raise InputsError("The set is empty.", "Give at least one picture.")
    most = max(highest)
    _warn_of_float_range(most)
    if most > _UNIT:
        # A picture so dark that it could be of either kind was taken for one of 0 to 1.
        parts = [
            np.rint(part / 255).astype(np.uint8) if 0 < high <= _UNIT else part
            for part, high in zip(parts, highest, strict=True)
        ]
    if classes is None and own is not None:
        classes = read_class_names(own, alike=True)
    return _input_set_from_arrays(np.concatenate(parts), np.concatenate(labels), classes, remarks)


def _item_name(data: Any, n: int) -> str:
    """Return what to call an item of a dataset: its file, where the dataset lists them."""
    data = getattr(data, "dataset", data)
    listed = getattr(data, "samples", None) or getattr(data, "imgs", None)
    try:
        return str(listed[n][0]) if isinstance(listed, list) else str(n)
    except (IndexError, TypeError, KeyError):
        return str(n)


def _picture_size_text(images: npt.NDArray[np.uint8]) -> str:
    return f"{images.shape[2]} × {images.shape[1]} with {images.shape[3]} channels"


def _iterate_items_unshuffled(data: Any) -> Iterator[Any]:
    dataset = getattr(data, "dataset", None)
    plain = type(getattr(data, "sampler", None)).__name__ in ("RandomSampler", "SequentialSampler")
    collate = getattr(getattr(data, "collate_fn", None), "__name__", "")
    if dataset is not None and plain and collate == "default_collate":
        # The same pictures as the loader gives, in an order that does not change from run to run.
        data = dataset
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        for i in range(len(data)):
            yield data[i]
        return
    yield from cast(Iterable[Any], data)


def _picture_and_label(
    item: Any, n: int, name: str
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[Any], float]:
    """Return a picture, or a batch, with its labels, both with a first axis, and its range."""
    if isinstance(item, dict):
        item = tuple(cast(dict[str, Any], item).values())
    if not isinstance(item, (tuple, list)) or len(cast(Sequence[Any], item)) < 2:
        raise InputsError(
            f"Item {name} of the data is a {type(item).__name__}, not a picture and its label.",
            "Give items (picture, label).",
        )
    picture, label = cast(Sequence[Any], item)[:2]
    pixels, numbers = _to_numpy(picture), _to_numpy(label)
    if numbers.ndim == 0 or (numbers.ndim == 1 and pixels.ndim < 4):
        # A grey picture may come without a channel axis.
        images, high = _to_uint8_pictures(pixels[None], name)
        return images, numbers[None], high
    images, high = _to_uint8_pictures(pixels, str(n))
    return images, numbers, high


def _add_scenes_and_splits(inputs: InputSet, seed: int) -> InputSet:
    """Give identical pictures one scene, refuse contradictions, and split by scene."""
    labels = inputs.labels
    scene = inputs.scene
    if scene is None:
        scene = assign_scene_numbers(inputs.images, labels)
    if inputs.split is not None:
        return replace(inputs, scene=scene)
    split = assign_splits(len(inputs), D_SHARES, groups=scene, seed=seed, strata=labels)
    return replace(inputs, scene=scene, split=split)
