"""CSV files of annotations, and CLIP-Dissect's ``descriptions.csv``."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from circuitz.errors import AnnotationError, AnnotationFileError
from circuitz.z.annotation import Annotation
from circuitz.z.formats.annotation_row import (
    FIELDS,
    LINKS,
    MAX_ROWS,
    AnnotationFile,
    annotation_file_from_records,
)
from circuitz.z.formats.csv_cells import (
    boolean_from_cell,
    boolean_to_cell,
    escape_formula,
    escape_spreadsheet_text,
    list_from_cell,
    list_to_cell,
    number_from_cell,
    unescape_formula,
)
from circuitz.z.targets import EDGE, GROUP
from circuitz.z.unit import Unit

CLIP_DISSECT = ("layer", "unit", "description", "similarity")
# Columns of tables made by hand, or by ``z.units.to_csv``.
_OTHER_NAMES = {
    "unit": "target",
    "annotation": "text",
    "description": "text",
    "kind": "author_kind",
}
_MORE = tuple(name for name in FIELDS if name not in ("target", "text"))


def is_clip_dissect(header: Sequence[str]) -> bool:
    """Whether a CSV file with these columns is one of CLIP-Dissect's."""
    return {"layer", "unit", "description"} <= set(header) and "target" not in header


def parse_csv_table(text: str, path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Take a CSV file apart.

    Returns
    -------
    Its columns, and line and cells of each row that is not empty.

    Raises
    ------
    AnnotationFileError
        If it has no header, columns twice, rows of another length, or another delimiter.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    header: list[str] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, path)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise AnnotationFileError(
                    f"{path}: Line {reader.line_num} has {len(cells)} cells; the header has "
                    f"{len(header)}.",
                    'Put cells that hold a comma or a line break between "quotes".',
                )
            if len(rows) >= MAX_ROWS:
                raise AnnotationFileError(
                    f"{path} has more than {MAX_ROWS:,} lines.", "Split the file."
                )
            named = zip(header, cells, strict=True)
            rows.append((reader.line_num, {name: cell for name, cell in named if name}))
    except csv.Error as error:
        raise AnnotationFileError(
            f"{path}: Line {reader.line_num} is not CSV: {error}.",
            'Close every "quote", and double quotes inside of one.',
        ) from error
    return header, rows


