"""Open a folder of pictures: one sub-folder a class, concept labels in a CSV file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from circuitz.data.folders.class_folders import list_class_folders
from circuitz.data.folders.class_table import read_classes
from circuitz.data.folders.concept_table import ConceptTable
from circuitz.data.folders.duplicates import assign_scene_numbers
from circuitz.data.folders.input_warnings import warn_about_inputs
from circuitz.data.folders.picture_files import check_is_folder, list_pictures
from circuitz.data.folders.read_picture import read_picture, uses_few_of_sixteen_bits
from circuitz.data.splits import assign_splits
from circuitz.data.validate_inputs import check_concept_set, check_image_set
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.inputs import InputSet

CONCEPTS_FILE = "concepts.csv"
D_SHARES = (0.70, 0.15, 0.15)
CONCEPT_SHARES = (0.5, 0.25, 0.25)
Progress = Callable[[int, int], None]


def open_folder(
    path: str | Path,
    *,
    concepts: str | Path | None = None,
    classes: str | Path | None = None,
    size: int | None = None,
    seed: int = 0,
    role: Literal["D", "concepts"] | None = None,
    progress: Progress | None = None,
) -> InputSet:
    """Open a folder of pictures.

    Parameters
    ----------
    path
        Folder with one sub-folder a class, or, with concept labels, just with pictures.
    concepts
        CSV file: a column ``path`` relative to that file and one column a concept with 1, 0 or
        nothing (not known). Columns ``scene`` (pictures of one scene share a value) and
        ``split`` (select, test or audit) are optional. One file may label pictures of several
        folders: rows of others are left alone. By default ``concepts.csv`` in the folder, which
        labels pictures of this folder only.
    classes
        CSV file with columns ``path`` and ``class`` for pictures that sub-folders do not sort; a
        cell may name several classes divided by ``|``, or none. Pictures without a row are left
        out.
    size
        Side to crop and scale pictures to; by default they must be of one size.
    seed
        Chooses the split where the file gives none.
    role
        ``D`` or ``concepts``; by default ``concepts`` where there are concept labels, else ``D``.
    progress
        Called with pictures read and pictures in all.

    Returns
    -------
    InputSet
        Identical pictures share a scene where the file names none.

    Raises
    ------
    InputsError
        For a folder without pictures, a single class, a file that is no picture (named), sizes
        that differ.
    ConceptLabelsError
        For a table that names missing or double files, or, in a concept set, has empty or
        constant columns.
    """
    folder = Path(path)
    check_is_folder(folder)
    table = Path(concepts) if concepts is not None else folder / CONCEPTS_FILE
    if concepts is not None and not table.is_file():
        raise ConceptLabelsError(f"There is no file {table}.", "Check the path.")
    has_table = table.is_file()
    if classes is not None:
        listing = list_pictures(folder)
        everything = list(listing.files)
        told = read_classes(Path(classes), folder, everything)
        names, paths, labels = told.classes, list(told.files), told.labels
        remarks = (*listing.remarks(), *told.remarks)
    else:
        sorted_files = list_class_folders(
            folder, flat=has_table, labelled=role == "D" or not has_table
        )
        names, remarks = sorted_files.names, sorted_files.remarks
        paths = everything = list(sorted_files.files)
        labels = np.array(sorted_files.labels, dtype=np.int64) if names else None
    for remark in remarks:
        warn_about_inputs(remark)
    rows = None
    if has_table:
        # Before the pictures: a table that does not fit is told at once.
        given = concepts is not None
        rows = ConceptTable(table, folder, everything, base=table.parent, strangers=given)
        if len(paths) < len(everything):
            where = {path: i for i, path in enumerate(everything)}
            rows.keep_only_rows([where[path] for path in paths])
        if rows.labelled == 0:
            if role != "D":
                raise ConceptLabelsError(*rows.no_picture_words())
            rows = None
    images = read_pictures(paths, size, progress)
    if all(uses_few_of_sixteen_bits(file) for file in paths):
        warn_about_inputs(
            f"{paths[0]} and all others have 16 bits a pixel and use 12 of them at most, so they "
            "are nearly black. If they hold 12 bits, multiply their values by 16."
        )
    scene = rows.scene if rows else None
    if scene is None:
        scene = assign_scene_numbers(images, labels, paths)
    role = role or ("concepts" if rows else "D")
    split = rows.split if rows else None
    if split is None:
        shares = CONCEPT_SHARES if role == "concepts" else D_SHARES
        split = assign_splits(len(paths), shares, groups=scene, seed=seed, strata=labels)
    inputs = InputSet(
        images,
        labels=labels,
        classes=names,
        concepts=rows.values if rows else None,
        concept_names=rows.names if rows else (),
        split=split,
        scene=scene,
        role=role,
    )
    if role == "concepts":
        return check_concept_set(inputs)
    return check_image_set(inputs, labelled=True)


def read_pictures(
    files: Sequence[Path],
    size: int | tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> npt.NDArray[np.uint8]:
    """Read pictures of one size, or bring them to one: a square's side, or height and width.

    Returns
    -------
    numpy.ndarray
        ``(n, h, w, 3)`` uint8.

    Raises
    ------
    InputsError
        Naming the first picture that cannot be read, or is of another size.
    """
    if isinstance(size, int) and not 8 <= size <= 1024:
        raise InputsError(f"Pictures of side {size} were asked for.", "Choose 8 to 1024.")
    first = read_picture(files[0], size)
    # One block from the start: a list and its stack would take the memory twice.
    images = np.empty((len(files), *first.shape), np.uint8)
    for i, file in enumerate(files):
        image = first if i == 0 else read_picture(file, size)
        if image.shape != first.shape:
            raise InputsError(
                f"{file} is {image.shape[1]} × {image.shape[0]}, the pictures before it "
                f"{first.shape[1]} × {first.shape[0]}.",
                "Give a size (--size) to bring all pictures to.",
            )
        images[i] = image
        if progress is not None:
            progress(i + 1, len(files))
    return images
