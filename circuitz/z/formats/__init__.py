"""Annotations as files that others read and write: CSV, JSON Lines, and those of other tools."""

from circuitz.z.formats.annotation_import import (
    AnnotationImport,
    import_annotations,
    import_into_bundle,
)
from circuitz.z.formats.annotation_reader import read_annotations
from circuitz.z.formats.annotation_row import (
    FORMATS,
    READ_FORMATS,
    AnnotationFile,
    AnnotationRow,
)
from circuitz.z.formats.annotation_writer import write_annotations

__all__ = [
    "FORMATS",
    "READ_FORMATS",
    "AnnotationFile",
    "AnnotationImport",
    "AnnotationRow",
    "import_annotations",
    "import_into_bundle",
    "read_annotations",
    "write_annotations",
]
