"""Pictures without classes, as people have them at hand: D′, or what else a network is to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.data.folders.concept_table import ConceptTable
from circuitz.data.folders.image_folder import read_pictures
from circuitz.data.folders.input_warnings import warn_about_inputs
from circuitz.data.folders.picture_files import check_is_folder, list_pictures
from circuitz.data.input_sources import pictures_from_arrays
from circuitz.data.validate_inputs import check_image_set
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.bundle.inputs_io import META, read_inputs
from circuitz.z.inputs import InputSet

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def unlabelled_pictures(
    source: object, z: AnnotatedModel, *, progress: Callable[[int, int], None] | None = None
) -> InputSet:
    """Return pictures as a set of the role ``D'``; labels that come along are left out.

    Parameters
    ----------
    source
        An ``InputSet``; pictures ``(n, h, w, c)`` uint8, or float in 0..1; the path of a folder
        with pictures in it or below it, or of one that ``circuitz data`` wrote.
    z
        Pictures of a folder are brought to the size of its D, or else of its concept set.
    progress
        Called with pictures read and pictures in all.

    Raises
    ------
    InputsError
        If there is no such folder, no picture in it, or one that cannot be used.
    """
    if isinstance(source, str | Path):
        return _pictures_of_folder(Path(source), z, progress)
    if isinstance(source, InputSet):
        if source.is_tokens:
            return _without_labels(source)
        return _without_labels(check_image_set(source))
    return check_image_set(InputSet(pictures_from_arrays(source), role="D'"))


def _pictures_of_folder(
    folder: Path, z: AnnotatedModel, progress: Callable[[int, int], None] | None
) -> InputSet:
    check_is_folder(folder)
    if (folder / META).is_file():
        return _without_labels(read_inputs(folder))
    listing = list_pictures(folder)
    for remark in listing.remarks():
        warn_about_inputs(remark)
    if not listing.files:
        raise InputsError(f"There are no pictures in {folder}.", "Check the path.")
    return InputSet(read_pictures(listing.files, _size_of_pictures(z), progress), role="D'")


def pictures_with_concepts(folder: Path, table: Path, z: AnnotatedModel) -> InputSet:
    """Return the pictures of a folder with concept labels from a CSV file, and no classes.

    Parameters
    ----------
    folder
        Pictures, in it and below it.
    table
        A column ``path`` relative to the file, and one a concept, of 1, 0 or nothing. Pictures
        without a row have no labels; rows about other pictures are left alone.
    z
        Pictures are brought to the size of its D, or else of its concept set.

    Raises
    ------
    InputsError
        If there is no such folder, or no picture in it that can be used.
    ConceptLabelsError
        If the table cannot be read, or names none of these pictures.
    """
    check_is_folder(folder)
    files = list_pictures(folder).files
    if not table.is_file():
        raise ConceptLabelsError(f"There is no file {table}.", "Check the path.")
    rows = ConceptTable(table, folder, list(files), base=table.parent, strangers=True)
    if rows.labelled == 0:
        raise ConceptLabelsError(*rows.no_picture_words())
    found = _pictures_of_folder(folder, z, None)
    return replace(found, concepts=rows.values, concept_names=rows.names)


def _size_of_pictures(z: AnnotatedModel) -> tuple[int, int]:
    for inputs in (z.data, z.concept_set):
        if inputs is not None and not inputs.is_tokens:
            return int(inputs.images.shape[1]), int(inputs.images.shape[2])
    return z.preprocessing.size


def _without_labels(inputs: InputSet) -> InputSet:
    tokens: dict[str, Any] = {"vocabulary": inputs.vocabulary} if inputs.is_tokens else {}
    return InputSet(np.asarray(inputs.images), role="D'", scene=inputs.scene, **tokens)
