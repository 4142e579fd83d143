"""The card as a value: what a rater is shown of z."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from circuitz.disk.hashing import json_hash
from circuitz.errors import CardError, CircuitzError

SCHEMA = 1
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
    """

    words: str
    concepts: tuple[str, ...]
    units: tuple[str, ...]
    strength: float
    exemplars: tuple[UnitExemplars, ...] = ()

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
    """

    name: str
    cues: tuple[Cue, ...]
    unexplained: tuple[float, float, float] | None = None


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
    """

    classes: tuple[ClassEntry, ...]
    subject: str = ""
    z_hash: str = ""
    concepts_hash: str = ""

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
        try:
            schema = int(record["schema"])
            if schema > SCHEMA:
                raise CardError(f"The card has schema {schema}.", "Update circuitz.")
            made = cls(
                classes=tuple(_parse_class_entry(e) for e in record["classes"]),
                subject=str(record["subject"]),
                z_hash=str(record["z_hash"]),
                concepts_hash=str(record["concepts_hash"]),
            )
            stated = record.get("hash")
        except CircuitzError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CardError(
                f"This is not a card: {type(error).__name__} {error}.", "Make it anew from z."
            ) from error
        if stated is not None and stated != made.hash:
            raise CardError("The card was changed after it was made.", "Make it anew from z.")
        return made

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
        return {"schema": SCHEMA, **json.loads(json.dumps(asdict(self)))}


def _parse_class_entry(record: Mapping[str, Any]) -> ClassEntry:
    share = record["unexplained"]
    if share is not None:
        low_mid_high = tuple(_parse_finite_number(v) for v in share)
        if len(low_mid_high) != 3:
            raise ValueError("unexplained needs estimate, low and high")
        share = low_mid_high
    return ClassEntry(str(record["name"]), tuple(_parse_cue(c) for c in record["cues"]), share)


def _parse_cue(record: Mapping[str, Any]) -> Cue:
    return Cue(
        words=str(record["words"]),
        concepts=_texts_from_list(record["concepts"]),
        units=_texts_from_list(record["units"]),
        strength=_parse_finite_number(record["strength"]),
        exemplars=tuple(
            UnitExemplars(str(e["layer"]), str(e["unit"]), tuple(int(i) for i in e["indices"]))
            for e in record["exemplars"]
        ),
    )


def _texts_from_list(values: Any) -> tuple[str, ...]:
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"a list was expected, not {type(values).__name__}")
    return tuple(str(v) for v in values)


def _parse_finite_number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number
