"""Annotations as JSON Lines, one object a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from circuitz.disk.json_io import dumps
from circuitz.errors import AnnotationError
from circuitz.z.annotation import Annotation
from circuitz.z.formats.annotation_row import (
    FIELDS,
    LINKS,
    AnnotationFile,
    annotation_file_from_records,
)

_KNOWN = frozenset((*FIELDS, *LINKS))


def annotation_file_from_jsonl_records(
    records: list[tuple[int, Mapping[str, Any]]], path: Path
) -> AnnotationFile:
    """Read lines of ours, or others with the keys ``target`` and ``text``."""
    return annotation_file_from_records(records, path, "jsonl", _checked_annotation_fields)


def _checked_annotation_fields(record: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(record) - _KNOWN)
    if unknown:
        raise AnnotationError(
            f"It has the key {unknown[0][:40]!r}.", f"Known keys are {', '.join(FIELDS)}."
        )
    # A history says of every entry whether it withdraws something; a list of what is in force,
    # such as a bundle's own, names entries that are not in the file.
    fields = (
        record if "retracted" in record else {k: v for k, v in record.items() if k not in LINKS}
    )
    if fields.get("lexicon_hash") and "concepts" not in fields:
        return {**fields, "concepts": []}  # read by a lexicon, which found nothing
    return dict(fields)


def annotations_to_jsonl(entries: Iterable[Annotation], *, history: bool) -> bytes:
    """Write annotations, all fields of each."""
    names = (*FIELDS, *LINKS) if history else FIELDS
    return b"".join(
        dumps({name: _json_field(entry, name) for name in names}) + b"\n" for entry in entries
    )


def _json_field(entry: Annotation, name: str) -> Any:
    value: Any = getattr(entry, name)
    return list(value) if isinstance(value, tuple) else value
