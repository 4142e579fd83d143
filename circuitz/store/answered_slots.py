"""Who answered what of a task, kept up to date as answers come."""

from __future__ import annotations

from collections.abc import Iterable

from circuitz.store.in_force import AnswersInForce, QuestionOfRater, joined_items

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
    """Seats of raters who have an answer in force, by slot."""

    def __init__(self) -> None:
        self._raters: dict[Slot, set[str]] = {}

    def update(self, answers: AnswersInForce, touched: Iterable[QuestionOfRater]) -> None:
        """Take over what counts now of the questions that new rows are about."""
        for question in touched:
            _, kind, items, name, rater_kind = question
            rater = seat_of_rater(name, rater_kind)
            slot = (kind, joined_items(items))
            raters = self._raters.get(slot, set())
            if answers.answer_in_force(question):
                self._raters[slot] = raters | {rater}
            elif raters - {rater}:
                self._raters[slot] = raters - {rater}
            else:
                self._raters.pop(slot, None)

    def raters_by_slot(self) -> dict[Slot, set[str]]:
        """Return the seats by slot; nobody changes the sets."""
        return dict(self._raters)
