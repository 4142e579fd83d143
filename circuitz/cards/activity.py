"""How active the cues of a card are on one input: what somebody is shown who sees no picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from circuitz.cards.card import Card, Cue
from circuitz.disk.hashing import json_hash
from circuitz.errors import CardError

STEPS = 5
"""Steps of a cue's bar on either side of what is usual; level 1 is five of them."""
MUCH = 3
"""From so many steps on an activity is called much more, or much less, than usual."""
PLACE_SIDE = 8
"""Most cells along a side of a place."""
MOST_CELL = 9
_SPREAD = 0.5


@dataclass(frozen=True)
class CueActivity:
    """One cue of a card on one input, as it is displayed.

    Parameters
    ----------
    words
        The cue's words.
    units
        Its units.
    step
        How active they are, from -5 (as where they are off, or less) over 0 (as usual in D) to 5
        (as where they are on, or more): the length of the bar.
    place
        Where in the input they are more active than usual: rows of digits from 0 (not at all) to 9
        (where they are most active), seen from above. Empty where nothing is, or it is not known.
    """

    words: str
    units: tuple[str, ...]
    step: int
    place: tuple[str, ...] = ()

    @property
    def level(self) -> float:
        """The displayed activity, -1 to 1."""
        return self.step / STEPS

    @property
    def grade(self) -> str:
        """The activity in words."""
        if self.step == 0:
            return "as usual"
        size = "much " if abs(self.step) >= MUCH else ""
        return f"{size}{'more' if self.step > 0 else 'less'} than usual"

    @property
    def place_name(self) -> str:
        """The place in words, for instance ``top left``; empty where there is none."""
        return name_of_place(self.place)


@dataclass(frozen=True)
class CardActivity:
    """The cues of a card on one input, in the order they are displayed.

    Parameters
    ----------
    card_hash
        The card they are cues of.
    cues
        The most active first; of equals the one first on the card.
    """

    card_hash: str
    cues: tuple[CueActivity, ...]

    @cached_property
    def hash(self) -> str:
        """Hash of what is displayed."""
        return json_hash(self._record_without_hash())

    def of_cue(self, cue: Cue) -> CueActivity | None:
        """Return the activity of a cue, in whichever class it stands; ``None`` where it has none."""
        key = cue_key(cue)
        return self._by_key.get(key)

    @cached_property
    def _by_key(self) -> dict[tuple[str, frozenset[str]], CueActivity]:
        return {(one.words, frozenset(one.units)): one for one in self.cues}

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, its hash included."""
        return {**self._record_without_hash(), "hash": self.hash}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> CardActivity:
        """Read it back.

        Raises
        ------
        CardError
            If it is malformed, or its content does not fit its hash.
        """
        try:
            made = cls(
                str(record["card"]), tuple(_cue_activity_from_json(one) for one in record["cues"])
            )
            stated = record.get("hash")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CardError(
                f"This is no activity of a card: {type(error).__name__} {error}.",
                "Make it anew from z.",
            ) from error
        if stated is not None and stated != made.hash:
            raise CardError("The activity was changed after it was made.", "Make it anew from z.")
        return made

    def _record_without_hash(self) -> dict[str, Any]:
        cues = [
            {**asdict(one), "units": list(one.units), "place": list(one.place)} for one in self.cues
        ]
        return {"schema": 1, "card": self.card_hash, "cues": cues}


def cue_key(cue: Cue) -> tuple[str, frozenset[str]]:
    """Return what makes cues of several classes one cue: the same words on the same units."""
    return (cue.words, frozenset(cue.units))


def distinct_cues(card: Card) -> tuple[Cue, ...]:
    """Return each cue of the card once, in the order of first mention."""
    first: dict[tuple[str, frozenset[str]], Cue] = {}
    for entry in card.classes:
        for cue in entry.cues:
            first.setdefault(cue_key(cue), cue)
    return tuple(first.values())


def name_of_place(place: tuple[str, ...]) -> str:
    """Return where most of a place lies, in words; empty where there is none."""
    cells = [
        (int(digit), (y + 0.5) / len(place), (x + 0.5) / len(row))
        for y, row in enumerate(place)
        for x, digit in enumerate(row)
    ]
    total = sum(value for value, _, _ in cells)
    if not total:
        return ""
    if sum(2 * value > MOST_CELL for value, _, _ in cells) > _SPREAD * len(cells):
        return "all over"
    down = sum(value * y for value, y, _ in cells) / total
    across = sum(value * x for value, _, x in cells) / total
    row = "top" if down < 1 / 3 else "bottom" if down > 2 / 3 else ""
    column = "left" if across < 1 / 3 else "right" if across > 2 / 3 else ""
    return f"{row} {column}".strip() or "middle"


def _cue_activity_from_json(record: Mapping[str, Any]) -> CueActivity:
    step = record["step"]
    if not isinstance(step, int) or isinstance(step, bool) or abs(step) > STEPS:
        raise ValueError(f"{step!r} is no step from -{STEPS} to {STEPS}")
    units, place = record["units"], record["place"]
    if not isinstance(units, list) or not isinstance(place, list):
        raise TypeError("units or place is no list")
    rows = tuple(str(row) for row in place)
    if len(rows) > PLACE_SIDE or any(
        not 0 < len(row) <= PLACE_SIDE or len(row) != len(rows[0]) or not _are_digits(row)
        for row in rows
    ):
        raise ValueError("a place is no grid of digits")
    return CueActivity(str(record["words"]), tuple(str(u) for u in units), step, rows)


def _are_digits(row: str) -> bool:
    return row.isascii() and row.isdigit()
