"""Labels that a label model gave, read to be scored: the file that ``circuitz labels train`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circuitz.data.folders.csv_reading import read_csv_with_header
from circuitz.data.folders.name_forms import NameIndex
from circuitz.data.folders.picture_paths import PicturePaths
from circuitz.errors import ConceptLabelsError, InputsError


@dataclass(frozen=True, eq=False)
class GivenLabels:
    """Labels of some pictures.

    Parameters
    ----------
    predicted
        ``(n,)`` int64 index of the class each picture was given; -1 where it has no row.
    has_answers
        ``(n,)`` bool: whether people were asked about it. Their own answers are in its label.
    """

    predicted: npt.NDArray[np.int64]
    has_answers: npt.NDArray[np.bool_]


def read_given_labels(
    table: Path, folder: Path, files: Sequence[Path], classes: Sequence[str]
) -> GivenLabels:
    """Read ``path,label`` and, where it is there, ``answers``.

    Parameters
    ----------
    table
        CSV; ``path`` is relative to ``folder``, as ``circuitz labels train`` writes it.
    folder, files
        The folder of the pictures, and those whose labels are wanted.
    classes
        The classes there are.

    Raises
    ------
    InputsError
        If there is no such file, a row names an unknown class, or none of the pictures has a row.
    ConceptLabelsError
        If the table is malformed, or names a picture twice.
    """
    if not table.is_file():
        raise InputsError(f"There is no file {table}.", "Check --labels.")
    columns = ("path", "label", "answers")
    header, rows = read_csv_with_header(table, special=columns, only=columns, keep_blanks=True)
    if "label" not in header:
        raise ConceptLabelsError(
            f"{table} has no column ‘label’; it has {', '.join(header[:8])}.",
            "circuitz labels train writes such a file.",
        )
    at_path, at_label = header.index("path"), header.index("label")
    at_answers = header.index("answers") if "answers" in header else -1
    pictures = PicturePaths(folder, files, table, folder, escaped=True)
    index = NameIndex(classes)
    predicted = np.full(len(files), -1, np.int64)
    asked = np.zeros(len(files), bool)
    for number, cells in rows:
        at = pictures.find(cells[at_path], number)
        if at is None:
            continue
        label = index.find(cells[at_label], escaped=True)
        if label is None:
            raise InputsError(
                f"Row {number} of {table} says label {cells[at_label][:60]!r}, which is no class "
                "of z.",
                index.hint(cells[at_label]),
            )
        if predicted[at] >= 0:
            raise ConceptLabelsError(
                f"{table} names {cells[at_path][:200]} twice.", "Leave out one of the rows."
            )
        predicted[at] = label
        asked[at] = at_answers >= 0 and cells[at_answers].strip() not in ("", "0")
    if not (predicted >= 0).any():
        raise InputsError(
            f"{table} labels no picture that the truth tells.",
            f"Its paths are relative to {folder}: give the folder that was labelled.",
        )
    return GivenLabels(predicted, asked)
