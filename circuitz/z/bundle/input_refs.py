"""References from a bundle to sets of inputs that are too large for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from circuitz.disk.lazy import raw
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import fingerprint, origin
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel


@dataclass(frozen=True)
class References:
    """Where D and a large concept set lie, as seen from the bundle."""

    data: DataRef | None
    concepts: DataRef | None


def references(z: AnnotatedModel, place: Path) -> References:
    """Make the references of z for a bundle that will lie at ``place``."""
    return References(
        _reference(z, "data", z.data_ref, place),
        _reference(z, "concept_set", z.concepts_ref, place),
    )


def _reference(z: AnnotatedModel, name: str, ref: DataRef | None, place: Path) -> DataRef | None:
    held = raw(z, name)
    if isinstance(held, InputSet) and (ref is None or ref.fingerprint != fingerprint(held)):
        ref = DataRef.to(held)
    if ref is None:
        return None
    found = ref.find(z.home) if z.home else None
    if found is None and isinstance(held, InputSet):
        # Where this very set was written or read; a path somebody gave by hand comes second.
        found = ref.find(place) or origin(held)
    if found is None:
        return ref
    # Beside the bundle: relative, so that both can be moved together. Elsewhere: absolute.
    found = found.resolve()
    beside = found.is_relative_to(place.parent)
    return replace(ref, path=found.relative_to(place.parent).as_posix() if beside else str(found))
