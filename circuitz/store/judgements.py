"""Append-only judgements in SQLite, safe for many processes and threads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuitz.errors import StoreError
from circuitz.store.judgement import Judgement, iso_utc_now
from circuitz.store.sqlite import DAMAGED, create_or_check_tables, open_connection

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = (
    "id", "task", "kind", "z_hash", "card_hash", "items", "options", "seed", "answer", "rater",
    "rater_kind", "shown", "answered", "key", "instructions", "supersedes", "use",
)  # fmt: skip
_SELECT = ", ".join(f'"{c}"' for c in _COLUMNS)
_NEWEST = "id NOT IN (SELECT supersedes FROM judgements WHERE supersedes <> '')"


class Judgements:
    """The judgements in one SQLite file.

    Each call opens and closes its own connection, so one object may be used from any thread;
    processes share the file through the write-ahead log and wait for each other up to 30 s.
    Rows are never changed: an answer is replaced or withdrawn by a row that supersedes it.

    Parameters
    ----------
    path
        The file; made when it does not exist (its folder too).
    read_only
        Open an existing file for reading and never write to it.

    Raises
    ------
    StoreError
        If the file cannot be opened or made, is damaged, belongs to another program or was
        written by a newer version. An existing file is left as it is.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self.read_only = read_only
        if read_only and not self.path.is_file():
            raise StoreError(f"There is no file {self.path}.", "Check the path.")
        if not read_only:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"The folder {self.path.parent} cannot be made: {error.strerror}.",
                    "Choose another place.",
                ) from error
        with self._open_connection() as connection:
            create_or_check_tables(connection, self.path, read_only=read_only)

    def __repr__(self) -> str:
        return f"Judgements({str(self.path)!r})"

    def append(self, judgements: Judgement | Iterable[Judgement]) -> list[str]:
        """Store judgements in one transaction: all of them or none.

        Parameters
        ----------
        judgements
            One or several. One whose key is already stored with the same content is not stored
            again.

        Returns
        -------
        list of str
            The ids under which they are stored, in order.

        Raises
        ------
        StoreError
            If one is malformed, its key was used for another answer, or it supersedes a
            judgement that is unknown or was superseded before; or the file cannot be written.
        """
        batch = [judgements] if isinstance(judgements, Judgement) else list(judgements)
        rows = [j.validated_with_id() for j in batch]
        with self._write_transaction() as connection:
            return [self._insert_unless_key_stored(connection, row) for row in rows]

    def store_superseding_answer(self, judgement: Judgement) -> str:
        """Store what a rater says of these items now; returns the row's id.

        Whatever the same rater said of them before (same task, kind and items) is superseded, so
        that one answer is in force at most, however many screens send answers at a time. A key
        that is stored already changes nothing.

        Raises
        ------
        StoreError
            If the judgement is malformed, its key was used for another answer, or the file
            cannot be written.
        """
        return self.store_superseding_answers([judgement])[0]

    def store_superseding_answers(self, judgements: Iterable[Judgement]) -> list[str]:
        """Store several answers as :meth:`store_superseding_answer` does, all of them or none; returns their ids."""
        rows = [judgement.validated_with_id() for judgement in judgements]
        ids: list[str] = []
        with self._write_transaction() as connection:
            for row in rows:
                stored = connection.execute(
                    'SELECT supersedes FROM judgements WHERE "key" = ?', (row.key,)
                ).fetchone()
                last = (
                    stored[0]
                    if stored is not None
                    else self._newest_row_id_by_rater(connection, row)
                )
                ids.append(
                    self._insert_unless_key_stored(connection, replace(row, supersedes=last))
                )
        return ids

    def withdraw_answer_on_items(self, judgement: Judgement, key: str = "") -> str:
        """Withdraw what stands of a rater's on these items; the empty text when nothing does.

        Parameters
        ----------
        judgement
            Names task, kind, items and rater.
        key
            Key of the answer meant; another one that stands is left alone.
        """
        with self._write_transaction() as connection:
            last = self._newest_row_id_by_rater(connection, judgement)
            found = connection.execute(
                f"SELECT {_SELECT} FROM judgements WHERE id = ?", (last,)
            ).fetchone()
            old = None if found is None else _judgement_from_row(found)
            if old is None or old.withdrawn or (key and old.key != key):
                return ""
            stamp = iso_utc_now()
            row = replace(
                old, id="", answer=None, supersedes=old.id, key=f"withdraw:{old.id}",
                shown=stamp, answered=stamp,
            )  # fmt: skip
            return self._insert_unless_key_stored(connection, row.validated_with_id())

    def kinds_items_raters_in_force(self, task: str) -> list[tuple[str, str, str]]:
        """Return kind, first item and rater of every answer in force, without reading them."""
        with self._open_connection() as connection:
            found = connection.execute(
                "SELECT kind, json_extract(items, '$[0]'), rater FROM judgements "
                f"WHERE task = ? AND answer IS NOT NULL AND {_NEWEST} ORDER BY n",
                (task,),
            )
            return [(str(k), str(i or ""), str(r)) for k, i, r in found.fetchall()]

    def withdraw(self, judgement_id: str, *, rater: str = "") -> str:
        """Take an answer back by a superseding row; returns that row's id.

        Raises
        ------
        StoreError
            If the id is unknown, another rater's (when ``rater`` is given) or superseded already.
        """
        old = self.get(judgement_id)
        if rater and old.rater != rater:
            raise StoreError(
                f"Judgement {judgement_id} is {old.rater}'s, not {rater}'s.",
                "A rater takes back only their own answers.",
            )
        stamp = iso_utc_now()
        row = replace(
            old, id="", answer=None, supersedes=old.id, key=f"withdraw:{old.id}",
            shown=stamp, answered=stamp,
        )  # fmt: skip
        return self.append(row)[0]

    def get(self, judgement_id: str) -> Judgement:
        """Return the judgement with this id.

        Raises
        ------
        StoreError
            If there is none.
        """
        found = self._select_judgements("WHERE id = ?", (judgement_id,))
        if not found:
            raise StoreError(f"No judgement has the id {judgement_id!r}.", "Check the id.")
        return found[0]

    def rows(
        self, *, task: str | None = None, rater: str | None = None, current: bool = True
    ) -> list[Judgement]:
        """Return judgements, oldest first.

        Parameters
        ----------
        task, rater
            Only those of this task or rater.
        current
            Leave out what was superseded or withdrawn; ``False`` gives the whole history.
        """
        where, values = ["1"], list[str]()
        for name, value in (("task", task), ("rater", rater)):
            if value is not None:
                where.append(f"{name} = ?")
                values.append(value)
        if current:
            where.append("answer IS NOT NULL")
            where.append(_NEWEST)
        return self._select_judgements(f"WHERE {' AND '.join(where)} ORDER BY n", values)

    @property
    def frame(self) -> pd.DataFrame:
        """All judgements in force as a DataFrame, one column a field."""
        return self.filtered_frame()

    def filtered_frame(self, **filters: Any) -> pd.DataFrame:
        """Return :meth:`rows` as a DataFrame, one column a field.

        Parameters
        ----------
        **filters
            ``task``, ``rater`` and ``current``, as for :meth:`rows`.
        """
        import pandas as pd  # noqa: PLC0415 - writers of judgements need no pandas

        return pd.DataFrame([j.to_dict() for j in self.rows(**filters)], columns=list(_COLUMNS))

    def export_jsonl(self, path: str | Path, *, current: bool = False, **filters: Any) -> int:
        """Write judgements to a JSON Lines file (all history by default); returns how many.

        Raises
        ------
        StoreError
            If the file cannot be written; what was there before stays.
        """
        rows = self.rows(current=current, **filters)
        target = Path(path)
        part = target.with_name(f".{target.name}.part")
        try:
            text = "".join(json.dumps(j.to_dict(), ensure_ascii=False) + "\n" for j in rows)
            part.write_text(text, encoding="utf-8")
            part.replace(target)
        except OSError as error:
            part.unlink(missing_ok=True) if part.parent.is_dir() else None
            raise StoreError(f"{target} cannot be written: {error.strerror}.", "") from error
        return len(rows)

    def import_jsonl(self, path: str | Path) -> int:
        """Store the judgements of a JSON Lines file, all or none; returns how many it held.

        Raises
        ------
        StoreError
            If a line is not a judgement, or as :meth:`append`.
        """
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{path} cannot be read: {error}.", "Check the path.") from error
        found: list[Judgement] = []
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise StoreError(f"Line {number} of {path} is not JSON.", str(error)) from error
            if not isinstance(record, dict):
                raise StoreError(f"Line {number} of {path} is not a judgement.", "")
            found.append(Judgement.from_dict(record))
        self.append(found)
        return len(found)

    def __len__(self) -> int:
        with self._open_connection() as connection:
            return int(connection.execute("SELECT count(*) FROM judgements").fetchone()[0])

    @contextmanager
    def _write_transaction(self) -> Generator[sqlite3.Connection]:
        """Open a transaction that is kept wholly or not at all."""
        if self.read_only:
            raise StoreError(f"{self.path} was opened for reading only.", "Open it for writing.")
        with self._open_connection() as connection:
            # Taking the write lock first makes look-up and insertion one step for all processes.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A full disk makes SQLite roll back by itself, and then there is nothing to undo.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _newest_row_id_by_rater(self, connection: sqlite3.Connection, row: Judgement) -> str:
        """Return the id of the newest row of this rater on these items, a withdrawal too."""
        found = connection.execute(
            "SELECT id FROM judgements WHERE task = ? AND rater = ? AND kind = ? AND items = ? "
            f"AND {_NEWEST} ORDER BY n DESC LIMIT 1",
            (row.task, row.rater, row.kind, json.dumps(list(row.items), ensure_ascii=False)),
        ).fetchone()
        return "" if found is None else str(found[0])

    def _insert_unless_key_stored(self, connection: sqlite3.Connection, row: Judgement) -> str:
        stored = connection.execute(
            f'SELECT {_SELECT} FROM judgements WHERE "key" = ?', (row.key,)
        ).fetchone()
        if stored is not None:
            first = _judgement_from_row(stored)
            if not first.has_same_content(row):
                raise StoreError(
                    f"The key {row.key!r} is already used for another answer.",
                    "Give a changed answer a new key and let it supersede the old one.",
                )
            return first.id
        if row.supersedes:
            known = connection.execute(
                "SELECT 1 FROM judgements WHERE id = ?", (row.supersedes,)
            ).fetchone()
            if known is None:
                raise StoreError(
                    f"The judgement to supersede, {row.supersedes!r}, is unknown.", "Check the id."
                )
            newer = connection.execute(
                "SELECT id FROM judgements WHERE supersedes = ?", (row.supersedes,)
            ).fetchone()
            if newer is not None:
                raise StoreError(
                    f"Judgement {row.supersedes!r} was already superseded by {newer[0]!r}.",
                    "Supersede the newer one.",
                )
        values = row.to_dict()
        record = [
            json.dumps(values[c], ensure_ascii=False)
            if c in ("items", "options", "answer") and values[c] is not None
            else values[c]
            for c in _COLUMNS
        ]
        marks = ", ".join("?" * len(_COLUMNS))
        connection.execute(f"INSERT INTO judgements ({_SELECT}) VALUES ({marks})", record)
        return row.id

    def _select_judgements(self, clause: str, values: Sequence[str]) -> list[Judgement]:
        with self._open_connection() as connection:
            found = connection.execute(f"SELECT {_SELECT} FROM judgements {clause}", values)
            return [_judgement_from_row(row) for row in found.fetchall()]

    def _open_connection(self) -> AbstractContextManager[sqlite3.Connection]:
        return open_connection(self.path, read_only=self.read_only)


def _judgement_from_row(row: Sequence[Any]) -> Judgement:
    record = dict(zip(_COLUMNS, row, strict=True))
    try:
        record["items"] = tuple(json.loads(record["items"]))
        record["options"] = tuple(json.loads(record["options"]))
        record["answer"] = None if record["answer"] is None else json.loads(record["answer"])
    except (TypeError, ValueError) as error:
        raise StoreError(f"Judgement {record['id']!r} is damaged: {error}.", DAMAGED) from error
    found = Judgement(**record)
    if found.describe_malformed_field:
        raise StoreError(
            f"Judgement {record['id']!r} is damaged: {found.describe_malformed_field}.", DAMAGED
        )
    return found
