"""One line of a file of annotations, whatever the format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from circuitz.disk.safe_text import MAX_NAME, strip_and_check_name, strip_and_check_text
from circuitz.errors import AnnotationError, AnnotationFileError
from circuitz.z.annotation import Annotation, AuthorKind

#: Formats that are written and read, and those that are read alone.
FORMATS = ("csv", "jsonl", "clip-dissect", "neuronpedia")
READ_FORMATS = (*FORMATS, "netdissect", "feature-circuits")
FIELDS = (
    "target",
    "text",
    "concepts",
    "author",
    "author_kind",
    "confidence",
    "time",
    "id",
    "evidence",
    "lexicon_hash",
    "weights_hash",
)
LINKS = ("supersedes", "retracted", "undoes")
MAX_ROWS = 1_000_000
MAX_TARGET = 20_000  # a group may have many members
_KINDS = get_args(AuthorKind)
_SHOWN = 5


@dataclass(frozen=True)
class AnnotationRow:
    """One line of a file.

    Parameters
    ----------
    line
        Its line in the file, counted from 1.
    entry
        What it says. An ``id`` or ``time`` the file does not give is empty.
    stated_fields
        Names of the fields the file does give.
    """

    line: int
    entry: Annotation
    stated_fields: frozenset[str]


@dataclass(frozen=True)
class AnnotationFile:
    """What a file holds.

    Parameters
    ----------
    path, format
        Where it was read from, and in which of the formats.
    rows
        Its annotations in the order of the file.
    empty
        How many lines said nothing about a unit; they are passed over.
    history
        Whether the rows are a whole log, undone and withdrawn entries included.
    remarks
        Sentences on what was not simply read: guesses, and what was left out.
    """

    path: Path
    format: str
    rows: tuple[AnnotationRow, ...]
    empty: int = 0
    history: bool = False
    remarks: tuple[str, ...] = ()


class LineProblems:
    """Collects what is wrong with single lines, to be told together."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._problems: list[tuple[int, str, str]] = []

    def add(self, line: int, message: str, hint: str = "") -> None:
        """Note what is wrong with a line."""
        self._problems.append((line, message, hint))

    def raise_if_any(self) -> None:
        """Raise an error that names the first lines, when there is anything to tell."""
        if not self._problems:
            return
        shown = " ".join(f"Line {line}: {message}" for line, message, _ in self._problems[:_SHOWN])
        more = len(self._problems) - _SHOWN
        if more > 0:
            shown += f" And {more:,} more lines."
        hint = next((hint for _, _, hint in self._problems if hint), "Correct the file.")
        raise AnnotationFileError(f"{self._path}: {shown}", f"{hint} Nothing was written.")


def make_annotation_row(record: Mapping[str, Any], line: int) -> AnnotationRow | None:
    """Make a row from fields by the names of :class:`~circuitz.z.annotation.Annotation`.

    Returns
    -------
    None when the record says nothing.

    Raises
    ------
    AnnotationError
        If a field is not what it has to be.
    """
    given = {name: value for name, value in record.items() if value is not None}
    history = "retracted" in given
    text = _require_text(given.get("text", ""), "text").replace("\r\n", "\n")
    target = _require_text(given.get("target", ""), "target").strip()
    if not target or len(target) > MAX_TARGET:
        raise AnnotationError("It names no unit." if not target else "Its unit is no unit.", "")
    silent = history and (given["retracted"] or given.get("undoes"))
    if not text.strip() and not silent:
        return None
    kind = given.get("author_kind", "person")
    if kind not in _KINDS:
        raise AnnotationError(f"{kind!r} is no kind of author.", "Use person, rule or model.")
    entry = Annotation(
        id=_clean_name_field(given, "id"),
        target=target,
        text="" if silent else strip_and_check_text(text),
        concepts=_clean_list_field(given, "concepts"),
        author=_clean_name_field(given, "author"),
        author_kind=kind,
        confidence=_checked_confidence(given.get("confidence", 1.0)),
        lexicon_hash=_clean_name_field(given, "lexicon_hash"),
        evidence=_clean_list_field(given, "evidence"),
        time=_clean_name_field(given, "time"),
        weights_hash=_clean_name_field(given, "weights_hash"),
    )
    if history:
        if not isinstance(given["retracted"], bool):
            raise AnnotationError(f"retracted is {given['retracted']!r}, not true or false.", "")
        entry = replace(
            entry,
            supersedes=_clean_name_field(given, "supersedes"),
            retracted=given["retracted"],
            undoes=_clean_name_field(given, "undoes"),
        )
    return AnnotationRow(line, entry, frozenset(given))


def _require_text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise AnnotationError(f"Its {what} is a {type(value).__name__}, not text.", "")
    return value


def _clean_name_field(record: Mapping[str, Any], what: str) -> str:
    name = record.get(what, "")
    return strip_and_check_name(name, what=what) if name else ""


def _clean_list_field(record: Mapping[str, Any], what: str) -> tuple[str, ...]:
    values = record.get(what, ())
    if not isinstance(values, (list, tuple)):
        raise AnnotationError(f"Its {what} are a {type(values).__name__}, not a list.", "")
    return tuple(strip_and_check_text(value, what=what, limit=MAX_NAME) for value in values)


def _checked_confidence(value: object) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    share = float(value) if number else float("nan")  # type: ignore[arg-type]
    if not 0.0 <= share <= 1.0:
        raise AnnotationError(f"Its confidence {str(value)[:40]!r} is not in 0 to 1.", "")
    return share


def annotation_file_from_records(
    records: list[tuple[int, Mapping[str, Any]]],
    path: Path,
    kind: str,
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> AnnotationFile:
    """Make rows of all records, or tell what is wrong with each.

    Parameters
    ----------
    records
        Line and fields of each, as the file has them.
    kind
        Which format it is.
    read
        Turns the fields of that format into those of an annotation.

    Raises
    ------
    AnnotationFileError
        If lines are not what they have to be; the first are named.
    """
    problems, rows, empty = LineProblems(path), list[AnnotationRow](), 0
    if len(records) > MAX_ROWS:
        raise AnnotationFileError(
            f"{path} has {len(records):,} lines; at most {MAX_ROWS:,} are read.", "Split it."
        )
    history = 0
    for line, record in records:
        try:
            fields = read(record)
            row = make_annotation_row(fields, line)
        except AnnotationError as error:
            problems.add(line, error.message, error.hint)
            continue
        if row is None:
            empty += 1
        else:
            history += "retracted" in row.stated_fields
            rows.append(row)
    problems.raise_if_any()
    if history and history < len(rows):
        raise AnnotationFileError(
            f"{path} is a history in some lines and not in others.", "Export it again."
        )
    return AnnotationFile(path, kind, tuple(rows), empty, bool(history))
