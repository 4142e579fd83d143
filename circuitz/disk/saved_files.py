"""Where values of this process lie on disk, so that saving again need not write them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary


@dataclass(frozen=True)
class FileEntry:
    """SHA-256 and size of a file, as the manifest records them."""

    sha256: str
    size: int


class FileSource(Protocol):
    """Something that files of a bundle can be read from."""

    def read(self, name: str, entry: FileEntry) -> memoryview:
        """Bytes of a file, checked against its entry."""
        ...

    def read_mapped(self, name: str, entry: FileEntry) -> memoryview:
        """Bytes of a file, only its size checked."""
        ...


@dataclass(frozen=True)
class SavedFiles:
    """Files that together hold one value.

    Parameters
    ----------
    files
        Entry of each file by its name in the bundle.
    source
        The bundle they lie in.
    spec
        What the manifest says about the value.
    """

    files: Mapping[str, FileEntry]
    source: FileSource
    spec: Any = field(default=None)


# Values are immutable, so what was once written stays true; by identity, and gone with the value.
_PIECES: WeakKeyDictionary[Any, SavedFiles] = WeakKeyDictionary()


def remember_saved_files(value: object, saved: SavedFiles) -> None:
    """Note where a value lies."""
    _PIECES[value] = saved


def saved_files_of_value(value: object) -> SavedFiles | None:
    """Where the value lies, when it was read from a bundle or written to one."""
    return _PIECES.get(value)
