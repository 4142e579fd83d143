"""The card as a value: what a rater is shown of z."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

from circuitz.disk.hashing import json_hash
from circuitz.errors import CardError
from circuitz.z.word_match import (
    Population,
    WordMatch,
    hold_everywhere,
    where_failed,
)

#: Cards of schema 1 tell words and drive alone; they are read, and keep their hash.
SCHEMA = 2
# Shares of a class's whole effect from which a cue is called very strong, strong, or some.
VERY_STRONG = 0.40
STRONG = 0.20
SOME = 0.08
Grade = Literal["very strong", "strong", "some", "slight"]


@dataclass(frozen=True)
class UnitExemplars:
    """Inputs of the concept set on which a unit is most active, best first."""

    layer: str
    unit: str
    indices: tuple[int, ...]


@dataclass(frozen=True)
class Cue:
    """One thing that speaks for or against a class.

    Parameters
    ----------
    words
        What a rater reads.
    concepts
        The concepts in those words, canonical names; empty when none is known.
    units
        The units annotated so, strongest for this class first.
    strength
        Their summed drive on the class, in shares of the class's whole effect. Positive: what
        the words name speaks for the class when it is there.
    exemplars
        Inputs that show it, one entry a unit.
    interval
        The strength's 95 % interval; ``None`` where its error was not measured. Errors of units
        are added as if independent.
    matches
        Whether the words hold, one entry a population; empty on a card that does not tell.
    """

    words: str
    concepts: tuple[str, ...]
    units: tuple[str, ...]
    strength: float
    exemplars: tuple[UnitExemplars, ...] = ()
    interval: tuple[float, float] | None = None
    matches: tuple[WordMatch, ...] = ()

    @property
    def strength_grade(self) -> Grade:
        """The strength in a word."""
        size = abs(self.strength)
        if size >= STRONG:
            return "very strong" if size >= VERY_STRONG else "strong"
        return "some" if size >= SOME else "slight"

    @property
    def speaks_for_class(self) -> bool:
        """Whether presence speaks for the class."""
        return self.strength > 0

    @property
    def fails_on(self) -> tuple[Population, ...]:
        """The populations on which the words were found not to hold."""
        return where_failed(self.matches)

    @property
    def counts(self) -> bool:
        """Whether nobody who reads the card need disregard the words.

        They hold on the concept set and fail nowhere. What was not tested on D and D′ counts
        here, and is marked; export counts only what holds on all populations.
        """
        if not self.matches:
            return True
        return hold_everywhere(self.matches, ("concepts",)) and not self.fails_on


@dataclass(frozen=True)
class ClassEntry:
    """What the card says about one class.

    Parameters
    ----------
    name
        The class.
    cues
        Strongest first.
    unexplained
        Share of the class's effect that the annotated units do not recover, with its interval;
        ``None`` when it was not measured.
    wordless
        Share of the summed size of all units' drive that units without words have; ``None`` when
        the card does not tell.
    outside
        Range gauge by population: drive-weighted share of units whose activity on the class's
        inputs lies outside what the concept set shows; one entry a population that was gauged.
    """

    name: str
    cues: tuple[Cue, ...]
    unexplained: tuple[float, float, float] | None = None
    wordless: float | None = None
    outside: tuple[tuple[Population, float], ...] = ()


@dataclass(frozen=True)
class Agreement:
    """How often the network still chooses its class when its words are taken at face value.

    Units that bear words get the values their words imply, those without words values of other
    inputs (:mod:`circuitz.effects.rewrite`). No class label of the inputs is used.

    Parameters
    ----------
    population
        ``D`` or ``D'``.
    share, low, high
        Share of inputs on which the choice stays, with its interval.
    n
        Inputs.
    """

    population: Population
    share: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Card:
    """What a rater is shown: for every class the few cues that matter, in words.

    Parameters
    ----------
    classes
        One entry a class, in the model's order.
    subject
        What the classes are kinds of, in the singular; empty when not known.
    z_hash, concepts_hash
        The z it was made from, and the concept set its exemplars are pictures of.
    agreement
        Agreement of the network with its own words, one entry a population that was tried.
    """

    classes: tuple[ClassEntry, ...]
    subject: str = ""
    z_hash: str = ""
    concepts_hash: str = ""
    agreement: tuple[Agreement, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The classes' names."""
        return tuple(entry.name for entry in self.classes)

    @property
    def concepts(self) -> tuple[str, ...]:
        """Every concept the card mentions, sorted."""
        return tuple(sorted({c for e in self.classes for cue in e.cues for c in cue.concepts}))

    @property
    def units(self) -> tuple[str, ...]:
        """Every unit the card mentions, in the order of first mention."""
        return tuple(dict.fromkeys(u for e in self.classes for cue in e.cues for u in cue.units))

    @property
    def counted(self) -> Card:
        """The card with the words alone that count (see :attr:`Cue.counts`)."""
        return replace(
            self,
            classes=tuple(
                replace(e, cues=tuple(cue for cue in e.cues if cue.counts)) for e in self.classes
            ),
        )

    @property
    def is_empty(self) -> bool:
        """Whether the card says nothing about any class."""
        return not any(entry.cues for entry in self.classes)

    def entry_of_class(self, name: str) -> ClassEntry:
        """Return the entry of a class.

        Raises
        ------
        CardError
            If the card has no such class.
        """
        for found in self.classes:
            if found.name == name:
                return found
        raise CardError(f"The card has no class {name!r}.", f"It has {', '.join(self.names)}.")

    @cached_property
    def hash(self) -> str:
        """Hash of what is shown; where it was made from (``z_hash``) does not count."""
        shown = self._record_without_hash()
        del shown["z_hash"]
        return json_hash(shown)

    def to_json(self) -> dict[str, Any]:
        """Return the card as JSON values, its hash included."""
        return {**self._record_without_hash(), "hash": self.hash}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Card:
        """Read a card back.

        Raises
        ------
        CardError
            If it is malformed, of a newer schema, or its content does not fit its hash.
        """
        from circuitz.cards.card_json import parse_card  # noqa: PLC0415 - it imports this file

        return parse_card(record)

    def to_text(self) -> str:
        """Return the card as a field guide in plain words (Markdown)."""
        from circuitz.cards.field_guide import card_markdown  # noqa: PLC0415 - it imports this file

        return card_markdown(self)

    def to_html(self, pictures: Mapping[int, bytes] | None = None) -> str:
        """Return the card as self-contained HTML.

        Parameters
        ----------
        pictures
            PNG bytes by index into the concept set; exemplars without one are left out.
        """
        from circuitz.cards.field_guide import card_html  # noqa: PLC0415 - it imports this file

        return card_html(self, pictures or {})

    def _repr_html_(self) -> str:
        return self.to_html()

    def _record_without_hash(self) -> dict[str, Any]:
        # Through JSON once, so that a card read back has the same record (tuples become lists).
        record: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        added = _drop_unset_fields_of_schema_2(record)
        return {"schema": SCHEMA if added else 1, **record}


def _drop_unset_fields_of_schema_2(record: dict[str, Any]) -> bool:
    """Leave out what schema 1 has not and is unset; returns whether something of it is left."""
    parts = [record, *record["classes"], *(cue for e in record["classes"] for cue in e["cues"])]
    left = False
    for part in parts:
        for name in ("agreement", "wordless", "outside", "interval", "matches"):
            if name in part and (part[name] is None or part[name] == []):
                del part[name]
            left = left or name in part
    return left
