"""Annotations as files that others read and write: CSV, JSON Lines, CLIP-Dissect, Neuronpedia."""

from circuitz.z.formats.annotation_row import FORMATS, AnnotationFile, Row
from circuitz.z.formats.import_annotations import Taken, annotate_bundle, take_over
from circuitz.z.formats.read_annotations import read_annotations
from circuitz.z.formats.write_annotations import write_annotations

__all__ = [
    "FORMATS",
    "AnnotationFile",
    "Row",
    "Taken",
    "annotate_bundle",
    "read_annotations",
    "take_over",
    "write_annotations",
]
