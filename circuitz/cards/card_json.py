"""Read a card from JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from circuitz.cards.card import SCHEMA, Agreement, Card, ClassEntry, Cue, UnitExemplars
from circuitz.errors import CardError, CircuitzError
from circuitz.z.word_match import POPULATIONS, Population, WordMatch


def parse_card(record: Mapping[str, Any]) -> Card:
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
        made = Card(
            classes=tuple(_parse_class_entry(e) for e in record["classes"]),
            subject=str(record["subject"]),
            z_hash=str(record["z_hash"]),
            concepts_hash=str(record["concepts_hash"]),
            agreement=tuple(_parse_agreement(a) for a in record.get("agreement", ())),
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


def _parse_class_entry(record: Mapping[str, Any]) -> ClassEntry:
    share = record["unexplained"]
    if share is not None:
        low_mid_high = tuple(_parse_finite_number(v) for v in share)
        if len(low_mid_high) != 3:
            raise ValueError("unexplained needs estimate, low and high")
        share = low_mid_high
    wordless = record.get("wordless")
    return ClassEntry(
        str(record["name"]),
        tuple(_parse_cue(c) for c in record["cues"]),
        share,
        None if wordless is None else _parse_finite_number(wordless),
        tuple(
            (_parse_population(p), _parse_finite_number(v)) for p, v in record.get("outside", ())
        ),
    )


def _parse_agreement(record: Mapping[str, Any]) -> Agreement:
    share, low, high = (_parse_finite_number(record[name]) for name in ("share", "low", "high"))
    return Agreement(_parse_population(record["population"]), share, low, high, int(record["n"]))


def _parse_match(record: Mapping[str, Any]) -> WordMatch:
    verdict = record["verdict"]
    if verdict not in ("holds", "fails", "untested"):
        raise ValueError(f"{verdict!r} is no verdict on words")
    estimate, low, high = (
        None if record[name] is None else _parse_finite_number(record[name])
        for name in ("estimate", "low", "high")
    )
    population = _parse_population(record["population"])
    return WordMatch(population, verdict, estimate, low, high, int(record["n"]))


def _parse_population(value: Any) -> Population:
    for known in POPULATIONS:
        if value == known:
            return known
    raise ValueError(f"{value!r} is no population")


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
        interval=_parse_interval(record.get("interval")),
        matches=tuple(_parse_match(m) for m in record.get("matches", ())),
    )


def _parse_interval(values: Any) -> tuple[float, float] | None:
    if values is None:
        return None
    low, high = (_parse_finite_number(v) for v in values)
    return (low, high)


def _texts_from_list(values: Any) -> tuple[str, ...]:
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"a list was expected, not {type(values).__name__}")
    return tuple(str(v) for v in values)


def _parse_finite_number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number
