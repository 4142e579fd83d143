"""What a store of judgements can do, whatever it keeps them in.

Labelling, screens, commands and benchmarks are written against this interface and never against
SQLite. A further database is a class with these methods; ``tests/unit/store/test_store_contract.py``
says what they promise, and is run over every one there is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from circuitz.store.judgement import Judgement
from circuitz.store.leases import QuestionLeases
from circuitz.store.shown_record import ShownRecord

if TYPE_CHECKING:
    import pandas as pd


class JudgementStore(Protocol):
    """Judgements that are only ever added to, shared by many writers.

    Any method may be called from any thread. Rows are never changed: an answer is replaced or
    withdrawn by a further row. A rater (a name, of a kind) has one answer in force to a question
    (task, kind and items): the newest by the time it was given, unless it was withdrawn
    (:class:`~circuitz.store.in_force.AnswersInForce`). What several rows are given to is stored
    wholly or not at all. What a method says is stored outlives the process where the store
    outlives it.
    """

    @property
    def address(self) -> str:
        """What :func:`~circuitz.store.address.open_store` opens it by; holds no password."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether nothing is ever written."""
        ...

    # -- adding -----------------------------------------------------------------------------

    def append(self, judgements: Judgement | Iterable[Judgement]) -> list[str]:
        """Store judgements, all of them or none.

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
            judgement that is unknown or was superseded before; or nothing can be written.
        """
        ...

    def store_superseding_answer(self, judgement: Judgement) -> str:
        """Store what a rater says of these items; returns the row's id.

        Whatever the same rater said of them before (same task, kind and items) is superseded, so
        that one answer is in force at most, however many screens send answers at a time. Before
        and after go by ``answered``: an answer that arrives late is kept, and replaces no newer
        one. A key that is stored already changes nothing.

        Raises
        ------
        StoreError
            If the judgement is malformed, its key was used for another answer, or nothing can be
            written.
        """
        ...

    def store_superseding_answers(self, judgements: Iterable[Judgement]) -> list[str]:
        """Store several answers as :meth:`store_superseding_answer` does, all or none."""
        ...

    def withdraw(self, judgement_id: str, *, rater: str = "") -> str:
        """Take an answer back by a superseding row; returns that row's id.

        Raises
        ------
        StoreError
            If the id is unknown, another rater's (when ``rater`` is given) or superseded already.
        """
        ...

    def withdraw_answer_on_items(self, judgement: Judgement, key: str = "") -> str:
        """Withdraw what stands of a rater's on these items; the empty text when nothing does.

        Parameters
        ----------
        judgement
            Names task, kind, items and rater.
        key
            Key of the answer meant; another one that stands is left alone.
        """
        ...

    def withdraw_answers_on_items(self, judgements: Iterable[tuple[Judgement, str]]) -> list[str]:
        """Withdraw several as :meth:`withdraw_answer_on_items` does, all or none."""
        ...

    # -- reading ----------------------------------------------------------------------------

    def get(self, judgement_id: str) -> Judgement:
        """Return the judgement with this id.

        Raises
        ------
        StoreError
            If there is none.
        """
        ...

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
        ...

    def kinds_items_raters_in_force(self, task: str) -> list[tuple[str, str, str]]:
        """Return kind, first item and rater of every answer in force."""
        ...

    @property
    def frame(self) -> pd.DataFrame:
        """All judgements in force as a DataFrame, one column a field."""
        ...

    def filtered_frame(self, **filters: Any) -> pd.DataFrame:
        """Return :meth:`rows` as a DataFrame, one column a field.

        Parameters
        ----------
        **filters
            ``task``, ``rater`` and ``current``, as for :meth:`rows`.
        """
        ...

    def __len__(self) -> int:
        """Return how many rows there are, superseded ones and withdrawals included."""
        ...

    # -- what was shown ---------------------------------------------------------------------

    def keep_shown(self, records: Iterable[ShownRecord]) -> None:
        """Keep what was shown, all or none; a hash that is kept already changes nothing.

        Raises
        ------
        StoreError
            If one is malformed, or its hash names something of another kind; or nothing can be
            written.
        """
        ...

    def shown_record(self, identifier: str) -> ShownRecord:
        """Return what was shown under a hash.

        Raises
        ------
        StoreError
            If it was not kept.
        """
        ...

    def shown_hashes(self, kind: str = "") -> set[str]:
        """Return the hashes of all that was kept, or of one kind."""
        ...

    # -- who has what before them -----------------------------------------------------------

    def leases(self, task: str, *, clock: Callable[[], float] = time.time) -> QuestionLeases:
        """Return the leases on a task's questions.

        Parameters
        ----------
        clock
            Seconds since 1970.

        Raises
        ------
        StoreError
            If nothing can be written.
        """
        ...

    # -- files ------------------------------------------------------------------------------

    def export_jsonl(self, path: str | Path, *, current: bool = False, **filters: Any) -> int:
        """Write judgements to a JSON Lines file (all history by default); returns how many.

        What was shown with them goes along; without filters, all that was kept.

        Raises
        ------
        StoreError
            If the file cannot be written; what was there before stays.
        """
        ...

    def import_jsonl(self, path: str | Path) -> int:
        """Store the judgements of a JSON Lines file, all or none; returns how many it held.

        Stores may be joined in any order, and any number of times: the same answers are in force
        afterwards, one for each rater and question.

        Raises
        ------
        StoreError
            If a line is neither a judgement nor something that was shown, its key, id or hash was
            used for another one, or its choice is none of its options.
        """
        ...
