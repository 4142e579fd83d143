"""Judgements as JSON Lines: one a line, to be kept, sent and joined."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from circuitz.disk.atomic import bundle_write_error_from, staged_file_replacement
from circuitz.errors import StoreError
from circuitz.store.judgement import NO_OPTIONS, Judgement


def judgement_lines(rows: Iterable[Judgement]) -> bytes:
    """Return judgements as JSON Lines."""
    return "".join(json.dumps(j.to_dict(), ensure_ascii=False) + "\n" for j in rows).encode()


def write_judgement_lines(path: Path, rows: Iterable[Judgement]) -> None:
    """Write judgements to a file, wholly or not at all.

    Raises
    ------
    StoreError
        If it cannot be written; what was there before stays.
    """
    try:
        with staged_file_replacement(path, judgement_lines(rows)):
            pass
    except OSError as error:
        said = bundle_write_error_from(path, error)
        raise StoreError(said.message, said.hint) from error


def read_judgement_lines(path: Path) -> list[Judgement]:
    """Read a file of judgements.

    Raises
    ------
    StoreError
        Naming the line, if one is no judgement or chooses none of its options; or if the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read: {error}.", "Check the path.") from error
    found: list[Judgement] = []
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
    return found
