"""What a person knows about pictures that a network never saw: a CSV file, read for scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circuitz.data.folders.class_table import CLASS_COLUMN_HINT
from circuitz.data.folders.csv_reading import read_csv_with_header
from circuitz.data.folders.name_forms import NameIndex, is_missing_class, names_in_cell
from circuitz.data.folders.picture_files import check_is_folder, list_pictures, picture_count_text
from circuitz.data.folders.picture_paths import PicturePaths
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.evaluation.group_columns import read_group_column

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
        ``(n, g)`` float32 of 0, 1 or NaN, and the names of the groups: of columns, or of
        columns and their words.
    unlabelled, elsewhere
        Pictures of the folder that no row names, and rows that name pictures outside it.
    remarks
        What else was left out or parted, in sentences.
    """

    files: tuple[Path, ...]
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.float32]
    group_names: tuple[str, ...]
    unlabelled: int
    elsewhere: int
    remarks: tuple[str, ...] = ()


def read_truth_table(
    table: Path, folder: Path, classes: Sequence[str], *, several: bool = False
) -> TruthTable:
    """Read ``path,class,<group columns>``.

    Parameters
    ----------
    table
        CSV: ``path`` relative to the file, the name of the ``class``, and any number of columns
        of 1, 0 or nothing, or of words, each of which makes a group.
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
    check_is_folder(folder, "Check --images.")
    if not table.is_file():
        raise InputsError(f"There is no file {table}.", "Check --truth.")
    header, rows = read_csv_with_header(table, special=("class",), keep_blanks=True)
    if "class" not in header:
        raise ConceptLabelsError(
            f"{table} has no column ‘class’; it has {', '.join(header[:8])}.", CLASS_COLUMN_HINT
        )
    names = tuple(h for h in header if h not in _SPECIAL)
    if "" in names:
        raise ConceptLabelsError(f"{table} has a column without a name.", "Name it.")
    columns = [header.index(name) for name in names]
    at_path, at_class = header.index("path"), header.index("class")
    listing = list_pictures(folder)
    pictures = PicturePaths(folder, listing.files, table, table.parent)
    index = NameIndex(classes)
    seen: dict[int, int] = {}
    files: list[Path] = []
    labels: list[list[int]] = []
    groups: list[list[str]] = []
    numbers: list[int] = []
    strangers: list[str] = []
    hidden = without = 0
    for number, cells in rows:
        cell = cells[at_path]
        at = pictures.find(cell, number)
        if at is None and not pictures.is_inside(cell, number):
            strangers.append(cell)
            continue
        if at is None and pictures.is_left_out(cell, number):
            hidden += 1
            continue
        if at is None:
            raise pictures.missing_error(cell, number)
        if at in seen:
            raise ConceptLabelsError(
                f"{table} names {cell[:200]} twice, in rows {seen[at]} and {number}.",
                "Join the two rows.",
            )
        seen[at] = number
        if not several and is_missing_class(cells[at_class], classes):
            without += 1
            continue
        files.append(listing.files[at])
        labels.append(_parse_classes(cells[at_class], index, several, number, table))
        groups.append([cells[c] for c in columns])
        numbers.append(number)
    if not files and without:
        raise InputsError(
            f"{table} gives no picture of {folder} a class.", "Fill in the column ‘class’."
        )
    if not files:
        raise pictures.no_picture_error(strangers)
    told = [
        read_group_column(name, [row[i] for row in groups], numbers, table)
        for i, name in enumerate(names)
    ]
    remarks = listing.remarks()
    if hidden:
        remarks.append(f"{hidden:,} of its rows name files that are left out.")
    if without:
        remarks.append(
            f"{picture_count_text(without)} {'has' if without == 1 else 'have'} no class in {table} "
            f"and {'is' if without == 1 else 'are'} left out."
        )
    return TruthTable(
        tuple(files),
        _label_array(labels, len(classes), several),
        np.concatenate([np.zeros((len(files), 0), np.float32), *(g.values for g in told)], axis=1),
        tuple(name for group in told for name in group.names),
        len(listing.files) - len(seen),
        len(strangers),
        (*remarks, *(group.remark for group in told if group.remark)),
    )


def _parse_classes(
    cell: str, index: NameIndex, several: bool, number: int, table: Path
) -> list[int]:
    found: list[int] = []
    for name in _classes_in_cell(cell, index) if several else [cell]:
        at = index.find(name)
        if at is None:
            raise InputsError(
                f"Row {number} of {table} says class {name[:60]!r}, which the network has not.",
                index.hint(name),
            )
        found.append(at)
    return found


def _classes_in_cell(cell: str, index: NameIndex) -> list[str]:
    """Return the classes that a cell names: the whole cell, where a class is called so."""
    if index.find(cell) is not None:
        return [cell]
    if is_missing_class(cell):
        return []
    return names_in_cell(cell)


def _label_array(labels: list[list[int]], classes: int, several: bool) -> npt.NDArray[np.int64]:
    if not several:
        return np.array(labels, np.int64)[:, 0]
    table = np.zeros((len(labels), classes), np.int64)
    for i, shown in enumerate(labels):
        table[i, shown] = 1
    return table
