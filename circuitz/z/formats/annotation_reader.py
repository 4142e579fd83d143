"""Reading a file of annotations that somebody else may have written."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from circuitz.disk.json_io import loads
from circuitz.errors import AnnotationFileError, CircuitzError
from circuitz.z.formats.annotation_csv import (
    is_clip_dissect,
    parse_csv_table,
    read_annotation_csv,
    read_clip_dissect,
)
from circuitz.z.formats.annotation_jsonl import annotation_file_from_jsonl_records
from circuitz.z.formats.annotation_row import MAX_ROWS, READ_FORMATS, AnnotationFile
from circuitz.z.formats.feature_circuits import (
    is_feature_circuits,
    read_feature_circuits,
    records_of_names,
)
from circuitz.z.formats.layer_map import map_layers
from circuitz.z.formats.netdissect import is_netdissect, read_netdissect
from circuitz.z.formats.neuronpedia import is_neuronpedia_explanation, read_neuronpedia

MAX_BYTES = 256 * 2**20


def read_annotations(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",
    layer_map: Mapping[str, str] | None = None,
) -> AnnotationFile:
    """Read a file of annotations.

    Parameters
    ----------
    path
        File to read; may be packed with gzip (``.gz``).
    format
        One of ``csv``, ``jsonl``, ``clip-dissect``, ``neuronpedia``, ``netdissect``,
        ``feature-circuits``, or ``auto`` to tell by the name and the columns.
    layer_map
        Layers by their name in the file, and what they are called in z, as
        ``{"20-gemmascope-res-16k": "blocks.20@sae"}``. Empty leaves a layer out, and ``{"*": ""}``
        all that are not named.

    Raises
    ------
    AnnotationFileError
        If it cannot be read, is of no such format, or lines are not what they have to be; or if
        the layer map names a layer the file has not.
    """
    place = Path(path)
    if format not in (*READ_FORMATS, "auto"):
        raise AnnotationFileError(
            f"{format[:40]!r} is no format of annotations.",
            f"Use one of {', '.join(READ_FORMATS)}.",
        )
    file = _read_in_format(place, format)
    return map_layers(file, layer_map) if layer_map else file


def _read_in_format(place: Path, format: str) -> AnnotationFile:
    text = _decode_utf8_text(_read_file_bytes(place), place)
    name = place.name.lower().removesuffix(".gz")
    kind = format
    if kind == "auto":
        kind = "json" if name.endswith((".jsonl", ".json", ".ndjson")) else "csv"
        if kind == "csv" and not name.endswith((".csv", ".txt")):
            kind = "json" if text.lstrip()[:1] in ("{", "[") else "csv"
    if kind in ("csv", "clip-dissect", "netdissect"):
        header, rows = parse_csv_table(text, place)
        if kind == "netdissect" or (format == "auto" and is_netdissect(header)):
            return read_netdissect(header, rows, place)
        if kind == "clip-dissect" or (format == "auto" and is_clip_dissect(header)):
            return read_clip_dissect(header, rows, place)
        return read_annotation_csv(header, rows, place)
    records = _numbered_json_objects(text, place)
    items = [record for _, record in records]
    if kind == "neuronpedia" or (
        format == "auto" and any(is_neuronpedia_explanation(item) for item in items)
    ):
        return read_neuronpedia(records, place)
    if kind == "feature-circuits" or (
        format == "auto" and items and all(is_feature_circuits(item) for item in items)
    ):
        return read_feature_circuits(records, place)
    return annotation_file_from_jsonl_records(records, place)


def _read_file_bytes(path: Path) -> bytes:
    try:
        # A pipe in a file's place must not make the reader wait for a writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise AnnotationFileError(
            f"{path} cannot be read: {error.strerror}.", "Check the path."
        ) from error
    except ValueError as error:
        raise AnnotationFileError(f"{str(path)!r} is no path.", "Check it.") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise AnnotationFileError(f"{path} is not a plain file.", "Save it as a file first.")
    with os.fdopen(handle, "rb") as file:
        try:
            if path.name.lower().endswith(".gz"):
                with gzip.GzipFile(fileobj=file) as packed:
                    data = packed.read(MAX_BYTES + 1)
            else:
                data = file.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise AnnotationFileError(
                f"{path} cannot be unpacked or read: {error}.", "Copy it again."
            ) from error
    if len(data) > MAX_BYTES:
        raise AnnotationFileError(f"{path} has more than {MAX_BYTES:,} bytes.", "Split it.")
    return data


def _decode_utf8_text(data: bytes, path: Path) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise AnnotationFileError(f"{path} is UTF-16.", "Save it as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise AnnotationFileError(
            f"{path} is not UTF-8 text: line {line} has the byte {data[error.start]:#04x}.",
            "Save it as UTF-8.",
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise AnnotationFileError(f"{path} is no text: line {line} has a zero byte.", "Check it.")
    return text


def _numbered_json_objects(text: str, path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    """Objects of a JSON Lines file, of a JSON list, or of what an API answers."""
    try:
        if text.lstrip()[:1] == "[":
            items = loads(text.encode(), str(path))
            found = list(enumerate(items, start=1))
        else:
            found = _json_lines(text)
    except CircuitzError as error:
        raise AnnotationFileError(f"{path}: {error.message}", "Correct the file.") from error
    if len(found) == 1 and isinstance(found[0][1], dict):
        found = records_of_names(found[0][1]) or found
    records = [record for line, item in found for record in _explanations_of_feature(line, item)]
    alone = len(found) == 1 and len(records) > 1
    found = [(i if alone else line, item) for i, (line, item) in enumerate(records, start=1)]
    if len(found) > MAX_ROWS:
        raise AnnotationFileError(f"{path} has more than {MAX_ROWS:,} lines.", "Split it.")
    for line, item in found:
        if not isinstance(item, dict):
            raise AnnotationFileError(f"{path}: Line {line} is no object.", "Correct the file.")
    return found


def _json_lines(text: str) -> list[tuple[int, Any]]:
    """Objects of JSON Lines, or the one object that goes over several lines."""
    # Only "\n" ends a line: texts may hold other characters that split lines.
    lines = [(i, line) for i, line in enumerate(text.split("\n"), start=1) if line.strip()]
    try:
        return [(i, loads(line.encode(), f"line {i}")) for i, line in lines]
    except CircuitzError:
        if len(lines) < 2 or lines[0][1].rstrip()[-1:] not in ("{", ","):
            raise
        try:
            return [(1, loads(text.encode(), "it"))]
        except CircuitzError:
            pass
        raise


def _explanations_of_feature(line: int, item: Any) -> list[tuple[int, Any]]:
    """Return the explanations in what an API answers of one feature; else the item itself."""
    answer = item.get("explanations") if isinstance(item, dict) else None
    if not isinstance(answer, list):
        return [(line, item)]
    shared = {key: item[key] for key in ("modelId", "layer", "index") if key in item}
    return [
        (line, {**shared, **one} if isinstance(one, dict) else one)
        for one in cast("list[Any]", answer)
    ]
