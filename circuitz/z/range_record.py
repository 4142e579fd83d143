"""What a z keeps of its range gauge: by class, how far units left what the concept set shows.

A record is about the weights and inputs it was made of; of others it says nothing and is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from circuitz.z.word_match import POPULATION_NAMES, Population

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

#: Where a z's notes keep them.
NOTE = "range_gauge"


@dataclass(frozen=True)
class RangeRecord:
    """The gauge of one class on one population.

    Parameters
    ----------
    population
        ``D``, where inputs are of the classes they are labelled with, or ``D'``, where they are of
        the classes the network predicts.
    target
        The class.
    asks
        Whether somebody should look: the gauge is beyond chance and beyond its peers.
    gauge
        Share of inputs on which units lie outside, weighted by their drive; ``None`` if untested.
    silent, others
        What it is held against: the median share of units without words, and the median gauge of
        the other classes; ``None`` where there are none.
    far
        Share of inputs that lie farther from the concept set, by drive-weighted activity, than it
        does from itself; ``None`` if untested.
    inputs, reference
        Inputs of the class, and images of the concept set's *test* split.
    units
        Units that add most, the first ones first, with what each adds to the gauge.
    count, by_chance
        Inputs on which the first of them lies outside, and how many would by chance at most.
    pictures
        Content hashes of pictures of inputs that lie outside.
    weights_hash, inputs_hash, concepts_hash
        What it was made of.
    reason
        Why it is untested; empty otherwise.
    """

    population: Population
    target: str
    asks: bool
    gauge: float | None
    silent: float | None
    others: float | None
    far: float | None
    inputs: int
    reference: int
    units: tuple[tuple[str, float], ...]
    count: int
    by_chance: int
    pictures: tuple[str, ...]
    weights_hash: str
    inputs_hash: str
    concepts_hash: str
    reason: str = ""


_NAMES = {field.name for field in fields(RangeRecord)}
_NUMBERS = ("gauge", "silent", "others", "far")


def with_range_records(
    z: AnnotatedModel, records: Iterable[RangeRecord], pngs: dict[str, bytes]
) -> AnnotatedModel:
    """Return z with records kept in place of those of the same populations, and their pictures."""
    new = list(records)
    populations = {record.population for record in new}
    kept = [r for r in range_records(z) if r.population not in populations] + new
    changes: dict[str, Any] = {"notes": {**z.notes, NOTE: [asdict(record) for record in kept]}}
    if z.measurements is not None:
        old = {name for r in range_records(z) for name in r.pictures if r.population in populations}
        pictures = {name: png for name, png in z.measurements.pictures.items() if name not in old}
        changes["measurements"] = replace(z.measurements, pictures={**pictures, **pngs})
    return z.with_(what="range gauged", **changes)


def range_records(z: AnnotatedModel) -> tuple[RangeRecord, ...]:
    """Return the records kept of z's present weights, concept set and D, D's first."""
    rows: Any = z.notes.get(NOTE, [])
    found = [_record_or_none(row) for row in rows] if isinstance(rows, list | tuple) else []
    return tuple(
        sorted(
            (r for r in found if r is not None and _is_of_present_z(r, z)),
            key=lambda r: (r.population, _class_order(z, r.target)),
        )
    )


def range_pictures_by_hash(z: AnnotatedModel) -> dict[str, bytes]:
    """Return the pictures of records that still hold, by hash."""
    if z.measurements is None:
        return {}
    there = z.measurements.pictures
    names = [name for record in range_records(z) for name in record.pictures]
    return {name: there[name] for name in names if name in there}


def range_frame(z: AnnotatedModel) -> pd.DataFrame:
    """Return one row a class and population that was gauged.

    Columns: population, target, asks, gauge, silent, others, far, inputs, reference, unit (the one
    that adds most), count, by_chance, reason. What was not measured is NaN or empty.
    """
    rows = [
        {
            "population": POPULATION_NAMES[r.population],
            "target": r.target,
            "asks": r.asks,
            **{name: math.nan if (v := getattr(r, name)) is None else v for name in _NUMBERS},
            "inputs": r.inputs,
            "reference": r.reference,
            "unit": r.units[0][0] if r.units else "",
            "count": r.count,
            "by_chance": r.by_chance,
            "reason": r.reason,
        }
        for r in range_records(z)
    ]
    return pd.DataFrame(rows, columns=list(RANGE_COLUMNS)).astype(RANGE_COLUMNS)


RANGE_COLUMNS = {
    "population": "str",
    "target": "str",
    "asks": "bool",
    **dict.fromkeys(_NUMBERS, "float64"),
    "inputs": "int64",
    "reference": "int64",
    "unit": "str",
    "count": "int64",
    "by_chance": "int64",
    "reason": "str",
}


def _record_or_none(row: Any) -> RangeRecord | None:
    """Read a record; ``None`` for one that is malformed or of another version."""
    if not isinstance(row, dict) or set(row) != _NAMES:
        return None
    values: dict[str, Any] = dict(row)
    try:
        values["units"] = tuple((str(unit), float(share)) for unit, share in values["units"])
        values["pictures"] = tuple(map(str, values["pictures"]))
        for name in _NUMBERS:
            values[name] = None if values[name] is None else float(values[name])
        for name in ("inputs", "reference", "count", "by_chance"):
            values[name] = int(values[name])
    except (TypeError, ValueError):
        return None
    if values["population"] not in ("D", "D'"):
        return None
    values["asks"] = values["asks"] is True
    return RangeRecord(**values)


def _is_of_present_z(record: RangeRecord, z: AnnotatedModel) -> bool:
    """Whether weights, concept set and D are what they were; D′ does not belong to z."""
    same = record.weights_hash == z.weights_hash and record.target in z.classes
    same &= not z.concepts_hash or record.concepts_hash == z.concepts_hash
    if record.population == "D":
        same &= not z.data_hash or record.inputs_hash == z.data_hash
    return same


def _class_order(z: AnnotatedModel, name: str) -> int:
    classes: Sequence[str] = z.classes
    return classes.index(name)
