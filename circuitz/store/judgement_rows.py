"""Judgements as rows of the table, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from circuitz.disk.safe_text import one_spelling_of_name
from circuitz.errors import StoreError
from circuitz.store.judgement import Judgement
from circuitz.store.sqlite import DAMAGED

COLUMNS = (
    "id", "task", "kind", "z_hash", "card_hash", "items", "options", "seed", "answer", "rater",
    "rater_kind", "shown", "answered", "key", "instructions", "supersedes", "use",
)  # fmt: skip
SELECTED = ", ".join(f'"{c}"' for c in COLUMNS)
_INSERT = f"INSERT INTO judgements ({SELECTED}) VALUES ({', '.join('?' * len(COLUMNS))})"
_JSON = ("items", "options", "answer")


def judgement_from_row(row: Sequence[Any]) -> Judgement:
    """Read a judgement; the rater's name comes in its one spelling, however it was stored.

    Raises
    ------
    StoreError
        If the row is damaged.
    """
    record = dict(zip(COLUMNS, row, strict=True))
    try:
        record["items"] = tuple(json.loads(record["items"]))
        record["options"] = tuple(json.loads(record["options"]))
        record["answer"] = None if record["answer"] is None else json.loads(record["answer"])
    except (TypeError, ValueError) as error:
        raise StoreError(f"Judgement {record['id']!r} is damaged: {error}.", DAMAGED) from error
    if isinstance(record["rater"], str):
        record["rater"] = one_spelling_of_name(record["rater"])
    found = Judgement(**record)
    if found.describe_malformed_field:
        raise StoreError(
            f"Judgement {record['id']!r} is damaged: {found.describe_malformed_field}.", DAMAGED
        )
    return found


def find_row(
    connection: sqlite3.Connection, column: Literal["id", "key", "supersedes"], value: str
) -> Judgement | None:
    """Return the judgement with this id or key, or that supersedes this one; ``None`` if none."""
    found = connection.execute(
        f'SELECT {SELECTED} FROM judgements WHERE "{column}" = ?', (value,)
    ).fetchone()
    return None if found is None else judgement_from_row(found)


def insert_row(connection: sqlite3.Connection, row: Judgement) -> None:
    """Store a row whose id and key are new."""
    values = row.to_dict()
    connection.execute(
        _INSERT,
        [
            json.dumps(values[c], ensure_ascii=False)
            if c in _JSON and values[c] is not None
            else values[c]
            for c in COLUMNS
        ],
    )


def require_same_answer(stored: Judgement, row: Judgement) -> Judgement:
    """Return the row that is stored, if one sent under its key says the same.

    Raises
    ------
    StoreError
        If it says something else.
    """
    if not stored.has_same_content(row):
        raise StoreError(
            f"The key {row.key!r} is already used for another answer.",
            "Give a changed answer a new key and let it supersede the old one.",
        )
    return stored


def import_row(connection: sqlite3.Connection, row: Judgement) -> None:
    """Store a row of another store, unless it is here; what it supersedes may come later.

    Raises
    ------
    StoreError
        If its id or key was used for something else.
    """
    same_id = find_row(connection, "id", row.id)
    if same_id is not None and not same_id.has_same_content(row):
        raise StoreError(
            f"The id {row.id!r} is already used for another judgement.",
            "One of the two files was changed by hand; import them into stores of their own.",
        )
    if same_id is not None:
        return
    stored = find_row(connection, "key", row.key)
    if stored is None:
        insert_row(connection, row)
        return
    require_same_answer(stored, row)
    connection.execute(
        "INSERT OR IGNORE INTO resent (id, judgement, shown, answered) VALUES (?, ?, ?, ?)",
        (row.id, stored.id, row.shown, row.answered),
    )


def with_resent_rows(connection: sqlite3.Connection, rows: Iterable[Judgement]) -> list[Judgement]:
    """Return the rows, and after each what was sent again under another id."""
    again: dict[str, list[tuple[str, str, str]]] = {}
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'resent'").fetchone():
        for stored, *rest in connection.execute(
            "SELECT judgement, id, shown, answered FROM resent ORDER BY rowid"
        ):
            again.setdefault(stored, []).append((rest[0], rest[1], rest[2]))
    return [
        one
        for row in rows
        for one in (
            row,
            *(replace(row, id=i, shown=s, answered=a) for i, s, a in again.get(row.id, ())),
        )
    ]


def spellings_of_rater(connection: sqlite3.Connection, rater: str) -> list[str]:
    """Return the ways a rater's name is spelled in the file: earlier versions kept it as typed."""
    wanted = one_spelling_of_name(rater)
    names = connection.execute("SELECT DISTINCT rater FROM judgements").fetchall()
    return [name for (name,) in names if one_spelling_of_name(name) == wanted]
