"""Names of files inside a bundle: plain relative paths and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from circuitz.disk.saved_files import FileEntry
from circuitz.errors import BundleFormatError, BundleUnsafeError

_PART = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.@+=-]{0,199}$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
MAX_FILES = 200_000
MAX_TOTAL = 2**40


def check_name(name: object, where: str) -> str:
    """Return the name of a file that lies inside the bundle.

    Raises
    ------
    BundleUnsafeError
        If it is absolute, leads outside, or is not a plain path.
    """
    if isinstance(name, str) and len(name) <= 400:
        parts = name.split("/")
        if len(parts) <= 8 and all(_PART.fullmatch(part) and ".." not in part for part in parts):
            return name
    raise BundleUnsafeError(
        f"{where} names the file {str(name)[:80]!r}, which is not a plain path inside the bundle.",
        "Do not open bundles from people you do not trust; nothing was read or written.",
    )


def check_distinct(names: Iterable[str], where: str) -> None:
    """Refuse names that would be one file on a disk that ignores case.

    Raises
    ------
    BundleUnsafeError
        If two names are the same.
    """
    seen: set[str] = set()
    for name in names:
        folded = name.casefold()
        if folded in seen:
            raise BundleUnsafeError(f"{where} names {name[:80]!r} twice.", "It is damaged.")
        seen.add(folded)


def parse_files(files: Any, where: str) -> dict[str, FileEntry]:
    """Read the manifest's list of files.

    Raises
    ------
    BundleFormatError
        If an entry has no proper hash and size.
    BundleUnsafeError
        If a name leads outside the bundle, or sizes are beyond any use.
    """
    if not isinstance(files, dict) or len(files) > MAX_FILES:
        raise BundleFormatError(f"{where} has no proper list of files.", "The file is damaged.")
    entries: dict[str, FileEntry] = {}
    for name, entry in files.items():
        check_name(name, where)
        entries[name] = _entry(name, entry, where)
    check_distinct(entries, where)
    if sum(entry.size for entry in entries.values()) > MAX_TOTAL:
        raise BundleUnsafeError(f"{where} lists more than a terabyte.", "It is damaged.")
    return entries


def _entry(name: str, entry: Any, where: str) -> FileEntry:
    if isinstance(entry, dict):
        size: Any = entry.get("size")
        digest: Any = entry.get("sha256")
        counted = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        if counted and isinstance(digest, str) and _SHA256.fullmatch(digest):
            return FileEntry(digest, size)
    raise BundleFormatError(
        f"{where} gives no proper hash and size of {name!r}.", "The file is damaged."
    )
