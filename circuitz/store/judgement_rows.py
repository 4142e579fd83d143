"""Judgements as rows of the table, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from circuitz.disk.safe_text import one_spelling_of_name
from circuitz.errors import StoreError
from circuitz.store.in_force import DAMAGED
from circuitz.store.judgement import COLUMNS, Judgement
from circuitz.store.shown_record import ShownRecord, require_same_kind

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


def same_id_or_none(stored: Judgement | None, row: Judgement) -> Judgement | None:
    """Return what is stored under a row's id, if it says the same.

    Raises
    ------
    StoreError
        If it says something else.
    """
    if stored is not None and not stored.has_same_content(row):
        raise StoreError(
            f"The id {row.id!r} is already used for another judgement.",
            "One of the two files was changed by hand; import them into stores of their own.",
        )
    return stored


def import_row(connection: sqlite3.Connection, row: Judgement) -> None:
    """Store a row of another store, unless it is here; what it supersedes may come later.

    Raises
    ------
    StoreError
        If its id or key was used for something else.
    """
    if same_id_or_none(find_row(connection, "id", row.id), row) is not None:
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


def select_shown(
    connection: sqlite3.Connection, identifier: str | None = None
) -> list[ShownRecord]:
    """Return what was shown, in the order it was kept, or what one hash names.

    Raises
    ------
    StoreError
        If a record is damaged.
    """
    if not _keeps_shown(connection):
        return []
    condition, values = ("1", []) if identifier is None else ("hash = ?", [identifier])
    found: list[ShownRecord] = []
    for name, kind, text in connection.execute(
        f"SELECT hash, kind, record FROM shown WHERE {condition} ORDER BY rowid", values
    ):
        try:
            record = ShownRecord(name, kind, json.loads(text))
            record.checked_text()
        except (StoreError, TypeError, ValueError, RecursionError) as error:
            raise StoreError(f"What was shown under {name!r} is damaged.", DAMAGED) from error
        found.append(record)
    return found


def shown_kinds_by_hash(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the kind of all that was shown, by hash, without reading it."""
    if not _keeps_shown(connection):
        return {}
    return dict(connection.execute("SELECT hash, kind FROM shown ORDER BY rowid").fetchall())


def _keeps_shown(connection: sqlite3.Connection) -> bool:
    """Whether there is a table of what was shown: not in an earlier file that is only read."""
    found = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'shown'"
    )
    return found.fetchone() is not None


def insert_shown(connection: sqlite3.Connection, record: ShownRecord) -> None:
    """Store what was shown, unless its hash is kept already.

    Raises
    ------
    StoreError
        If its hash names something of another kind.
    """
    stored = connection.execute("SELECT kind FROM shown WHERE hash = ?", (record.hash,)).fetchone()
    if stored is not None:
        require_same_kind(stored[0], record)
        return
    connection.execute(
        "INSERT INTO shown (hash, kind, record) VALUES (?, ?, ?)",
        (record.hash, record.kind, record.checked_text()),
    )
