"""Optimised inputs kept with a z, a few of single units: which unit, how, and the pictures.

Those of whole layers are arrays of the measurements
(:attr:`circuitz.z.measurements.LayerMeasurements.visualisations`). These are PNG evidence, named by
content among the measurements' pictures, and told among the notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from circuitz.disk.hashing import picture_hash
from circuitz.errors import MeasurementError
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

NOTE = "visuals"
#: Runs kept of one unit; of more, the last.
MOST = 6


@dataclass(frozen=True)
class VisualisationRun:
    """One run of feature visualisation on one unit.

    Parameters
    ----------
    pictures
        Content hashes of its pictures, which are among ``z.measurements.pictures``.
    how, steps, negative, seed
        Settings, see :func:`circuitz.responses.optimised.visualise.visualise`.
    weights
        Hash of the weights it was made from.
    """

    pictures: tuple[str, ...]
    how: str = "fourier"
    steps: int = 32
    negative: bool = False
    seed: int = 0
    weights: str = ""


def visuals_of(z: AnnotatedModel, unit: str) -> tuple[VisualisationRun, ...]:
    """Return the runs kept of a unit, of z's weights, whose pictures are there; the last first."""
    known = z.measurements.pictures if z.measurements is not None else {}
    found = [
        made
        for record in _run_records_by_unit(z).get(unit, ())
        if (made := _run_from_record_or_none(record)) is not None
    ]
    there = [
        v for v in found if v.weights == z.weights_hash and all(p in known for p in v.pictures)
    ]
    return tuple(reversed(there))


def with_visualisation_run(
    z: AnnotatedModel, unit: str, pngs: Sequence[bytes], settings: VisualisationRun
) -> AnnotatedModel:
    """Return z with one run kept; one of the same settings is replaced.

    Parameters
    ----------
    z
        Annotated model, measured: pictures are evidence, and lie with its measurements.
    unit
        Whose.
    pngs
        The pictures.
    settings
        How they were made; its pictures and weights are filled in.

    Raises
    ------
    MeasurementError
        If nothing was measured, or there are no pictures.
    UnitError
        If that is no unit.
    """
    name = str(Unit.parse(unit))
    if z.measurements is None or not pngs:
        raise MeasurementError(
            "There is nothing to keep pictures with." if pngs else "There are no pictures.",
            "Measure first: cz.measure(z, concept_set).",
        )
    named = {picture_hash(png): bytes(png) for png in pngs}
    made = replace(settings, pictures=tuple(named), weights=z.weights_hash)
    records = _run_records_by_unit(z)
    old = [
        v for record in records.get(name, ()) if (v := _run_from_record_or_none(record)) is not None
    ]
    old = [v for v in old if replace(v, pictures=()) != replace(made, pictures=())]
    told = {**records, name: [_run_record(v) for v in [*old, made][-MOST:]]}
    pictures = {**z.measurements.pictures, **named}
    return z.with_(
        what=f"visualised {name}",
        measurements=replace(z.measurements, pictures=pictures),
        notes={**z.notes, NOTE: told},
    )


def current_run_pictures_by_hash(z: AnnotatedModel) -> dict[str, bytes]:
    """Return the pictures of all runs that belong to z's weights, by hash."""
    if z.measurements is None:
        return {}
    return {
        name: z.measurements.pictures[name]
        for unit in _run_records_by_unit(z)
        for made in visuals_of(z, unit)
        for name in made.pictures
    }


def _run_records_by_unit(z: AnnotatedModel) -> dict[str, list[Any]]:
    notes: Any = z.notes.get(NOTE)
    if not isinstance(notes, dict):
        return {}
    known: dict[str, Any] = notes
    return {unit: list(rows) for unit, rows in known.items() if isinstance(rows, list | tuple)}


def _run_record(run: VisualisationRun) -> dict[str, Any]:
    return {**asdict(run), "pictures": list(run.pictures)}


def _run_from_record_or_none(record: Any) -> VisualisationRun | None:
    """Return what a note says; ``None`` where it is something else."""
    plain: dict[str, Any] = record if isinstance(record, dict) else {}
    pictures: Any = plain.get("pictures")
    kinds = {"how": str, "steps": int, "negative": bool, "seed": int, "weights": str}
    good = isinstance(pictures, list | tuple) and all(isinstance(p, str) for p in pictures)
    if not good or any(not isinstance(plain.get(k), t) for k, t in kinds.items()):
        return None
    return VisualisationRun(tuple(pictures), **{k: plain[k] for k in kinds})
