"""Class labels of picture files from a CSV file, where sub-folders cannot tell them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circuitz.data.folders.csv_reading import read_csv_with_header
from circuitz.data.folders.name_forms import (
    DOUBTFUL_NAMES,
    SEPARATOR,
    is_missing_class,
    names_in_cell,
    plain_name,
    refuse_names_alike,
)
from circuitz.data.folders.picture_files import picture_count_text
from circuitz.data.folders.picture_paths import PicturePaths
from circuitz.errors import InputsError

CLASS_COLUMN_HINT = (
    "Call the column with each picture's class ‘class’; columns are named on line 1."
)


@dataclass(frozen=True, eq=False)
class ClassTable:
    """Pictures and the classes they show.

    Parameters
    ----------
    files
        The pictures that have a row, in the order they were given.
    classes
        All classes that occur, sorted.
    labels
        ``(n,)`` int64 indices where each picture shows exactly one class, or else
        ``(n, len(classes))`` of 0 and 1.
    remarks
        What was left out, and what was guessed.
    """

    files: tuple[Path, ...]
    classes: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    remarks: tuple[str, ...] = ()


def read_classes(table: Path, folder: Path, files: Sequence[Path]) -> ClassTable:
    """Read ``path,class``; a cell may name several classes divided by ``|``, or none.

    Where no cell has a ``|``, each picture shows one class, and a picture whose cell is empty has
    no label: it is left out. Where some cell has one, an empty cell means none of the classes.

    Parameters
    ----------
    table
        CSV; ``path`` is relative to it. Other columns are left alone.
    folder, files
        The pictures there are, and the folder they lie in.

    Raises
    ------
    InputsError
        If there is no such file, no column ``class``, no row names any of the pictures, or two
        classes are one name in two spellings.
    ConceptLabelsError
        If it is no CSV, or names a picture twice.
    """
    if not table.is_file():
        raise InputsError(f"There is no file {table}.", "Check the path.")
    header, rows = read_csv_with_header(
        table, special=("class",), only=("path", "class"), keep_blanks=True
    )
    if "class" not in header:
        raise InputsError(
            f"{table} has no column ‘class’; it has {', '.join(header[:8])}.", CLASS_COLUMN_HINT
        )
    at_path, at_class = header.index("path"), header.index("class")
    pictures = PicturePaths(folder, files, table, table.parent)
    cells_of: dict[int, tuple[int, str]] = {}
    strangers: list[str] = []
    for number, cells in rows:
        at = pictures.find(cells[at_path], number)
        if at is None:
            strangers.append(cells[at_path])
        elif at in cells_of:
            raise InputsError(
                f"{table} names {cells[at_path][:200]} twice, in rows {cells_of[at][0]} and {number}.",
                "Join the two rows.",
            )
        else:
            cells_of[at] = (number, plain_name(cells[at_class]))
    if not cells_of:
        raise pictures.no_picture_error(strangers)
    cell = {at: cells_of[at][1] for at in sorted(cells_of)}
    remarks = _row_remarks(table, folder, len(files) - len(cell), strangers)
    # A folder of that name makes sure that a class is called nan.
    folders = {part for at in cell for part in files[at].parent.relative_to(folder).parts}
    missing = {at for at, text in cell.items() if is_missing_class(text, folders)}
    several = any(SEPARATOR in text for text in cell.values())
    one = {text for at, text in cell.items() if at not in missing}
    if missing and not several and len(one) == 1:
        several = True
        remarks.append(
            f"{table} names one class alone, ‘{next(iter(one))}’: a picture whose cell is empty is "
            "taken not to show it."
        )
    elif missing and not several:
        remarks.append(_missing_class_remark(table, [cell[at] for at in missing]))
        cell = {at: text for at, text in cell.items() if at not in missing}
    if not cell or not one:
        raise InputsError(f"{table} gives no picture a class.", CLASS_COLUMN_HINT)
    names = {
        at: [] if at in missing else names_in_cell(text) if several else [text]
        for at, text in cell.items()
    }
    found = _class_table(tuple(files[at] for at in cell), list(names.values()), several)
    refuse_names_alike(found.classes, f"In {table} the classes", "Write each class in one way.")
    remarks += _doubtful_class_remarks(table, found.classes)
    return ClassTable(found.files, found.classes, found.labels, tuple(remarks))


def _class_table(files: tuple[Path, ...], names: list[list[str]], several: bool) -> ClassTable:
    classes = tuple(sorted({name for some in names for name in some}))
    index = {name: k for k, name in enumerate(classes)}
    if not several:
        return ClassTable(files, classes, np.array([index[some[0]] for some in names], np.int64))
    labels = np.zeros((len(files), len(classes)), np.int64)
    for i, some in enumerate(names):
        labels[i, [index[name] for name in some]] = 1
    return ClassTable(files, classes, labels)


def _row_remarks(table: Path, folder: Path, without: int, strangers: list[str]) -> list[str]:
    said: list[str] = []
    if without:
        said.append(
            f"{picture_count_text(without)} of {folder} {'has' if without == 1 else 'have'} no row "
            f"in {table} and {'is' if without == 1 else 'are'} left out."
        )
    if strangers:
        n = len(strangers)
        said.append(
            f"{n:,} {'row' if n == 1 else 'rows'} of {table} {'names' if n == 1 else 'name'} no "
            f"picture of {folder} (first {strangers[0][:200]})."
        )
    return said


def _missing_class_remark(table: Path, cells: list[str]) -> str:
    n = len(cells)
    words = Counter(cell for cell in cells if cell)
    read = f" ({', '.join(map(repr, sorted(words)[:3]))} is read as no class)" if words else ""
    return (
        f"{picture_count_text(n)} {'has' if n == 1 else 'have'} no class in {table}{read} and "
        f"{'is' if n == 1 else 'are'} left out. Where an empty cell means none of the classes, "
        f"write {SEPARATOR} in it."
    )


def _doubtful_class_remarks(table: Path, classes: tuple[str, ...]) -> list[str]:
    return [
        f"{table} has a class {name!r}, and it is taken as one; leave the cells empty if they are "
        "to say that there is none."
        for name in classes
        if name.lower() in DOUBTFUL_NAMES
    ]
