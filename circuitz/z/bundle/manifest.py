"""``z.json``: what a bundle holds, and what it was made by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from circuitz.disk.file_names import parse_file_entries
from circuitz.disk.records import decode, encode
from circuitz.disk.saved_files import FileEntry
from circuitz.disk.seal import check_seal, parse_sealed_document_unchecked, seal_with_own_hash
from circuitz.errors import BundleFormatError, BundleSchemaError
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.finding import Waiver
from circuitz.z.layer import Head, LayerSpec, Preprocessing
from circuitz.z.version import version

SCHEMA = 1
FORMAT = "circuitz bundle"
MANIFEST = "z.json"
LOG = "log.jsonl"
HEAD = "annotations.jsonl"
WEIGHTS = "weights.safetensors"
BASES = "bases/bases.safetensors"
CONCEPTS = "concepts/"
EVIDENCE = "evidence/"
FINDINGS = "findings.json"
STORY = "story.md"


@dataclass(frozen=True)
class LogMark:
    """How long the log was when the manifest was written, and its chain hash there."""

    count: int
    hash: str


@dataclass(frozen=True)
class Manifest:
    """Everything ``z.json`` says, less its list of files.

    The log may have grown since: each of its lines vouches for those before, so appending needs
    no new manifest.
    """

    name: str
    classes: tuple[str, ...]
    subject: str
    layers: tuple[LayerSpec, ...]
    cut: tuple[str, ...]
    preprocessing: Preprocessing
    builder: str
    builder_args: dict[str, Any]
    hash: str
    weights_hash: str
    bases_hash: str
    log: LogMark
    head: Head = "softmax"
    output: str = ""
    concepts_hash: str = ""
    concepts_ref: DataRef | None = None
    data_ref: DataRef | None = None
    measurements: dict[str, Any] | None = None
    waivers: tuple[Waiver, ...] = ()
    parent: str = ""
    lineage: tuple[dict[str, Any], ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)


def encode_manifest(manifest: Manifest, files: Mapping[str, FileEntry]) -> bytes:
    """Write ``z.json``, sealed with its own hash."""
    body = encode(manifest)
    # An empty dict field is left out like any default; None means "not measured".
    listed = {n: {"sha256": e.sha256, "size": e.size} for n, e in sorted(files.items())}
    head = {"format": FORMAT, "schema": SCHEMA, "writer": f"circuitz {version()}"}
    return seal_with_own_hash({**head, **body, "files": listed})


def parse_manifest_and_files(data: bytes) -> tuple[Manifest, dict[str, FileEntry]]:
    """Read ``z.json``.

    Raises
    ------
    BundleSchemaError
        If a newer version wrote it; the message says which.
    BundleTamperedError
        If it was changed after it was written.
    BundleFormatError, BundleUnsafeError
        If it is not the manifest of a bundle, or an unsafe one.
    """
    document = parse_sealed_document_unchecked(data, MANIFEST)
    if document.get("format") != FORMAT:
        raise BundleFormatError(f"{MANIFEST} is no manifest of a circuitz bundle.", "Check it.")
    schema = document.get("schema")
    writer = str(document.get("writer", "an unknown version"))[:60]
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise BundleFormatError(f"{MANIFEST} gives no schema version.", "The file is damaged.")
    if schema > SCHEMA:
        raise BundleSchemaError(
            f"The bundle was written by {writer} with schema {schema}; circuitz {version()} reads "
            f"up to schema {SCHEMA}.",
            "Update circuitz to open it.",
        )
    check_seal(document, MANIFEST)
    known = {"format", "schema", "writer", "files", "sha256"}
    body = {key: value for key, value in document.items() if key not in known}
    return decode(Manifest, body, MANIFEST), parse_file_entries(document.get("files"), MANIFEST)
