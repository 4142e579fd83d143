"""Judgements in memory: the same promises as on disk, for as long as the process lasts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from circuitz.disk.safe_text import one_spelling_of_name
from circuitz.errors import StoreError
from circuitz.store.in_force import AnswersInForce, joined_items, question_of_rater, withdrawal_of
from circuitz.store.judgement import Judgement, judgements_frame
from circuitz.store.judgement_lines import read_store_lines, shown_with_rows, write_judgement_lines
from circuitz.store.judgement_rows import require_same_answer, same_id_or_none
from circuitz.store.leases import QuestionLeases
from circuitz.store.memory_leases import LeasesInMemory, LeaseTable
from circuitz.store.shown_record import ShownRecord, no_record_error, require_same_kind

if TYPE_CHECKING:
    import pandas as pd


class JudgementsInMemory:
    """A :class:`~circuitz.store.judgement_store.JudgementStore` that ends with the process.

    For benchmarks with simulated raters, and wherever answers are looked at and dropped.
    """

    read_only = False

    def __init__(self) -> None:
        self._lock = RLock()
        self._shown: dict[str, ShownRecord] = {}
        self._lease_table = LeaseTable()
        self._restore([], [])

    @property
    def address(self) -> str:
        """Says that there is no place."""
        return "memory"

    def append(self, judgements: Judgement | Iterable[Judgement]) -> list[str]:
        """Store judgements, all of them or none; returns their ids."""
        batch = [judgements] if isinstance(judgements, Judgement) else list(judgements)
        rows = [judgement.validated_with_id() for judgement in batch]
        with self._all_or_nothing():
            return [self._insert_unless_key_stored(row) for row in rows]

    def store_superseding_answer(self, judgement: Judgement) -> str:
        """Store what a rater says of these items, in place of what they said before."""
        return self.store_superseding_answers([judgement])[0]

    def store_superseding_answers(self, judgements: Iterable[Judgement]) -> list[str]:
        """Store several answers, all or none."""
        rows = [judgement.validated_with_id() for judgement in judgements]
        ids: list[str] = []
        with self._all_or_nothing():
            for row in rows:
                stored = self._by_key.get(row.key)
                if stored is None:
                    last = self._answers.row_to_supersede(question_of_rater(row), row.answered)
                    self._insert(replace(row, supersedes=last))
                    ids.append(row.id)
                else:
                    same = replace(row, supersedes=stored.supersedes)
                    ids.append(require_same_answer(stored, same).id)
        return ids

    def withdraw(self, judgement_id: str, *, rater: str = "") -> str:
        """Take an answer back by a superseding row; returns that row's id."""
        old = self.get(judgement_id)
        if rater and old.rater != rater:
            raise StoreError(
                f"Judgement {judgement_id} is {old.rater}'s, not {rater}'s.",
                "A rater takes back only their own answers.",
            )
        return self.append(withdrawal_of(old))[0]

    def withdraw_answer_on_items(self, judgement: Judgement, key: str = "") -> str:
        """Withdraw what stands of a rater's on these items; the empty text when nothing does."""
        return self.withdraw_answers_on_items([(judgement, key)])[0]

    def withdraw_answers_on_items(self, judgements: Iterable[tuple[Judgement, str]]) -> list[str]:
        """Withdraw several, all or none."""
        ids: list[str] = []
        with self._all_or_nothing():
            for judgement, key in judgements:
                found = self._answers.answer_in_force(question_of_rater(judgement))
                old = self._by_id.get(found)
                if old is None or (key and old.key != key):
                    ids.append("")
                    continue
                row = withdrawal_of(old).validated_with_id()
                self._insert(row)
                ids.append(row.id)
        return ids

    def get(self, judgement_id: str) -> Judgement:
        """Return the judgement with this id."""
        with self._lock:
            found = self._by_id.get(judgement_id)
        if found is None:
            raise StoreError(f"No judgement has the id {judgement_id!r}.", "Check the id.")
        return found

    def rows(
        self, *, task: str | None = None, rater: str | None = None, current: bool = True
    ) -> list[Judgement]:
        """Return judgements, in the order they were stored."""
        name = None if rater is None else one_spelling_of_name(rater)
        with self._lock:
            counts = self._answers.ids() if current else set(self._by_id)
            return [
                row
                for row in self._rows
                if row.id in counts and task in (None, row.task) and name in (None, row.rater)
            ]

    def kinds_items_raters_in_force(self, task: str) -> list[tuple[str, str, str]]:
        """Return kind, first item and rater of every answer in force."""
        with self._lock:
            questions = self._answers.questions()
        return [
            (kind, joined_items(items), rater)
            for own, kind, items, rater, _ in questions
            if own == task
        ]

    @property
    def frame(self) -> pd.DataFrame:
        """All judgements in force as a DataFrame, one column a field."""
        return self.filtered_frame()

    def filtered_frame(self, **filters: Any) -> pd.DataFrame:
        """Return :meth:`rows` as a DataFrame, one column a field."""
        return judgements_frame(self.rows(**filters))

    def __len__(self) -> int:
        return len(self._rows)

    def keep_shown(self, records: Iterable[ShownRecord]) -> None:
        """Keep what was shown, all or none; a hash that is kept already changes nothing."""
        with self._lock:
            new = dict(self._shown)
            for record in records:
                # A copy: nobody changes through theirs what was shown.
                copy = replace(record, record=json.loads(record.checked_text()))
                stored = new.setdefault(record.hash, copy)
                require_same_kind(stored.kind, record)
            self._shown = new

    def shown_record(self, identifier: str) -> ShownRecord:
        """Return what was shown under a hash."""
        found = self._shown.get(identifier)
        if found is None:
            raise no_record_error(identifier)
        return found

    def shown_hashes(self, kind: str = "") -> set[str]:
        """Return the hashes of all that was kept, or of one kind."""
        return {r.hash for r in self._shown.values() if kind in ("", r.kind)}

    def leases(self, task: str, *, clock: Callable[[], float] = time.time) -> QuestionLeases:
        """Return the leases on a task's questions."""
        return LeasesInMemory(self._lease_table, self._lock, self._answers_now, task, clock)

    def export_jsonl(self, path: str | Path, *, current: bool = False, **filters: Any) -> int:
        """Write judgements and what was shown with them to a JSON Lines file; returns how many."""
        with self._lock:
            rows = self.rows(current=current, **filters)
            again: dict[str, list[Judgement]] = {}
            for stored, row in [] if current else self._resent:
                again.setdefault(stored, []).append(row)
            shown = list(self._shown.values())
        lines = [one for row in rows for one in (row, *again.get(row.id, ()))]
        write_judgement_lines(Path(path), lines, shown_with_rows(shown, rows, all_kept=not filters))
        return len(rows)

    def import_jsonl(self, path: str | Path) -> int:
        """Store the judgements of a JSON Lines file, all or none; returns how many it held."""
        rows, shown = read_store_lines(Path(path))
        with self._all_or_nothing():
            for row in rows:
                self._import(row)
            self.keep_shown(shown)
        return len(rows)

    # -- rows -------------------------------------------------------------------------------

    def _answers_now(self) -> AnswersInForce:
        return self._answers

    @contextmanager
    def _all_or_nothing(self) -> Generator[None]:
        with self._lock:
            rows, resent = len(self._rows), len(self._resent)
            try:
                yield
            except BaseException:
                self._restore(self._rows[:rows], self._resent[:resent])
                raise

    def _restore(self, rows: list[Judgement], resent: list[tuple[str, Judgement]]) -> None:
        """Start from these rows alone."""
        self._rows: list[Judgement] = []
        self._resent: list[tuple[str, Judgement]] = []
        self._by_id: dict[str, Judgement] = {}
        self._by_key: dict[str, Judgement] = {}
        self._by_superseded: dict[str, Judgement] = {}
        self._answers = AnswersInForce()
        for row in rows:
            self._insert(row)
        for stored, row in resent:
            self._note_resent(stored, row)

    def _insert(self, row: Judgement) -> None:
        self._rows.append(row)
        self._by_id[row.id] = self._by_key[row.key] = row
        if row.supersedes:
            self._by_superseded.setdefault(row.supersedes, row)
        self._answers.note_row(
            question_of_rater(row), row.id, key=row.key, answered=row.answered,
            supersedes=row.supersedes, withdrawn=row.withdrawn,
        )  # fmt: skip

    def _note_resent(self, stored: str, row: Judgement) -> None:
        self._resent.append((stored, row))
        self._answers.note_resent(question_of_rater(row), row.id, stored, row.answered)

    def _insert_unless_key_stored(self, row: Judgement) -> str:
        stored = self._by_key.get(row.key)
        if stored is not None:
            return require_same_answer(stored, row).id
        if row.supersedes:
            if row.supersedes not in self._by_id:
                raise StoreError(
                    f"The judgement to supersede, {row.supersedes!r}, is unknown.", "Check the id."
                )
            newer = self._by_superseded.get(row.supersedes)
            if newer is not None:
                raise StoreError(
                    f"Judgement {row.supersedes!r} was already superseded by {newer.id!r}.",
                    "Supersede the newer one.",
                )
        self._insert(row)
        return row.id

    def _import(self, row: Judgement) -> None:
        """Store a row of another store, unless it is here; what it supersedes may come later."""
        if same_id_or_none(self._by_id.get(row.id), row) is not None:
            return
        stored = self._by_key.get(row.key)
        if stored is None:
            self._insert(row)
            return
        require_same_answer(stored, row)
        if all(known.id != row.id for _, known in self._resent):
            same = replace(stored, id=row.id, shown=row.shown, answered=row.answered)
            self._note_resent(stored.id, same)
