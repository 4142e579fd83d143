"""References from a bundle to sets of inputs that are too large for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from circuitz.disk.lazy import lazy_field_content_unread
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import folder_of_inputs, input_set_fingerprint
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel


@dataclass(frozen=True)
class InputReferences:
    """Where D and a large concept set lie, as seen from the bundle."""

    data: DataRef | None
    concepts: DataRef | None


def input_references(z: AnnotatedModel, path: Path) -> InputReferences:
    """Make the references of z for a bundle that will lie at ``path``."""
    return InputReferences(
        _input_reference(z, "data", z.data_ref, path),
        _input_reference(z, "concept_set", z.concepts_ref, path),
    )


def _input_reference(
    z: AnnotatedModel, name: str, ref: DataRef | None, path: Path
) -> DataRef | None:
    held = lazy_field_content_unread(z, name)
    if isinstance(held, InputSet) and (
        ref is None or ref.fingerprint != input_set_fingerprint(held)
    ):
        ref = DataRef.referring_to(held)
    if ref is None:
        return None
    found = ref.find_folder(z.home) if z.home else None
    if found is None and isinstance(held, InputSet):
        # Where this very set was written or read; a path somebody gave by hand comes second.
        found = ref.find_folder(path) or folder_of_inputs(held)
    if found is None:
        return ref
    # Beside the bundle: relative, so that both can be moved together. Elsewhere: absolute.
    found = found.resolve()
    beside = found.is_relative_to(path.parent)
    return replace(ref, path=found.relative_to(path.parent).as_posix() if beside else str(found))
