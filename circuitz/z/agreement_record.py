"""How often a z agrees with its own words, as it keeps it: of the words and weights it was tried with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from circuitz.z.word_match import Population

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

#: Where a z's notes keep them.
NOTE = "agreement"


@dataclass(frozen=True)
class AgreementRecord:
    """One face-value rewrite (:func:`circuitz.rewrite`) on one population.

    Parameters
    ----------
    population
        ``D`` or ``D'``.
    share, low, high, n
        Share of inputs on which rewrite and network choose the same class, its 95 % interval, and
        inputs.
    works
        Whether that is near what true activations give, and well above permuted words.
    left_out
        Inputs of which some word is not known.
    simulated
        Whether values of words rest on a simulated person's answers.
    weights_hash, annotations_hash, concepts_hash, inputs_hash
        What it was made of.
    """

    population: Population
    share: float
    low: float
    high: float
    n: int
    works: bool
    left_out: int
    simulated: bool
    weights_hash: str
    annotations_hash: str
    concepts_hash: str
    inputs_hash: str


_NAMES = {field.name for field in fields(AgreementRecord)}


def with_agreement_records(z: AnnotatedModel, records: Iterable[AgreementRecord]) -> AnnotatedModel:
    """Return z with records kept; one of the same population is replaced."""
    kept = {record.population: record for record in (*agreement_records(z), *records)}
    notes = {**z.notes, NOTE: [asdict(record) for record in kept.values()]}
    return z.with_(what="agreement with its words", notes=notes)


def agreement_records(z: AnnotatedModel) -> tuple[AgreementRecord, ...]:
    """Return the records of z's present weights, words, concept set and D, D's first."""
    rows: Any = z.notes.get(NOTE, [])
    found = [_record_or_none(row) for row in rows] if isinstance(rows, list | tuple) else []
    there = [r for r in found if r is not None and _is_of_present_words(r, z)]
    return tuple(sorted(there, key=lambda record: record.population))


def _record_or_none(row: Any) -> AgreementRecord | None:
    """Read a record; ``None`` for one that is malformed or of another version."""
    if not isinstance(row, dict) or set(row) != _NAMES or row["population"] not in ("D", "D'"):
        return None
    values: dict[str, Any] = dict(row)
    try:
        for name in ("share", "low", "high"):
            values[name] = float(values[name])
        for name in ("n", "left_out"):
            values[name] = int(values[name])
    except (TypeError, ValueError):
        return None
    return AgreementRecord(**values)


def _is_of_present_words(record: AgreementRecord, z: AnnotatedModel) -> bool:
    same = (record.weights_hash, record.annotations_hash) == (z.weights_hash, z.annotations_hash)
    same &= not z.concepts_hash or record.concepts_hash == z.concepts_hash
    if record.population == "D":
        same &= not z.data_hash or record.inputs_hash == z.data_hash
    return same