def _check_header(header: list[str], path: Path) -> None:
    if not any(header):
        raise AnnotationFileError(f"{path} is empty.", "Its first line names the columns.")
    if len(header) == 1:
        for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if sign in header[0]:
                raise AnnotationFileError(
                    f"{path} is separated by {name}, not by commas.",
                    "Save it as CSV with commas (and UTF-8).",
                )
    named = [name for name in header if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise AnnotationFileError(f"{path} has the column {twice[0][:40]!r} twice.", "Rename one.")


def read_annotation_csv(
    header: list[str], rows: list[tuple[int, dict[str, str]]], path: Path
) -> AnnotationFile:
    """Read a CSV file of ours, or one made by hand with the columns ``target`` and ``text``."""
    names = {name: name for name in header if name in (*FIELDS, *LINKS)}
    for other, name in _OTHER_NAMES.items():
        if other in header and name not in names.values():
            names[other] = name
    missing = [name for name in ("target", "text") if name not in names.values()]
    if missing:
        found = ", ".join(repr(name[:40]) for name in header[:8])
        raise AnnotationFileError(
            f"{path} has no column {missing[0]!r}; it has {found}.",
            "Name the columns target and text; others may follow.",
        )
    history = "retracted" in names
    wanted = {other: name for other, name in names.items() if history or name not in LINKS}

    def fields_of_cells(cells: Mapping[str, str]) -> dict[str, Any]:
        return _values_from_cells(
            {name: unescape_formula(cells[other]) for other, name in wanted.items()}
        )

    return annotation_file_from_records(
        list[tuple[int, Mapping[str, Any]]](rows), path, "csv", fields_of_cells
    )


def _values_from_cells(cells: Mapping[str, str]) -> dict[str, Any]:
    """Turn cells into values; an empty cell says nothing."""
    record: dict[str, Any] = {}
    for name, cell in cells.items():
        if name in ("target", "text"):
            record[name] = cell
        elif not cell.strip():
            continue
        elif name in ("concepts", "evidence"):
            record[name] = list_from_cell(cell)
        elif name == "confidence":
            record[name] = number_from_cell(cell, name)
        elif name == "retracted":
            record[name] = boolean_from_cell(cell)
        else:
            record[name] = cell
    return record


def read_clip_dissect(
    header: list[str], rows: list[tuple[int, dict[str, str]]], path: Path
) -> AnnotationFile:
    """Read CLIP-Dissect's table: a row a unit, with the word that fits it best.

    A similarity is no confidence (soft-WPMI has no upper end), so it is left alone. Where nobody
    is named the words are CLIP-Dissect's, a model.
    """
    if not is_clip_dissect(header):
        raise AnnotationFileError(
            f"{path} is not CLIP-Dissect's: it lacks layer, unit or description.",
            "Use --format csv for a table with the columns target and text.",
        )
    more = [name for name in _MORE if name in header]

    def fields_of_cells(cells: Mapping[str, str]) -> dict[str, Any]:
        layer, unit = (
            unescape_formula(cells["layer"]).strip(),
            unescape_formula(cells["unit"]).strip(),
        )
        if not layer or not unit:
            raise AnnotationError("It names no layer or no unit.", "")
        record = _values_from_cells(
            {
                "target": f"{layer}:{unit}",
                "text": unescape_formula(cells["description"]),
                **{name: unescape_formula(cells[name]) for name in more},
            }
        )
        if "author_kind" not in record:
            record = {"author": "CLIP-Dissect", **record, "author_kind": "model"}
        return record

    file = annotation_file_from_records(
        list[tuple[int, Mapping[str, Any]]](rows), path, "clip-dissect", fields_of_cells
    )
    if "similarity" in header or "author_kind" in header:
        return file
    remark = (
        "There is no column similarity: it was guessed that the words are CLIP-Dissect's, a model's. "
        "A column author_kind (person, rule, model) says otherwise."
    )
    return replace(file, remarks=(remark,))


def annotations_to_csv(entries: Iterable[Annotation], *, history: bool) -> bytes:
    """Write annotations as CSV for spreadsheets (UTF-8 with a byte order mark, commas)."""
    columns = (*FIELDS, *LINKS) if history else FIELDS
    return codecs.BOM_UTF8 + _csv_bytes(
        columns, ([_format_cell(entry, name) for name in columns] for entry in entries)
    )


def annotations_to_clip_dissect(entries: Iterable[Annotation]) -> bytes:
    """Write annotations as CLIP-Dissect does, and what its columns do not hold after them.

    The similarity stays empty: nobody measured one.
    """
    rows: list[list[str]] = []
    for entry in entries:
        unit = Unit.parse(entry.target)
        layer = f"{unit.layer}@{unit.basis}" if unit.basis else unit.layer
        cells = [escape_formula(layer), escape_formula(unit.name), escape_formula(entry.text), ""]
        rows.append([*cells, *(_format_cell(entry, name) for name in _MORE)])
    return _csv_bytes((*CLIP_DISSECT, *_MORE), rows)


def is_about_one_unit(entry: Annotation) -> bool:
    """Whether formats that know units alone can hold an annotation: no groups, no edges."""
    return not entry.target.startswith((GROUP, EDGE))


def _format_cell(entry: Annotation, name: str) -> str:
    value: Any = getattr(entry, name)
    if name in ("concepts", "evidence"):
        return escape_spreadsheet_text(list_to_cell(value))
    if name == "retracted":
        return boolean_to_cell(value)
    return escape_spreadsheet_text(value) if isinstance(value, str) else repr(float(value))


def _csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8")
