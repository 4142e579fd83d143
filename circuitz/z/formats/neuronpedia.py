"""Explanations as Neuronpedia exports them: one JSON object an explanation.

The keys are those of its table of explanations: ``modelId``, ``layer``, ``index``,
``description``, ``authorId``, ``typeName``, ``explanationModelName``, ``notes``, ``createdAt``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from circuitz.disk.json_io import dumps, loads
from circuitz.errors import AnnotationError, AnnotationFileError, CircuitzError
from circuitz.z.annotation import Annotation
from circuitz.z.formats.annotation_row import AnnotationFile, annotation_file_from_records
from circuitz.z.unit import Unit

TYPE = "circuitz"
_IN_NOTES = ("concepts", "author", "author_kind", "confidence", "evidence", "lexicon_hash",
             "weights_hash")  # fmt: skip


def is_neuronpedia_explanation(record: Mapping[str, Any]) -> bool:
    """Whether an object is an explanation of Neuronpedia's; some have no description."""
    told = {"description", "explanationModelName", "modelId"} & set(record)
    return {"layer", "index"} <= set(record) and bool(told) and "target" not in record


def read_neuronpedia(records: list[tuple[int, Mapping[str, Any]]], path: Path) -> AnnotationFile:
    """Read explanations; what a model explained is a model's, all else a person's."""
    models = {str(record["modelId"]) for _, record in records if record.get("modelId")}
    if len(models) > 1:
        raise AnnotationFileError(
            f"{path} holds explanations of {len(models)} models: "
            f"{', '.join(repr(m[:40]) for m in sorted(models)[:4])}.",
            "Keep the lines of one model.",
        )
    return annotation_file_from_records(records, path, "neuronpedia", _fields_of_explanation)


def _fields_of_explanation(record: Mapping[str, Any]) -> dict[str, Any]:
    if not is_neuronpedia_explanation(record):
        raise AnnotationError("It lacks layer or index, or what tells an explanation.", "")
    layer, index = record["layer"], record["index"]
    if isinstance(index, int) and not isinstance(index, bool):
        index = str(index)
    if not isinstance(layer, str) or not isinstance(index, str):
        raise AnnotationError("Its layer or index is no text.", "")
    fields: dict[str, Any] = {"target": f"{layer}:{index}", "text": record.get("description") or ""}
    model = record.get("explanationModelName")
    fields["author"] = model or record.get("authorId") or "Neuronpedia"
    fields["author_kind"] = "model" if model else "person"
    for key, name in (("createdAt", "time"), ("id", "id")):
        if record.get(key):
            fields[name] = record[key]
    return fields | _fields_in_notes(record)


def _fields_in_notes(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row of ours keeps in its notes."""
    notes = record.get("notes")
    if record.get("typeName") != TYPE or not isinstance(notes, str):
        return {}
    try:
        found = loads(notes.encode("utf-8", "surrogatepass"), "its notes")
    except CircuitzError as error:
        raise AnnotationError(error.message, "") from error
    if not isinstance(found, dict):
        raise AnnotationError("Its notes are no object.", "")
    return {name: found[name] for name in _IN_NOTES if name in found}


def annotations_to_neuronpedia(entries: Iterable[Annotation], model: str) -> bytes:
    """Write explanations, one a line; what Neuronpedia has no key for goes into ``notes``."""
    lines: list[bytes] = []
    for entry in entries:
        unit = Unit.parse(entry.target)
        record: dict[str, Any] = {
            "id": entry.id,
            "modelId": model,
            "layer": f"{unit.layer}@{unit.basis}" if unit.basis else unit.layer,
            "index": unit.name,
            "description": entry.text,
            "authorId": entry.author,
            "typeName": TYPE,
            "explanationModelName": entry.author if entry.author_kind == "model" else None,
            "notes": dumps(_fields_for_notes(entry)).decode(),
            "createdAt": entry.time,
        }
        lines.append(dumps(record) + b"\n")
    return b"".join(lines)


def _fields_for_notes(entry: Annotation) -> dict[str, Any]:
    values = ((name, getattr(entry, name)) for name in _IN_NOTES)
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values}
