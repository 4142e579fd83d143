"""Writing annotations as a file for others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from circuitz.disk.atomic import bundle_write_error_from, staged_file_replacement
from circuitz.errors import AnnotationFileError, CircuitzError
from circuitz.z.annotation import Annotation
from circuitz.z.formats.annotation_csv import (
    annotations_to_clip_dissect,
    annotations_to_csv,
    is_about_one_unit,
)
from circuitz.z.formats.annotation_jsonl import annotations_to_jsonl
from circuitz.z.formats.annotation_row import FORMATS
from circuitz.z.formats.neuronpedia import annotations_to_neuronpedia
from circuitz.z.targets import target_sort_key

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

_SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@dataclass(frozen=True)
class AnnotationExport:
    """What was written.

    Parameters
    ----------
    path, format
        Where, and in which of the formats.
    rows
        How many annotations.
    left_out
        Targets the format has no place for: groups and edges.
    """

    path: Path
    format: str
    rows: int
    left_out: tuple[str, ...] = ()


def write_annotations(
    z: AnnotatedModel,
    path: str | os.PathLike[str],
    *,
    format: str = "auto",
    history: bool = False,
    overwrite: bool = False,
) -> AnnotationExport:
    """Write the annotations in force, or the whole log.

    Parameters
    ----------
    path
        File to write.
    format
        One of ``csv``, ``jsonl``, ``clip-dissect``, ``neuronpedia``, or ``auto`` to tell by the
        name: ``.csv``, ``.jsonl``, ``descriptions.csv``.
    history
        Write every edit, undone and withdrawn ones included; CSV and JSON Lines alone hold that.
    overwrite
        Whether a file that is there may be replaced.

    Raises
    ------
    AnnotationFileError
        If the format is unknown, or a file is there.
    BundleWriteError
        If the disk is full or read-only; what was there is untouched.
    """
    place = Path(path)
    kind = _resolve_format(place, format)
    if history and kind not in ("csv", "jsonl"):
        raise AnnotationFileError(
            f"The format {kind} holds words in force, not their history.", "Use csv or jsonl."
        )
    in_force = z.effective()
    entries: Sequence[Annotation] = (
        z.log if history else [in_force[target] for target in sorted(in_force, key=target_sort_key)]
    )
    kept, left_out = list(entries), ()
    if kind in ("clip-dissect", "neuronpedia"):
        kept = [entry for entry in entries if is_about_one_unit(entry)]
        left_out = tuple(entry.target for entry in entries if not is_about_one_unit(entry))
    data = {
        "csv": lambda: annotations_to_csv(kept, history=history),
        "jsonl": lambda: annotations_to_jsonl(kept, history=history),
        "clip-dissect": lambda: annotations_to_clip_dissect(kept),
        "neuronpedia": lambda: annotations_to_neuronpedia(kept, z.name),
    }[kind]()
    _write_checking_overwrite(place, data, overwrite)
    return AnnotationExport(place, kind, len(kept), left_out)


def _resolve_format(path: Path, requested: str) -> str:
    if requested in FORMATS:
        return requested
    kind = _SUFFIXES.get(path.suffix.lower())
    if requested != "auto" or kind is None:
        what = (
            f"{requested[:40]!r} is no format"
            if requested != "auto"
            else f"{path.name} tells no format"
        )
        raise AnnotationFileError(
            f"{what} of annotations.", f"Name one with --format: {', '.join(FORMATS)}."
        )
    return "clip-dissect" if path.name.lower() == "descriptions.csv" else kind


def _write_checking_overwrite(path: Path, data: bytes, overwrite: bool) -> None:
    target = Path(os.path.realpath(path))
    try:
        there = os.path.lexists(target)
        if there and not overwrite:
            raise AnnotationFileError(
                f"{path} is there already.",
                "Pass --overwrite to replace it, and with it whatever was edited in it.",
            )
        if there and not target.is_file():
            raise AnnotationFileError(f"{path} is not a plain file.", "Choose another name.")
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged_file_replacement(target, data):
            pass
    except CircuitzError:
        raise
    except OSError as error:
        raise bundle_write_error_from(path, error) from error
    except ValueError as error:
        raise AnnotationFileError(f"{str(path)!r} is no path.", "Check it.") from error
