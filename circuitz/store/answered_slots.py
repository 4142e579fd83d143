"""Who answered what of a task, looked up after every answer."""

from __future__ import annotations

import sqlite3
from threading import Lock

from circuitz.store.in_force import AnswersInForce, first_item

Slot = tuple[str, str]
"""Kind of question and item: what a rater answers once."""
_SEAT = "\t"  # no name holds one


def seat_of_rater(name: str, kind: str) -> str:
    """Return what tells a rater from one of the same name and another kind: a person's is the name."""
    return name if kind == "person" else f"{name}{_SEAT}{kind}"


def name_in_seat(seat: str) -> str:
    """Return the name in a seat."""
    return seat.partition(_SEAT)[0]


class AnsweredSlots:
    """Who answered what of a task; of a file that only grows, each row is read once.

    Parameters
    ----------
    task
        The task.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        self._lock = Lock()
        self._start_anew()

    def read(self, connection: sqlite3.Connection) -> dict[Slot, set[str]]:
        """Return the seats of raters who have an answer in force, by slot; nobody changes the sets."""
        with self._lock:
            if not self._index.read_before_from(connection):
                self._start_anew()  # another file is there now
            for question in self._index.read_new_rows(connection, "task = ?", (self.task,)):
                _, kind, items, name, rater_kind = question
                rater = seat_of_rater(name, rater_kind)
                slot = (kind, first_item(items))
                raters = self._raters.get(slot, set())
                if self._index.answer_in_force(question):
                    self._raters[slot] = raters | {rater}
                elif raters - {rater}:
                    self._raters[slot] = raters - {rater}
                else:
                    self._raters.pop(slot, None)
            return dict(self._raters)

    def _start_anew(self) -> None:
        self._index = AnswersInForce()
        self._raters: dict[Slot, set[str]] = {}
