"""What a person knows about pictures that a network never saw: a CSV file, read for scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circuitz.data.folders.class_table import SEPARATOR
from circuitz.data.folders.concept_table import (
    lies_within_folder,
    parse_concept_cell,
    read_csv_with_header,
    resolve_cell_path,
)
from circuitz.data.folders.image_folder import list_picture_files
from circuitz.errors import ConceptLabelsError, InputsError

_SPECIAL = ("path", "class")


@dataclass(frozen=True, eq=False)
class TruthTable:
    """Pictures and what they show.

    Parameters
    ----------
    files
        The pictures, in the order of the table.
    labels
        ``(n,)`` int64 indices into the classes, or, where a picture may show several or none,
        ``(n, k)`` of 0 and 1.
    groups, group_names
        ``(n, g)`` float32 of 0, 1 or NaN, and the names of the columns.
    unlabelled, elsewhere
        Pictures of the folder that no row names, and rows that name pictures outside it.
    """

    files: tuple[Path, ...]
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.float32]
    group_names: tuple[str, ...]
    unlabelled: int
    elsewhere: int


def read_truth_table(
    table: Path, folder: Path, classes: Sequence[str], *, several: bool = False
) -> TruthTable:
    """Read ``path,class,<group columns>``.

    Parameters
    ----------
    table
        CSV: ``path`` relative to the file, the name of the ``class``, and any number of columns
        of 1, 0 or nothing.
    folder
        Where the pictures lie.
    classes
        The classes there are.
    several
        Whether ``class`` names any number of classes, divided by ``|``.

    Raises
    ------
    InputsError
        If there is no such file or folder, or a row names an unknown class.
    ConceptLabelsError
        If the table is malformed, or names missing or double pictures.
    """
    if not folder.is_dir():
        raise InputsError(f"There is no folder {folder}.", "Check --images.")
    if not table.is_file():
        raise InputsError(f"There is no file {table}.", "Check --truth.")
    header, rows = read_csv_with_header(table)
    if "class" not in header:
        raise ConceptLabelsError(f"{table} has no column ‘class’.", "Name the class of each row.")
    names = tuple(h for h in header if h not in _SPECIAL)
    if "" in names:
        raise ConceptLabelsError(f"{table} has a column without a name.", "Name it.")
    columns = [header.index(name) for name in names]
    at_path, at_class = header.index("path"), header.index("class")
    known = {
        str(resolve_cell_path(str(f.absolute()), folder, 0, table)): f
        for f in list_picture_files(folder)
    }
    seen: dict[str, int] = {}
    files: list[Path] = []
    labels: list[list[int]] = []
    groups: list[list[float]] = []
    elsewhere = 0
    for number, cells in rows:
        place = resolve_cell_path(cells[at_path], table.parent, number, table)
        if place not in known and not lies_within_folder(place, folder):
            elsewhere += 1
            continue
        if place not in known:
            raise ConceptLabelsError(
                f"Row {number} of {table} names {cells[at_path][:200]}, which is not in {folder}.",
                "Paths are relative to the file.",
            )
        if place in seen:
            raise ConceptLabelsError(
                f"{table} names {cells[at_path][:200]} twice, in rows {seen[place]} and {number}.",
                "Join the two rows.",
            )
        seen[place] = number
        files.append(known[place])
        labels.append(_parse_classes(cells[at_class], classes, several, number, table))
        groups.append(
            [
                parse_concept_cell(cells[c], n, number, table)
                for c, n in zip(columns, names, strict=True)
            ]
        )
    if not files:
        raise InputsError(
            f"{table} names no picture of {folder}.", "Its paths are relative to the file."
        )
    return TruthTable(
        tuple(files),
        _label_array(labels, len(classes), several),
        np.array(groups, np.float32).reshape(len(files), len(names)),
        names,
        len(known) - len(files),
        elsewhere,
    )


def _parse_classes(
    cell: str, classes: Sequence[str], several: bool, number: int, table: Path
) -> list[int]:
    found = [name.strip() for name in cell.split(SEPARATOR) if name.strip()] if several else [cell]
    for name in found:
        if name not in classes:
            raise InputsError(
                f"Row {number} of {table} says class {name[:60]!r}, which the network has not.",
                f"Its classes are {', '.join(list(classes)[:12])}.",
            )
    return [list(classes).index(name) for name in found]


def _label_array(labels: list[list[int]], classes: int, several: bool) -> npt.NDArray[np.int64]:
    if not several:
        return np.array(labels, np.int64)[:, 0]
    table = np.zeros((len(labels), classes), np.int64)
    for i, shown in enumerate(labels):
        table[i, shown] = 1
    return table
