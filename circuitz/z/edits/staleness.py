"""What changed since a result was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitz.disk.lazy import Deferred, lazy_field_content_unread
from circuitz.disk.saved_files import SavedFiles
from circuitz.z.bundle.inputs_io import input_set_fingerprint

if TYPE_CHECKING:
    from circuitz.z.bundle.data_ref import DataRef
    from circuitz.z.model import AnnotatedModel


def input_set_hash(z: AnnotatedModel, name: str, ref: DataRef | None) -> str:
    """Fingerprint of an input set of z, read or not; empty when there is none."""
    held = lazy_field_content_unread(z, name)
    if isinstance(held, Deferred):
        return held.key
    if held is not None:
        return input_set_fingerprint(held)
    return ref.fingerprint if ref else ""


def changes_since_measurements(z: AnnotatedModel) -> tuple[str, ...]:
    """Name what z's measurements were made on and has changed: weights, concepts, data."""
    return _changed_names(_hashes_recorded_by_measurements(z), _current_hashes(z))


def changes_since_findings(z: AnnotatedModel) -> tuple[str, ...]:
    """Name what z's findings were made from and has changed: annotations, weights, ..."""
    now = {"annotations": z.annotations_hash, **_current_hashes(z)}
    # One check writes all of a z's findings; those of several would each name their own.
    then = [dict(finding.hashes) for finding in z.findings]
    return tuple(name for name in now if any(_changed_names(each, now, name) for each in then))


def _current_hashes(z: AnnotatedModel) -> dict[str, str]:
    return {"weights": z.weights_hash, "concepts": z.concepts_hash, "data": z.data_hash}


def _changed_names(then: dict[str, str], now: dict[str, str], only: str = "") -> tuple[str, ...]:
    """Names whose hashes differ.

    A set that is not known now cannot be compared; one that was never recorded was not used.
    """
    names = [only] if only else list(now)
    return tuple(name for name in names if now[name] and then.get(name) and then[name] != now[name])


def _hashes_recorded_by_measurements(z: AnnotatedModel) -> dict[str, str]:
    """Hashes the measurements record, without reading them from disk."""
    held = lazy_field_content_unread(z, "measurements")
    if isinstance(held, Deferred) and isinstance(held.saved, SavedFiles):
        spec = held.saved.spec
        return {name: spec[f"{name}_hash"] for name in ("weights", "concepts", "data")}
    measured = z.measurements
    if measured is None:
        return {}
    return {
        "weights": measured.weights_hash,
        "concepts": measured.concepts_hash,
        "data": measured.data_hash,
    }
