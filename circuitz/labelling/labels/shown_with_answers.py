"""The cards and activities that answers were given about, to go with them into a file."""

from __future__ import annotations

from collections.abc import Iterable

from circuitz.store.judgement import Judgement
from circuitz.store.judgement_store import JudgementStore
from circuitz.store.shown_record import ShownRecord


def shown_with_answers(store: JudgementStore, rows: Iterable[Judgement]) -> tuple[ShownRecord, ...]:
    """Return what a store kept of what these judgements name, each once, in the order of mention.

    Stores of earlier versions kept hashes alone; of those there is nothing to return.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    there = store.shown_hashes()
    named = dict.fromkeys(name for row in rows for name in (row.card_hash, *row.items))
    return tuple(store.shown_record(name) for name in named if name in there)
