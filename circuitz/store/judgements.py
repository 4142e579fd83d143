"""Append-only judgements in SQLite, safe for many processes and threads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuitz.disk.atomic import sync_folder
from circuitz.disk.safe_text import one_spelling_of_name
from circuitz.errors import StoreError
from circuitz.store.in_force import AnswersInForce, QuestionOfRater, first_item
from circuitz.store.judgement import Judgement, iso_utc_now
from circuitz.store.judgement_lines import read_judgement_lines, write_judgement_lines
from circuitz.store.judgement_rows import (
    COLUMNS,
    SELECTED,
    find_row,
    import_row,
    insert_row,
    judgement_from_row,
    require_same_answer,
    spellings_of_rater,
    with_resent_rows,
)
from circuitz.store.sqlite import create_or_check_tables, open_connection

if TYPE_CHECKING:
    import pandas as pd


class Judgements:
    """The judgements in one SQLite file.

    Each call opens and closes its own connection, so one object may be used from any thread;
    processes share the file through the write-ahead log and wait for each other up to 30 s.
    Rows are never changed: an answer is replaced or withdrawn by a further row. A rater (a name, of a kind) has one
    answer in force to a question (task, kind and items): the newest by the time it was given,
    unless it was withdrawn. A row that was stored is on disk when the call returns.

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
        """Store what a rater says of these items; returns the row's id.

        Whatever the same rater said of them before (same task, kind and items) is superseded, so
        that one answer is in force at most, however many screens send answers at a time. Before
        and after go by ``answered``: an answer that arrives late is kept, and replaces no newer
        one. A key that is stored already changes nothing.

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
        """Withdraw what stands of a rater's on these items; the empty text when nothing does.

        Parameters
        ----------
        judgement
            Names task, kind, items and rater.
        key
            Key of the answer meant; another one that stands is left alone.
        """
        with self._write_transaction() as connection:
            question, index = _answers_of_rater(connection, judgement)
            old = find_row(connection, "id", index.answer_in_force(question))
            if old is None or (key and old.key != key):
                return ""
            row = _withdrawal_of(old).validated_with_id()
            insert_row(connection, row)
            return row.id

    def kinds_items_raters_in_force(self, task: str) -> list[tuple[str, str, str]]:
        """Return kind, first item and rater of every answer in force, without reading them."""
        index = AnswersInForce()
        with self._open_connection() as connection:
            index.read_new_rows(connection, "task = ?", (task,))
        return [(kind, first_item(items), rater) for _, kind, items, rater, _ in index.questions()]

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
        return self.append(_withdrawal_of(old))[0]

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
        """Return judgements, in the order they were stored.

        Parameters
        ----------
        task, rater
            Only those of this task or rater.
        current
            Leave out what was superseded or withdrawn; ``False`` gives the whole history.
        """
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
            index = AnswersInForce()
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
        """Return :meth:`rows` as a DataFrame, one column a field.

        Parameters
        ----------
        **filters
            ``task``, ``rater`` and ``current``, as for :meth:`rows`.
        """
        import pandas as pd  # noqa: PLC0415 - writers of judgements need no pandas

        return pd.DataFrame([j.to_dict() for j in self.rows(**filters)], columns=list(COLUMNS))

    def export_jsonl(self, path: str | Path, *, current: bool = False, **filters: Any) -> int:
        """Write judgements to a JSON Lines file (all history by default); returns how many.

        Raises
        ------
        StoreError
            If the file cannot be written; what was there before stays.
        """
        rows = self.rows(current=current, **filters)
        lines = rows
        if not current:
            with self._open_connection() as connection:
                lines = with_resent_rows(connection, rows)
        write_judgement_lines(Path(path), lines)
        return len(rows)

    def import_jsonl(self, path: str | Path) -> int:
        """Store the judgements of a JSON Lines file, all or none; returns how many it held.

        Stores may be joined in any order, and any number of times: the same answers are in force
        afterwards, one for each rater and question.

        Raises
        ------
        StoreError
            If a line is not a judgement, its key or id was used for another one, or its choice is
            none of its options.
        """
        found = read_judgement_lines(Path(path))
        with self._write_transaction() as connection:
            for row in found:
                import_row(connection, row)
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
) -> tuple[QuestionOfRater, AnswersInForce]:
    """Return what everybody said to a question, and this rater's name for it."""
    items = json.dumps(list(row.items), ensure_ascii=False)
    index = AnswersInForce()
    index.read_new_rows(
        connection, "task = ? AND kind = ? AND items = ?", (row.task, row.kind, items)
    )
    return (row.task, row.kind, items, one_spelling_of_name(row.rater), row.rater_kind), index


def _withdrawal_of(old: Judgement) -> Judgement:
    stamp = iso_utc_now()
    return replace(
        old, id="", answer=None, supersedes=old.id, key=f"withdraw:{old.id}",
        shown=stamp, answered=stamp,
    )  # fmt: skip
