"""Append-only judgements in SQLite, safe for many processes and threads."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuitz.disk.atomic import sync_folder
from circuitz.errors import StoreError
from circuitz.store.in_force import (
    QuestionOfRater,
    joined_items,
    question_of_rater,
    withdrawal_of,
)
from circuitz.store.judgement import Judgement, judgements_frame
from circuitz.store.judgement_lines import read_store_lines, shown_with_rows, write_judgement_lines
from circuitz.store.judgement_rows import (
    SELECTED,
    find_row,
    import_row,
    insert_row,
    insert_shown,
    judgement_from_row,
    require_same_answer,
    select_shown,
    shown_kinds_by_hash,
    spellings_of_rater,
    with_resent_rows,
)
from circuitz.store.leases import QuestionLeases
from circuitz.store.shown_record import ShownRecord, no_record_error
from circuitz.store.sqlite import create_or_check_tables, open_connection
from circuitz.store.sqlite_in_force import AnswersInSqlite
from circuitz.store.sqlite_leases import LeasesInSqlite

if TYPE_CHECKING:
    import pandas as pd


class Judgements:
    """The judgements in one SQLite file: a :class:`~circuitz.store.judgement_store.JudgementStore`.

    Each call opens and closes its own connection, so one object may be used from any thread;
    processes share the file through the write-ahead log and wait for each other up to 30 s. A row
    that was stored is on disk when the call returns. What methods without a description do is said
    by the interface.

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
                if not self.path.parent.is_dir():
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    sync_folder(self.path.parent.parent)
            except OSError as error:
                raise StoreError(
                    f"The folder {self.path.parent} cannot be made: {error.strerror}.",
                    "Choose another place.",
                ) from error
        with self._open_connection() as connection:
            create_or_check_tables(connection, self.path, read_only=read_only)

    @property
    def address(self) -> str:
        """The file's path."""
        return str(self.path)

    def __repr__(self) -> str:
        return f"Judgements({str(self.path)!r})"

    def append(self, judgements: Judgement | Iterable[Judgement]) -> list[str]:
        """Store judgements in one transaction: all of them or none; returns their ids."""
        batch = [judgements] if isinstance(judgements, Judgement) else list(judgements)
        rows = [j.validated_with_id() for j in batch]
        with self._write_transaction() as connection:
            return [self._insert_unless_key_stored(connection, row) for row in rows]

    def store_superseding_answer(self, judgement: Judgement) -> str:
        """Store what a rater says of these items, in place of what they said before."""
        return self.store_superseding_answers([judgement])[0]

    def store_superseding_answers(self, judgements: Iterable[Judgement]) -> list[str]:
        """Store several answers in one transaction."""
        rows = [judgement.validated_with_id() for judgement in judgements]
        ids: list[str] = []
        with self._write_transaction() as connection:
            for row in rows:
                stored = find_row(connection, "key", row.key)
                if stored is None:
                    question, index = _answers_of_rater(connection, row)
                    last = index.row_to_supersede(question, row.answered)
                    insert_row(connection, replace(row, supersedes=last))
                    ids.append(row.id)
                else:
                    ids.append(
                        require_same_answer(stored, replace(row, supersedes=stored.supersedes)).id
                    )
        return ids

    def withdraw_answer_on_items(self, judgement: Judgement, key: str = "") -> str:
        """Withdraw what stands of a rater's on these items; the empty text when nothing does."""
        return self.withdraw_answers_on_items([(judgement, key)])[0]

    def withdraw_answers_on_items(self, judgements: Iterable[tuple[Judgement, str]]) -> list[str]:
        """Withdraw several in one transaction."""
        ids: list[str] = []
        with self._write_transaction() as connection:
            for judgement, key in judgements:
                question, index = _answers_of_rater(connection, judgement)
                old = find_row(connection, "id", index.answer_in_force(question))
                if old is None or (key and old.key != key):
                    ids.append("")
                    continue
                row = withdrawal_of(old).validated_with_id()
                insert_row(connection, row)
                ids.append(row.id)
        return ids

    def kinds_items_raters_in_force(self, task: str) -> list[tuple[str, str, str]]:
        """Return kind, first item and rater of every answer in force, without reading them."""
        index = AnswersInSqlite()
        with self._open_connection() as connection:
            index.read_new_rows(connection, "task = ?", (task,))
        return [
            (kind, joined_items(items), rater) for _, kind, items, rater, _ in index.questions()
        ]

    def withdraw(self, judgement_id: str, *, rater: str = "") -> str:
        """Take an answer back by a superseding row; returns that row's id."""
        old = self.get(judgement_id)
        if rater and old.rater != rater:
            raise StoreError(
                f"Judgement {judgement_id} is {old.rater}'s, not {rater}'s.",
                "A rater takes back only their own answers.",
            )
        return self.append(withdrawal_of(old))[0]

    def get(self, judgement_id: str) -> Judgement:
        """Return the judgement with this id."""
        found = self._select_judgements("WHERE id = ?", (judgement_id,))
        if not found:
            raise StoreError(f"No judgement has the id {judgement_id!r}.", "Check the id.")
        return found[0]

    def rows(
        self, *, task: str | None = None, rater: str | None = None, current: bool = True
    ) -> list[Judgement]:
        """Return judgements, in the order they were stored."""
        conditions, values = ["1"], list[str]()
        with self._open_connection() as connection:
            if task is not None:
                conditions.append("task = ?")
                values.append(task)
            if rater is not None:
                spellings = spellings_of_rater(connection, rater)
                conditions.append(f"rater IN ({', '.join('?' * len(spellings))})")
                values.extend(spellings)
            condition = " AND ".join(conditions)
            found = connection.execute(
                f"SELECT {SELECTED} FROM judgements WHERE {condition} ORDER BY n", values
            ).fetchall()
            index = AnswersInSqlite()
            if current:
                index.read_new_rows(connection, condition, values)
        if not current:
            return [judgement_from_row(row) for row in found]
        counts = index.ids()
        return [judgement_from_row(row) for row in found if row[0] in counts]

    @property
    def frame(self) -> pd.DataFrame:
        """All judgements in force as a DataFrame, one column a field."""
        return self.filtered_frame()

    def filtered_frame(self, **filters: Any) -> pd.DataFrame:
        """Return :meth:`rows` as a DataFrame, one column a field."""
        return judgements_frame(self.rows(**filters))

    def export_jsonl(self, path: str | Path, *, current: bool = False, **filters: Any) -> int:
        """Write judgements and what was shown with them to a JSON Lines file; returns how many."""
        rows = self.rows(current=current, **filters)
        lines = rows
        with self._open_connection() as connection:
            if not current:
                lines = with_resent_rows(connection, rows)
            shown = select_shown(connection)
        write_judgement_lines(Path(path), lines, shown_with_rows(shown, rows, all_kept=not filters))
        return len(rows)

    def import_jsonl(self, path: str | Path) -> int:
        """Store the judgements of a JSON Lines file, all or none; returns how many it held."""
        rows, shown = read_store_lines(Path(path))
        with self._write_transaction() as connection:
            for record in shown:
                insert_shown(connection, record)
            for row in rows:
                import_row(connection, row)
        return len(rows)

    def keep_shown(self, records: Iterable[ShownRecord]) -> None:
        """Keep what was shown, all or none; a hash that is kept already changes nothing."""
        batch = list(records)
        for record in batch:
            record.checked_text()
        with self._write_transaction() as connection:
            for record in batch:
                insert_shown(connection, record)

    def shown_record(self, identifier: str) -> ShownRecord:
        """Return what was shown under a hash."""
        with self._open_connection() as connection:
            found = select_shown(connection, identifier)
        if not found:
            raise no_record_error(identifier)
        return found[0]

    def shown_hashes(self, kind: str = "") -> set[str]:
        """Return the hashes of all that was kept, or of one kind."""
        with self._open_connection() as connection:
            kinds = shown_kinds_by_hash(connection)
        return {name for name, found in kinds.items() if kind in ("", found)}

    def leases(self, task: str, *, clock: Callable[[], float] = time.time) -> QuestionLeases:
        """Return the leases on a task's questions."""
        if self.read_only:
            raise StoreError(f"{self.path} was opened for reading only.", "Open it for writing.")
        return LeasesInSqlite(self.path, task, clock=clock)

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

    def _insert_unless_key_stored(self, connection: sqlite3.Connection, row: Judgement) -> str:
        stored = find_row(connection, "key", row.key)
        if stored is not None:
            return require_same_answer(stored, row).id
        if row.supersedes:
            if find_row(connection, "id", row.supersedes) is None:
                raise StoreError(
                    f"The judgement to supersede, {row.supersedes!r}, is unknown.", "Check the id."
                )
            newer = find_row(connection, "supersedes", row.supersedes)
            if newer is not None:
                raise StoreError(
                    f"Judgement {row.supersedes!r} was already superseded by {newer.id!r}.",
                    "Supersede the newer one.",
                )
        insert_row(connection, row)
        return row.id

    def _select_judgements(self, clause: str, values: Sequence[str]) -> list[Judgement]:
        with self._open_connection() as connection:
            found = connection.execute(f"SELECT {SELECTED} FROM judgements {clause}", values)
            return [judgement_from_row(row) for row in found.fetchall()]

    def _open_connection(self) -> AbstractContextManager[sqlite3.Connection]:
        return open_connection(self.path, read_only=self.read_only)


def _answers_of_rater(
    connection: sqlite3.Connection, row: Judgement
) -> tuple[QuestionOfRater, AnswersInSqlite]:
    """Return what everybody said to a question, and this rater's name for it."""
    items = json.dumps(list(row.items), ensure_ascii=False)
    index = AnswersInSqlite()
    index.read_new_rows(
        connection, "task = ? AND kind = ? AND items = ?", (row.task, row.kind, items)
    )
    return question_of_rater(row), index
