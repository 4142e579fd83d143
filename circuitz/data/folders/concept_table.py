"""Concept labels of picture files, read from a CSV file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from circuitz.errors import ConceptLabelsError
from circuitz.z.inputs import SPLITS

_SPECIAL = ("path", "scene", "split")
CONCEPT_VALUES = {"1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0, "true": 1.0, "false": 0.0, "yes": 1.0,
           "no": 0.0, "": np.nan, "nan": np.nan, "na": np.nan, "?": np.nan}  # fmt: skip
_DELIMITERS = (",", ";", "\t")
_MOST_BYTES = 2**28


def read_csv_with_header(
    table: Path, key: str = "path"
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Read a CSV file with a header that has a column ``path``, or the one named.

    Commas, semicolons (spreadsheets of many countries) and tabs divide cells, whichever the
    header uses; a byte order mark is left out, and so are empty lines.

    Returns
    -------
    The header, and the rows with their numbers, each as long as the header.

    Raises
    ------
    ConceptLabelsError
        If it cannot be read, is no CSV, or names no or equal columns; while rows are taken, if
        one has too many or too few cells.
    """
    try:
        if table.stat().st_size > _MOST_BYTES:
            raise ConceptLabelsError(
                f"{table} has more than {_MOST_BYTES:,} bytes.", "Give the table of one set."
            )
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConceptLabelsError(f"{table} cannot be read.", "Save it as CSV in UTF-8.") from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = next((d for d in _DELIMITERS if key in _split_csv_line(first, d)), ",")
    header = _split_csv_line(first, delimiter)
    if key not in header:
        raise ConceptLabelsError(f"{table} has no column ‘{key}’.", "Name the columns on line 1.")
    double = sorted({h for h in header if header.count(h) > 1})
    if double:
        raise ConceptLabelsError(
            f"{table} has two columns ‘{double[0]}’.", "Give each column its own name."
        )
    return header, _iterate_data_rows(table, text, header, delimiter)


