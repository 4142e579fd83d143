"""What one cell of a CSV file holds: text that no spreadsheet runs, and short lists."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from circuitz.disk.json_io import dumps, loads
from circuitz.errors import AnnotationError, CircuitzError

# Spreadsheets run what begins like this, the wide forms of East Asian keyboards included.
_FORMULA = re.compile(r"^'*[=+\-@\t\r＝＋－＠]")
_ESCAPED = re.compile(r"^'+[=+\-@\t\r＝＋－＠]")
_SEPARATOR = "; "


def escape_formula(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula.

    Text that begins with apostrophes and then so gets one more, so that none is lost in reading.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    """Undo :func:`escape_formula`."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def list_to_cell(items: Sequence[str]) -> str:
    """Write a list into one cell: ``snow; grass``, as JSON where that would be ambiguous."""
    plain = all(
        item and item == item.strip() and ";" not in item and "\n" not in item for item in items
    )
    if items and plain and not items[0].startswith("["):
        return _SEPARATOR.join(items)
    return dumps(list(items)).decode()


def list_from_cell(cell: str) -> list[Any]:
    """Undo :func:`list_to_cell`.

    Raises
    ------
    AnnotationError
        If the cell begins like JSON and is none.
    """
    if not cell.strip().startswith("["):
        return [item.strip() for item in cell.split(";") if item.strip()]
    try:
        found = loads(cell.encode("utf-8", "surrogatepass"), "the list")
    except CircuitzError as error:
        raise AnnotationError(f"{cell[:60]!r} is no list.", "Write snow; grass.") from error
    if not isinstance(found, list):
        raise AnnotationError(f"{cell[:60]!r} is no list.", "Write snow; grass.")
    return found


def number_from_cell(cell: str, what: str) -> float:
    """Read a number.

    Raises
    ------
    AnnotationError
        If it is none; a decimal comma is named as such.
    """
    try:
        return float(cell)
    except ValueError:
        comma = " Write a point, not a comma." if re.fullmatch(r"\s*\d*,\d+\s*", cell) else ""
        raise AnnotationError(f"Its {what} {cell[:40]!r} is no number.", comma.strip()) from None


def boolean_from_cell(cell: str) -> bool:
    """Read ``true`` or ``false``, as spreadsheets spell them.

    Raises
    ------
    AnnotationError
        If it is neither.
    """
    known = {"true": True, "false": False, "1": True, "0": False}
    if cell.strip().lower() not in known:
        raise AnnotationError(f"{cell[:40]!r} is neither true nor false.", "")
    return known[cell.strip().lower()]


def boolean_to_cell(value: bool) -> str:
    """Write ``true`` or ``false``."""
    return json.dumps(value)
