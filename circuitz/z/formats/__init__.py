"""Annotations as files that others read and write: CSV, JSON Lines, CLIP-Dissect, Neuronpedia."""

from circuitz.z.formats.annotation_import import (
    AnnotationImport,
    import_annotations,
    import_into_bundle,
)
from circuitz.z.formats.annotation_reader import read_annotations
from circuitz.z.formats.annotation_row import FORMATS, AnnotationFile, AnnotationRow
from circuitz.z.formats.annotation_writer import write_annotations

__all__ = [
    "FORMATS",
    "AnnotationFile",
    "AnnotationImport",
    "AnnotationRow",
    "import_annotations",
    "import_into_bundle",
    "read_annotations",
    "write_annotations",
]
