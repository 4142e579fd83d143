"""Hash of the code that kept results rest on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import circuitz


@cache
def code_hash(places: Sequence[str]) -> str:
    """Return the hash of some files, and of all Python files in some rooms, 16 hex digits."""
    root = Path(circuitz.__file__).parent
    digest = hashlib.sha256()
    for place in places:
        found = [root / place] if place.endswith(".py") else (root / place).rglob("*.py")
        for path in sorted(found):
            digest.update(str(path.relative_to(root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
