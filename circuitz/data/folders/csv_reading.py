"""CSV files as spreadsheets and programs write them: encodings, delimiters, headers, rows."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from circuitz.data.folders.input_warnings import warn_about_inputs
from circuitz.data.folders.name_forms import plain_name
from circuitz.errors import ConceptLabelsError

_DELIMITERS = (",", ";", "\t")
_MOST_BYTES = 2**28
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_NO_TEXT = (
    (b"PK\x03\x04", "an Excel workbook or a zip file", "In the spreadsheet choose Save as, CSV UTF-8."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "In the spreadsheet choose Save as, CSV UTF-8."),
    (b"\x1f\x8b", "compressed", "Unpack it."),
    (b"PAR1", "a Parquet file", "Write it as CSV: table.to_csv(name, index=False)."),
)  # fmt: skip
_UTF8 = "Save it as CSV in UTF-8."
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t]*', re.IGNORECASE)
_SHOWN = 40


def read_csv_with_header(
    table: Path,
    key: str = "path",
    *,
    special: Collection[str] = (),
    only: Collection[str] | None = None,
    keep_blanks: bool = False,
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Read a CSV file with a header that has a column ``path``, or the one named.

    Commas, semicolons (spreadsheets of many countries) and tabs divide cells, whichever the
    header uses or a first line ``sep=;`` names; a byte order mark is left out, and so are empty
    lines. UTF-8 and UTF-16 are read; what is neither is read as Windows-1252, and said so.

    Parameters
    ----------
    table
        The file.
    key
        A column that must be there.
    special
        Other columns that are known by their names: these, and ``key``, may be written with
        capitals.
    only
        Columns that will be used; by default all, and then no two may share a name.
    keep_blanks
        Whether cells keep the blanks around them: names of files and classes may have some.

    Returns
    -------
    The header, and the rows with their numbers, each as long as the header.

    Raises
    ------
    ConceptLabelsError
        If it cannot be read, is no CSV, or names no or equal columns; while rows are taken, if
        one has too many or too few cells.
    """
    text = _read_table_text(table)
    delimiter, skipped = _delimiter_line(text)
    choices = (delimiter,) if delimiter else _DELIMITERS
    headers = [_first_cells(text, d, skipped) for d in choices]
    wanted = (key, *special)
    headers = [_with_known_columns(header, wanted) for header in headers]
    chosen = next((i for i, header in enumerate(headers) if key in header), 0)
    header, delimiter = headers[chosen], choices[chosen]
    if key not in header:
        raise _no_column_error(table, key, max(headers, key=len))
    doubles = sorted({h for h in header if header.count(h) > 1 and (only is None or h in only)})
    if doubles:
        raise ConceptLabelsError(
            f"{table} has two columns ‘{doubles[0]}’.", "Give each column its own name."
        )
    return header, _iterate_data_rows(table, text, header, delimiter, skipped, keep_blanks)


def _read_table_text(table: Path) -> str:
    try:
        if table.stat().st_size > _MOST_BYTES:
            raise ConceptLabelsError(
                f"{table} has more than {_MOST_BYTES:,} bytes.", "Give the table of one set."
            )
        raw = table.read_bytes()
    except OSError as error:
        raise ConceptLabelsError(f"{table} cannot be read: {error.strerror}.", _UTF8) from error
    for head, what, remedy in _NO_TEXT:
        if raw.startswith(head):
            raise ConceptLabelsError(f"{table} cannot be read as CSV: it is {what}.", remedy)
    return _decode_table(raw, table)


def _decode_table(raw: bytes, table: Path) -> str:
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    if encoding == "utf-8" and raw[:2000].count(0) * 3 > len(raw[:2000]):
        # Every other byte of western text in UTF-16 is nought.
        encoding = "utf-16-be" if raw[0] == 0 else "utf-16-le"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise ConceptLabelsError(f"{table} cannot be read as {encoding}.", _UTF8) from error
        text = _decode_as_western(raw, table, error)
    if "\0" in text:
        raise ConceptLabelsError(f"{table} cannot be read: it is no text.", _UTF8)
    return text