def _split_csv_line(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _iterate_data_rows(
    table: Path, text: str, header: list[str], delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    number = 0
    try:
        for cells in lines:
            # Spreadsheets end a table with rows of empty cells.
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            if number == 1:
                continue
            if len(cells) != len(header):
                raise ConceptLabelsError(
                    f"Row {number} of {table} has {len(cells)} cells, the header {len(header)}.",
                    "Give every row all columns; leave a cell empty where nothing is known.",
                )
            yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise ConceptLabelsError(f"{table} is not CSV: {error}.", "Correct it.") from error


def parse_concept_cell(cell: str, column: str, number: int, table: Path) -> float:
    """Return 1, 0 or NaN for what a cell says.

    Raises
    ------
    ConceptLabelsError
        If it says anything else.
    """
    found = CONCEPT_VALUES.get(cell.lower())
    if found is None:
        raise ConceptLabelsError(
            f"‘{column}’ in row {number} of {table} is {cell[:60]!r}.",
            "Use 1 for present, 0 for absent, nothing for not known.",
        )
    return found


def resolve_cell_path(cell: str, base: Path, number: int, table: Path) -> str:
    """Return the absolute place that a cell names; nothing is looked up on disk.

    Raises
    ------
    ConceptLabelsError
        If the cell is empty.
    """
    # Spreadsheets on Windows write backslashes.
    path = cell.replace("\\", "/")
    if not path or "\0" in path:
        raise ConceptLabelsError(f"Row {number} of {table} names no file.", "Give each row a path.")
    return os.path.normpath(os.path.join(base.absolute(), path))  # noqa: PTH118 (much faster)


def lies_within_folder(place: str, folder: Path) -> bool:
    """Whether a place lies in a folder, as the two are written."""
    inside = os.path.normpath(folder.absolute())
    return place == inside or place.startswith(inside.rstrip(os.sep) + os.sep)


class ConceptTable:
    """Concept labels of files, read from CSV.

    Parameters
    ----------
    table
        The CSV file.
    folder, files
        The pictures that labels are wanted for, in their order, and the folder they lie in.
    base
        What paths are relative to.
    strangers
        Whether rows may name files outside ``folder``, which are then counted and left alone.
        No file is opened because a row names it.

    Raises
    ------
    ConceptLabelsError
        If the table names missing or double files, or holds what is no label.
    """

    def __init__(
        self,
        table: Path,
        folder: Path,
        files: Sequence[Path],
        *,
        base: Path,
        strangers: bool = False,
    ) -> None:
        self.table, self.folder, self.base = table, folder, base
        header, rows = read_csv_with_header(table)
        self.header = header
        self.names = tuple(h for h in header if h not in _SPECIAL)
        if not self.names:
            raise ConceptLabelsError(
                f"{table} has no concept columns.", "Add one column a concept."
            )
        known = {os.path.abspath(f): i for i, f in enumerate(files)}  # noqa: PTH100
        self.values = np.full((len(files), len(self.names)), np.nan, dtype=np.float32)
        self.scene: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None
        scene = np.arange(len(files), dtype=np.int64)
        splits = np.full(len(files), 255, dtype=np.uint8)
        columns = [header.index(name) for name in self.names]
        here = base.absolute()
        at_path = header.index("path")
        at_scene = header.index("scene") if "scene" in header else -1
        at_split = header.index("split") if "split" in header else -1
        seen: dict[str, int] = {}
        scenes: dict[str, int] = {}
        self.elsewhere = 0
        for number, cells in rows:
            place = resolve_cell_path(cells[at_path], here, number, table)
            if place not in known and strangers and not lies_within_folder(place, folder):
                self.elsewhere += 1
                continue
            if place in seen:
                raise ConceptLabelsError(
                    f"{table} names {cells[at_path]} twice, in rows {seen[place]} and {number}.",
                    "Join the two rows.",
                )
            if place not in known:
                raise self._missing_file_error(cells[at_path], number)
            seen[place] = number
            at = known[place]
            self.values[at] = [
                parse_concept_cell(cells[c], name, number, table)
                for c, name in zip(columns, self.names, strict=True)
            ]
            if at_scene >= 0 and cells[at_scene]:
                # Numbered from beyond the files, so that no lone picture joins one by chance.
                scene[at] = scenes.setdefault(cells[at_scene], len(files) + len(scenes))
            if at_split >= 0:
                splits[at] = self._parse_split(cells[at_split], number)
        self.labelled = len(seen)
        if at_split >= 0 and seen and (splits == 255).any():
            raise ConceptLabelsError(
                f"{table} gives a split to some pictures only.", "Give it to all or to none."
            )
        self.split = splits if at_split >= 0 and seen else None
        if at_scene >= 0:
            self.scene = scene

    def keep_only_rows(self, rows: Sequence[int]) -> None:
        """Forget all pictures but these, given by their places."""
        chosen = np.asarray(rows, np.int64)
        self.values = self.values[chosen]
        self.scene = None if self.scene is None else self.scene[chosen]
        self.split = None if self.split is None else self.split[chosen]
        self.labelled = int(np.isfinite(self.values).any(1).sum())

    def _missing_file_error(self, cell: str, number: int) -> ConceptLabelsError:
        of = "this file" if self.base == self.table.parent else "the folder of the pictures"
        return ConceptLabelsError(
            f"Row {number} of {self.table} names {cell[:200]}, which is not in {self.folder}.",
            f"Paths are relative to {of}; pictures end in .png, .jpg and the like.",
        )

    def _parse_split(self, cell: str, number: int) -> int:
        if cell not in SPLITS:
            raise ConceptLabelsError(
                f"The split in row {number} of {self.table} is {cell!r}.",
                f"Use {', '.join(SPLITS)}.",
            )
        return SPLITS.index(cell)
