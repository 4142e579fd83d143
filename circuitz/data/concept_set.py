"""Make a concept set from what a person has at hand: arrays, a table, a folder with a CSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from circuitz.data.folders.concept_table import concept_cell_remedy, concept_value_or_none
from circuitz.data.folders.duplicates import assign_scene_numbers
from circuitz.data.folders.image_folder import CONCEPT_SHARES, open_folder, read_pictures
from circuitz.data.folders.picture_files import check_is_folder, list_picture_files
from circuitz.data.folders.picture_paths import PicturePaths
from circuitz.data.input_sources import pictures_from_arrays
from circuitz.data.nearly_black import warn_if_nearly_black
from circuitz.data.splits import assign_splits
from circuitz.data.validate_inputs import check_concept_set
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.inputs import InputSet

_PATH = "path"


def concepts(
    images: object,
    labels: object = None,
    *,
    names: Sequence[str] | None = None,
    scene: object = None,
    size: int | None = None,
    seed: int = 0,
) -> InputSet:
    """Make a concept set: images with what each shows, split into *select*, *test* and *audit*.

    Parameters
    ----------
    images
        ``(n, h, w, c)`` uint8, or float ``(n, c, h, w)`` in 0..1; or the path of a folder of
        pictures; or an ``InputSet`` whose images are taken.
    labels
        What each image shows: a DataFrame or a dict with one column a concept (its name is the
        concept's), an array ``(n, c)`` with ``names``, or the path of a CSV file. Cells are 1
        or true, 0 or false, NaN or nothing where it is not known. For a folder, a DataFrame tells
        the picture in a column ``path``, or in its index, relative to the folder; by default the
        folder's own ``concepts.csv``.
    names
        Names of the columns of an array.
    scene
        ``(n,)`` numbers or words: images of one scene stand in one split. By default identical
        images share a scene and every other one is its own.
    size
        Side to crop and scale a folder's pictures to; by default they must be of one size.
    seed
        Chooses the split; the same images and seed give the same one.

    Returns
    -------
    InputSet
        Of role ``concepts``: half of its scenes to select by, a quarter each to test and audit.

    Raises
    ------
    ConceptLabelsError
        If labels do not fit the images, are nameless, hold anything but 0, 1 and NaN, or a concept
        is never, or always, present.
    InputsError
        If there are no images, or they cannot be read.
    """
    if isinstance(images, (str, Path)):
        if labels is None or isinstance(labels, (str, Path)):
            return open_folder(images, concepts=labels, size=size, seed=seed, role="concepts")
        files, labels = _files_and_rows(Path(images), labels)
        pictures = read_pictures(files, size)
    elif isinstance(images, InputSet) and not images.is_tokens:
        pictures = images.images
    else:
        pictures = pictures_from_arrays(images)
    if labels is None:
        raise ConceptLabelsError(
            "The images come without concept labels.",
            "Give a table with one column a concept: cz.concepts(images, {'snow': [1, 0, …]}).",
        )
    if isinstance(labels, (str, Path)):
        raise ConceptLabelsError(
            "A CSV file names its pictures, and these images have no names.",
            "Give the folder of the pictures, or read the table: pandas.read_csv(path).",
        )
    columns, values = _named_columns(labels, names, len(pictures))
    made = InputSet(
        pictures,
        concepts=values,
        concept_names=columns,
        scene=None if scene is None else pd.factorize(np.asarray(scene))[0].astype(np.int64),
        role="concepts",
    )
    warn_if_nearly_black(made, "The concept set's pictures")
    return split_concept_set(check_concept_set(made), seed)


def split_concept_set(inputs: InputSet, seed: int = 0) -> InputSet:
    """Return a concept set that has scenes and splits; those it has are kept."""
    if inputs.split is not None:
        return inputs
    scene = inputs.scene
    if scene is None:
        scene = assign_scene_numbers(inputs.images, None)
    split = assign_splits(len(inputs), CONCEPT_SHARES, groups=scene, seed=seed)
    return replace(inputs, scene=scene, split=split, role="concepts")


def as_concept_set(data: object, seed: int = 0) -> InputSet:
    """Return the concept set that a person means by an ``InputSet``, ``(X, C)`` or a folder.

    Raises
    ------
    ConceptLabelsError, InputsError
        As :func:`concepts`.
    """
    if isinstance(data, InputSet):
        return split_concept_set(data, seed)
    if isinstance(data, (str, Path)):
        return concepts(data, seed=seed)
    if isinstance(data, tuple) and len(cast(tuple[Any, ...], data)) == 2:
        images, labels = cast(tuple[Any, Any], data)
        return concepts(images, labels, seed=seed)
    raise InputsError(
        f"A concept set cannot be made from a {type(data).__name__}.",
        "Give (images, table), a folder with concepts.csv, or what cz.concepts(…) makes.",
    )


def _files_and_rows(folder: Path, labels: object) -> tuple[list[Path], pd.DataFrame]:
    """Return the pictures of a folder that a table names, and its rows in their order."""
    check_is_folder(folder)
    table = pd.DataFrame(labels)  # pyright: ignore[reportArgumentType]
    if _PATH in table.columns:
        table = table.set_index(_PATH)
    files = list_picture_files(folder)
    pictures = PicturePaths(folder, files, Path("the table"), folder)
    rows: dict[int, str] = {}
    for number, name in enumerate(map(str, table.index), 1):
        at = pictures.find(name, number)
        if at is None:
            raise ConceptLabelsError(
                f"The table names {name[:200]}, which is not in {folder}.",
                "Name pictures in a column ‘path’, or in the index, relative to the folder.",
            )
        if at in rows:
            raise ConceptLabelsError(f"The table names {name[:200]} twice.", "Join the two rows.")
        rows[at] = name
    return [files[at] for at in rows], table


def _named_columns(
    labels: object, names: Sequence[str] | None, n: int
) -> tuple[tuple[str, ...], npt.NDArray[np.float32]]:
    """Return the names and the values, ``(n, c)`` of 0, 1 and NaN, of a table of labels."""
    if isinstance(labels, (pd.DataFrame, Mapping)):
        if names is not None:
            raise ConceptLabelsError(
                "Names are given twice, by the table and by names.", "Leave names out."
            )
        columns = {str(name): np.asarray(labels[name]) for name in labels}
        if len(columns) < len(list(labels)):
            raise ConceptLabelsError("Two columns have one name.", "Give each column its own name.")
    else:
        array = np.asarray(labels)
        array = array[:, None] if array.ndim == 1 else array
        if names is None:
            raise ConceptLabelsError(
                f"Concept labels of shape {array.shape} come without names.",
                "Say what each column is: cz.concepts(images, labels, names=['snow', …]).",
            )
        if isinstance(names, str):
            names = (names,)
        if array.ndim != 2 or array.shape[1] != len(names):
            raise ConceptLabelsError(
                f"Concept labels are of shape {array.shape}, but there are {len(names)} names.",
                "Give one name a column.",
            )
        if len(set(names)) < len(names):
            raise ConceptLabelsError("Two columns have one name.", "Give each column its own name.")
        columns = {str(name): array[:, i] for i, name in enumerate(names)}
    for name, column in columns.items():
        if column.shape != (n,):
            raise ConceptLabelsError(
                f"‘{name}’ has labels of shape {column.shape}, and there are {n} images.",
                "Give one label an image.",
            )
    if not columns:
        raise ConceptLabelsError("The table has no columns.", "Give one column a concept.")
    values = [_column_values(name, column) for name, column in columns.items()]
    return tuple(columns), np.stack(values, axis=1)


def _column_values(name: str, column: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return a column as 0, 1 and NaN."""
    if column.dtype.kind in "biuf":
        values = column.astype(np.float32)
        wrong = ~(np.isnan(values) | (values == 0) | (values == 1))
        if not wrong.any():
            return values
    else:
        found = [_cell_value(cell) for cell in column.tolist()]
        wrong = np.array([value is None for value in found])
        if not wrong.any():
            return np.array(found, np.float32)
    row = int(np.argmax(wrong))
    raise ConceptLabelsError(
        f"‘{name}’ is {str(column[row])[:60]!r} in row {row}.",
        concept_cell_remedy(str(column[row]), name),
    )


def _cell_value(cell: object) -> float | None:
    """Return what a cell of an untyped column says; ``None`` where it says no label."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return float("nan")
    if isinstance(cell, (bool, int, float)):
        return float(cell) if cell in (0, 1) or cell != cell else None  # noqa: PLR0124 (NaN)
    return concept_value_or_none(str(cell))
