"""Class labels of picture files from a CSV file, where sub-folders cannot tell them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circuitz.data.folders.concept_table import read_csv_with_header, resolve_cell_path
from circuitz.errors import InputsError

SEPARATOR = "|"
"""Divides the classes of a picture that shows several."""


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
    """

    files: tuple[Path, ...]
    classes: tuple[str, ...]
    labels: npt.NDArray[np.int64]


def read_classes(table: Path, folder: Path, files: Sequence[Path]) -> ClassTable:
    """Read ``path,class``; a cell may name several classes divided by ``|``, or none.

    Parameters
    ----------
    table
        CSV; ``path`` is relative to it. Other columns are left alone.
    folder, files
        The pictures there are, and the folder they lie in.

    Raises
    ------
    InputsError
        If there is no such file, no column ``class``, or no row names any of the pictures.
    ConceptLabelsError
        If it is no CSV, or names a picture twice.
    """
    if not table.is_file():
        raise InputsError(f"There is no file {table}.", "Check the path.")
    header, rows = read_csv_with_header(table)
    if "class" not in header:
        raise InputsError(f"{table} has no column ‘class’.", "Name the columns on line 1.")
    at_path, at_class = header.index("path"), header.index("class")
    here = folder.absolute()
    known = {resolve_cell_path(str(f.absolute()), here, 0, table): i for i, f in enumerate(files)}
    base = table.parent.absolute()
    said: dict[int, tuple[int, list[str]]] = {}
    for number, cells in rows:
        at = known.get(resolve_cell_path(cells[at_path], base, number, table))
        if at is None:
            continue
        if at in said:
            raise InputsError(
                f"{table} names {cells[at_path][:200]} twice, in rows {said[at][0]} and {number}.",
                "Join the two rows.",
            )
        names = [name.strip() for name in cells[at_class].split(SEPARATOR) if name.strip()]
        said[at] = (number, names)
    if not said:
        raise InputsError(
            f"{table} names no picture of {folder}.", "Its paths are relative to the file."
        )
    order = sorted(said)
    classes = tuple(sorted({name for at in order for name in said[at][1]}))
    table_of = np.zeros((len(order), len(classes)), np.int64)
    for i, at in enumerate(order):
        table_of[i, [classes.index(name) for name in said[at][1]]] = 1
    one = bool((table_of.sum(1) == 1).all())
    labels = table_of.argmax(1).astype(np.int64) if one else table_of
    return ClassTable(tuple(files[at] for at in order), classes, labels)
