"""Documents that carry the hash of their own contents."""

from __future__ import annotations

import hashlib
from typing import Any

from circuitz.disk.json_io import dumps, loads
from circuitz.errors import BundleFormatError, BundleTamperedError

_SEAL = "sha256"


def seal_with_own_hash(document: dict[str, Any]) -> bytes:
    """Write a document with its own hash as last field."""
    digest = hashlib.sha256(dumps(document)).hexdigest()
    return dumps({**document, _SEAL: digest}, indent=1) + b"\n"


def parse_sealed_document_unchecked(data: bytes | memoryview, place: str) -> dict[str, Any]:
    """Read a document; ``check_seal`` is left to the caller, who knows the schema first."""
    document = loads(data, place)
    if not isinstance(document, dict):
        raise BundleFormatError(f"{place} is not an object.", "The file is damaged.")
    return document


def check_seal(document: dict[str, Any], place: str) -> None:
    """Refuse a document that was changed after it was written.

    Raises
    ------
    BundleTamperedError
        If its contents do not fit its hash.
    """
    rest = {key: value for key, value in document.items() if key != _SEAL}
    if document.get(_SEAL) != hashlib.sha256(dumps(rest)).hexdigest():
        raise BundleTamperedError(
            f"{place} was changed after it was written.",
            "Restore it from a copy; edit through circuitz, which keeps the hashes right.",
        )
