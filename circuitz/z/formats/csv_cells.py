"""What one cell of a CSV file holds: text that no spreadsheet runs or converts, and short lists."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from circuitz.disk.json_io import dumps, loads
from circuitz.errors import AnnotationError, CircuitzError

# Spreadsheets run what begins like this, the wide forms of East Asian keyboards included.
_FORMULA = re.compile(r"^'*[=+\-@\t\r＝＋－＠]")
# What they take for a number, a share, a date, a time or a truth, and write back as such: ids like
# 0012 and 12e34, units like 0:5 of a layer called 0, March 5.
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|"
    r"januar|februar|mär|märz|mai|juni|juli|okt|oktober|dez|dezember|ene|enero|febrero|marzo|abr|"
    r"abril|mayo|junio|julio|ago|agosto|septiembre|octubre|noviembre|dic|diciembre|janv|janvier|"
    r"févr?|février|mars|avr|avril|juin|juil|juillet|août|septembre|octobre|novembre|déc|décembre)"
)
_TRUTH = "true|false|wahr|falsch|vrai|faux|verdadero|falso|vero"
_CONVERTED = re.compile(
    r"[$€£]?[.,]?\d[\d.,:/%+\- ]*(?:e[+\-]?\d+)?(?:[%€£$]| ?[ap]m)?"
    rf"|(?:\d+[-/ .]*)?{_MONTH}[-/ .,]*\d+(?:[-/ .,]+\d+)?|\d+[-/ .]*{_MONTH}|{_TRUTH}"
    r"|\d{4}-\d\d?-\d\d?[t ]\d\d?:\d\d.*|\([$€£]?[.,]?\d[\d.,]*%?\)"
)
# Converted, and written back as it was.
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_LONGEST = 80  # longer text is no number
_ESCAPED = re.compile(r"^'+[=+\-@\t\r＝＋－＠]")
_SEPARATOR = "; "
BYTE_ORDER_MARK = "\ufeff"
"""First character of a file for spreadsheets: some read it in another encoding without."""


def escape_formula(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula.

    Text that begins with apostrophes and then so gets one more, so that none is lost in reading.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def escape_spreadsheet_text(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run or convert: formulas, numbers, dates.

    A spreadsheet shows it and leaves it, and :func:`unescape_formula` takes it off.
    """
    return f"'{text}" if _FORMULA.match(text) or _is_converted(text) else text


def escape_spreadsheet_name(text: str) -> str:
    """Escape as :func:`escape_spreadsheet_text`, but for whole numbers, which come back as they were.

    For names that may well be numbers: of classes, files and people.
    """
    return text if _WHOLE_NUMBER.fullmatch(text) else escape_spreadsheet_text(text)


def _is_converted(text: str) -> bool:
    """Whether spreadsheets make something else of a text, apostrophes before it aside."""
    plain = text.lstrip("'").strip().lower()
    return len(plain) <= _LONGEST and _CONVERTED.fullmatch(plain) is not None


def unescape_formula(cell: str) -> str:
    """Undo :func:`escape_formula` and :func:`escape_spreadsheet_text`."""
    escaped = cell.startswith("'") and (_ESCAPED.match(cell) or _is_converted(cell))
    return cell[1:] if escaped else cell


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
