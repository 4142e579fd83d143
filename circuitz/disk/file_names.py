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


def check_member_name(name: object, place: str) -> str:
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
        f"{place} names the file {str(name)[:80]!r}, which is not a plain path inside the bundle.",
        "Do not open bundles from people you do not trust; nothing was read or written.",
    )


def check_distinct_ignoring_case(names: Iterable[str], place: str) -> None:
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
            raise BundleUnsafeError(f"{place} names {name[:80]!r} twice.", "It is damaged.")
        seen.add(folded)


def parse_file_entries(files: Any, place: str) -> dict[str, FileEntry]:
    """Read the manifest's list of files.

    Raises
    ------
    BundleFormatError
        If an entry has no proper hash and size.
    BundleUnsafeError
        If a name leads outside the bundle, or sizes are beyond any use.
    """
    if not isinstance(files, dict) or len(files) > MAX_FILES:
        raise BundleFormatError(f"{place} has no proper list of files.", "The file is damaged.")
    entries: dict[str, FileEntry] = {}
    for name, entry in files.items():
        check_member_name(name, place)
        entries[name] = _parse_file_entry(name, entry, place)
    check_distinct_ignoring_case(entries, place)
    if sum(entry.size for entry in entries.values()) > MAX_TOTAL:
        raise BundleUnsafeError(f"{place} lists more than a terabyte.", "It is damaged.")
    return entries


def _parse_file_entry(name: str, entry: Any, place: str) -> FileEntry:
    if isinstance(entry, dict):
        size: Any = entry.get("size")
        digest: Any = entry.get("sha256")
        counted = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        if counted and isinstance(digest, str) and _SHA256.fullmatch(digest):
            return FileEntry(digest, size)
    raise BundleFormatError(
        f"{place} gives no proper hash and size of {name!r}.", "The file is damaged."
    )