def _decode_as_western(raw: bytes, table: Path, problem: UnicodeDecodeError) -> str:
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        raise ConceptLabelsError(f"{table} cannot be read: it is not UTF-8.", _UTF8) from problem
    line = next(line for line in text.splitlines() if not line.isascii())
    warn_about_inputs(
        f"{table} is not in UTF-8; it is read as Windows-1252, which is a guess: its first line "
        f"with such letters reads ‘{line[: 2 * _SHOWN]}’. If that is wrong, save it in UTF-8."
    )
    return text


def _delimiter_line(text: str) -> tuple[str, int]:
    """Return the delimiter that a first line ``sep=;`` names, and how many characters it takes."""
    line = io.StringIO(text, newline="").readline()
    found = _SEPARATOR_LINE.fullmatch(line.rstrip("\r\n"))
    return (found[1], len(line)) if found else ("", 0)


def _first_cells(text: str, delimiter: str, skipped: int) -> list[str]:
    """Return the first line that is not empty; columns without a name at its end are left out."""
    lines = io.StringIO(text, newline="")
    lines.seek(skipped)
    try:
        cells = next(
            (c for c in csv.reader(lines, delimiter=delimiter) if any(x.strip() for x in c)), []
        )
    except csv.Error:
        return []
    named = [plain_name(cell) for cell in cells]
    while named and not named[-1]:
        named.pop()
    return named


def _with_known_columns(header: list[str], wanted: Collection[str]) -> list[str]:
    """Write special columns the way they are known, where no column is called so already."""
    made = list(header)
    for name in wanted:
        alike = [i for i, cell in enumerate(header) if cell.casefold() == name]
        if name not in header and len(alike) == 1:
            made[alike[0]] = name
    return made


def _no_column_error(table: Path, key: str, header: list[str]) -> ConceptLabelsError:
    if not header:
        return ConceptLabelsError(f"{table} has no column ‘{key}’: it is empty.", "Fill it.")
    first = ", ".join(f"‘{cell[:_SHOWN]}’" for cell in header[:4])
    return ConceptLabelsError(
        f"{table} has no column ‘{key}’: line 1 holds {first}{' and more' if header[4:] else ''}.",
        f"Name the columns on line 1, one of them ‘{key}’; divide them by commas, semicolons or "
        "tabs.",
    )


def _iterate_data_rows(
    table: Path, text: str, header: list[str], delimiter: str, skipped: int, keep_blanks: bool
) -> Iterator[tuple[int, list[str]]]:
    lines = io.StringIO(text, newline="")
    lines.seek(skipped)
    number = 1 if skipped else 0
    width, named_or_not = len(header), 0
    try:
        for cells in csv.reader(lines, strict=True, delimiter=delimiter):
            # Spreadsheets end a table with rows of empty cells.
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            if not named_or_not:
                named_or_not = len(cells)
                continue
            # They also end each row with empty cells where a column was cleared.
            more = "".join(itertools.islice(cells, width, None)).strip()
            if more and len(cells) <= named_or_not:
                raise ConceptLabelsError(
                    f"{table} has a column without a name; in row {number} it holds "
                    f"{more[:_SHOWN]!r}.",
                    "Name it on line 1, or leave it out.",
                )
            if more or len(cells) < width:
                raise ConceptLabelsError(
                    f"Row {number} of {table} has {len(cells)} cells, the header {width}.",
                    "Give every row all columns; leave a cell empty where nothing is known. A cell "
                    f"that holds ‘{delimiter}’ or a new line stands in quotes.",
                )
            yield number, cells[:width] if keep_blanks else [c.strip() for c in cells[:width]]
    except csv.Error as error:
        raise ConceptLabelsError(f"{table} is not CSV: {error}.", "Correct it.") from error
