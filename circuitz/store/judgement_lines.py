"""Judgements as JSON Lines: one a line, to be kept, sent and joined; what was shown goes first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from circuitz.disk.atomic import bundle_write_error_from, staged_file_replacement
from circuitz.errors import StoreError
from circuitz.store.judgement import NO_OPTIONS, Judgement
from circuitz.store.shown_record import ShownRecord


def judgement_lines(rows: Iterable[Judgement], shown: Iterable[ShownRecord] = ()) -> bytes:
    """Return what was shown and judgements as JSON Lines."""
    records = [*(s.to_dict() for s in shown), *(j.to_dict() for j in rows)]
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records).encode()


def shown_with_rows(
    shown: Iterable[ShownRecord], rows: Iterable[Judgement], *, all_kept: bool
) -> list[ShownRecord]:
    """Return all that was shown, or what these judgements name."""
    named = {name for row in rows for name in (row.card_hash, *row.items)}
    return [record for record in shown if all_kept or record.hash in named]


def write_judgement_lines(
    path: Path, rows: Iterable[Judgement], shown: Iterable[ShownRecord] = ()
) -> None:
    """Write judgements to a file, wholly or not at all.

    Raises
    ------
    StoreError
        If it cannot be written; what was there before stays.
    """
    try:
        with staged_file_replacement(path, judgement_lines(rows, shown)):
            pass
    except OSError as error:
        said = bundle_write_error_from(path, error)
        raise StoreError(said.message, said.hint) from error


def read_judgement_lines(path: Path) -> list[Judgement]:
    """Read the judgements of a file; raises as :func:`read_store_lines`."""
    return read_store_lines(path)[0]


def read_store_lines(path: Path) -> tuple[list[Judgement], list[ShownRecord]]:
    """Read a file of judgements, and of what was shown.

    Raises
    ------
    StoreError
        Naming the line, if one is no judgement or chooses none of its options, or is no record of
        what was shown; or if the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read: {error}.", "Check the path.") from error
    found: list[Judgement] = []
    shown: list[ShownRecord] = []
    # Not splitlines(): other separators of lines may stand within a text.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise StoreError(
                f"Line {number} of {path} is not JSON.", f"{error}; nothing was stored."
            ) from error
        if not isinstance(record, dict):
            raise StoreError(
                f"Line {number} of {path} is not a judgement.",
                "Give a file that was exported from a store; nothing was stored.",
            )
        try:
            if "record" in record:
                shown.append(ShownRecord.from_dict(record))
                continue
            row = Judgement.from_dict(record)
        except StoreError as error:
            raise StoreError(f"Line {number} of {path}: {error.message}", error.hint) from error
        if not row.has_offered_choice:
            raise StoreError(
                f"Line {number} of {path} answers {str((row.answer or {})['choice'])[:60]!r}, "
                "which is none of its options.",
                f"They are {', '.join((*row.options[:12], *NO_OPTIONS))}; nothing was stored.",
            )
        found.append(row)
    return found, shown
