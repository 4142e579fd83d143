"""Result tables of Network Dissection (Bau et al. 2017): the best concept of each unit.

``tally.csv`` of NetDissect-Lite and ``LAYER-result.csv`` of NetDissect have the columns ``unit``,
``category``, ``label``, ``score`` (an intersection over union) and five for each category. Units are
counted from 1 there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from circuitz.errors import AnnotationError, AnnotationFileError
from circuitz.z.formats.annotation_row import AnnotationFile, annotation_file_from_records
from circuitz.z.formats.csv_cells import number_from_cell, unescape_formula
from circuitz.z.formats.layer_map import layer_of_file_name

#: Intersection over union from which NetDissect calls a unit a detector.
DETECTOR = 0.04
_SCORES = ("score", "iou")
_ENDINGS = ("-result", "_result")
# What Broden puts behind the labels of a category.
_SUFFIXES = {"color": "-c", "scene": "-s"}


def is_netdissect(header: Sequence[str]) -> bool:
    """Whether a CSV file with these columns is a table of NetDissect's."""
    names = {name.lower() for name in header}
    scored = bool(names & set(_SCORES)) or any(name.endswith("-iou") for name in names)
    ours = names & {"target", "text", "annotation", "description"}
    return {"unit", "label"} <= names and scored and not ours


def read_netdissect(
    header: list[str], rows: list[tuple[int, dict[str, str]]], path: Path
) -> AnnotationFile:
    """Read a table: the best label of each unit, written by a rule.

    The layer is that of a column ``layer``, else of the file's name without ``-result``.

    Raises
    ------
    AnnotationFileError
        If it is no such table, or a unit is no number.
    """
    if not is_netdissect(header):
        raise AnnotationFileError(
            f"{path} is not NetDissect's: it lacks unit, label or score.",
            "Use --format csv for a table with the columns target and text.",
        )
    named = [
        (line, {name.lower(): unescape_formula(cell).strip() for name, cell in cells.items()})
        for line, cells in rows
    ]
    from_zero = any(cells["unit"].isdecimal() and int(cells["unit"]) == 0 for _, cells in named)
    layer = layer_of_file_name(path, _ENDINGS)

    def fields_of_cells(cells: Mapping[str, Any]) -> dict[str, Any]:
        unit, label, score = cells["unit"], cells["label"], _score(cells)
        if not unit.isdecimal() or len(unit) > 12:
            raise AnnotationError(f"Its unit {unit[:40]!r} is no number.", "")
        category = str(cells.get("category", ""))
        source = f"NetDissect {path.name}, unit {unit}: {f'{category} ' if category else ''}{label}"
        return {
            "target": f"{cells.get('layer') or layer}:{int(unit) - (0 if from_zero else 1)}",
            "text": " ".join(label.removesuffix(_SUFFIXES.get(category, "\n")).split("_")),
            "author": "NetDissect",
            "author_kind": "rule",
            "evidence": [f"{source[:160]}, IoU {score:.3f}"],
        }

    file = annotation_file_from_records(
        list[tuple[int, Mapping[str, Any]]](named), path, "netdissect", fields_of_cells
    )
    weak = sum(_score(cells) < DETECTOR for _, cells in named)
    remarks = [
        "Units are counted from 0: the table has a unit 0."
        if from_zero
        else "Units are counted from 1, as NetDissect writes them: its unit 1 is unit 0 here."
    ]
    if weak:
        remarks.append(
            f"{weak} units have an intersection over union below {DETECTOR}, from which NetDissect "
            "calls a unit a detector; their words are taken over all the same."
        )
    return replace(file, remarks=tuple(remarks))


def _score(cells: Mapping[str, str]) -> float:
    """Return the overlap with the best label: of its own column, or of its category's."""
    named = next((cells[name] for name in _SCORES if cells.get(name)), None)
    if named is None:
        named = cells.get(f"{cells.get('category', '')}-iou") or ""
    found = [named] if named else [c for n, c in cells.items() if n.endswith("-iou") and c]
    if not found:
        raise AnnotationError("It has no score.", "")
    return max(number_from_cell(cell, "score") for cell in found)
