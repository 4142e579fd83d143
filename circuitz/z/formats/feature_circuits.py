"""Annotations of the feature-circuits project (Marks et al. 2024), JSON Lines.

``{"Component": "resid", "Layer": "5", "Feature": "1234", "Name": "resid_5/1234", "Annotation": "…",
"Notes": "…"}``; older ones are one object, ``{"resid_5/1234": "…"}``. People wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from circuitz.disk.safe_text import MAX_NAME
from circuitz.errors import AnnotationError
from circuitz.z.formats.annotation_row import AnnotationFile, annotation_file_from_records

_NAME = re.compile(r"(?P<layer>[A-Za-z]\w*)/(?P<feature>\d{1,12})")
_PARTS = {"Component", "Layer", "Feature", "Name", "Annotation", "Notes", "notes"}

Records = list[tuple[int, Mapping[str, Any]]]


def is_feature_circuits(record: Mapping[str, Any]) -> bool:
    """Whether an object is an annotation of theirs."""
    named = "Name" in record or {"Component", "Feature"} <= set(record)
    return named and set(record) <= _PARTS


def records_of_names(record: Mapping[str, Any]) -> Records | None:
    """Return the annotations of an object ``{name: text}``; ``None`` if it is none."""
    named = bool(record) and all(
        _NAME.fullmatch(name) and isinstance(text, str) for name, text in record.items()
    )
    if not named:
        return None
    return [
        (line, {"Name": name, "Annotation": text})
        for line, (name, text) in enumerate(record.items(), start=1)
    ]


def read_feature_circuits(records: Records, path: Path) -> AnnotationFile:
    """Read annotations; of two on one feature the last counts, as it does for their programs."""
    file = annotation_file_from_records(records, path, "feature-circuits", _fields_of_record)
    last = {row.entry.target: row for row in file.rows}
    before = len(file.rows) - len(last)
    remarks = (
        (f"{before} lines are followed by another on the same feature, which counts.",)
        if before
        else ()
    )
    return replace(file, rows=tuple(last.values()), empty=file.empty + before, remarks=remarks)


def _fields_of_record(record: Mapping[str, Any]) -> dict[str, Any]:
    if not is_feature_circuits(record):
        raise AnnotationError("It lacks Name or Annotation, or has other keys.", "")
    name, text = record.get("Name") or _name_of_parts(record), record.get("Annotation") or ""
    if name == "Name":  # the header of a table, which files of theirs have among the rows
        return {"target": name, "text": ""}
    parts = _NAME.fullmatch(name) if isinstance(name, str) else None
    if parts is None:
        if not text:
            return {"target": str(name)[:MAX_NAME] or "?", "text": ""}
        raise AnnotationError(f"Its Name {str(name)[:60]!r} is not like resid_5/1234.", "")
    notes = record.get("Notes") or record.get("notes")
    return {
        "target": f"{parts['layer']}:{int(parts['feature'])}",
        "text": text,
        "author": "feature-circuits",
        "author_kind": "person",
        **({"evidence": [f"Notes: {str(notes)[: MAX_NAME - 10]}"]} if notes else {}),
    }


def _name_of_parts(record: Mapping[str, Any]) -> str:
    layer = record.get("Layer")
    place = f"{record.get('Component')}_{layer}" if layer not in (None, "") else "embed"
    return f"{place}/{record.get('Feature')}"
