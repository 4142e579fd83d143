"""Files of a bundle that is a folder."""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
import threading
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from weakref import WeakSet

from circuitz.disk.atomic import exists_when_settled
from circuitz.disk.file_names import check_member_name
from circuitz.disk.saved_files import FileEntry
from circuitz.errors import (
    BundleError,
    BundleTamperedError,
    BundleTruncatedError,
    BundleUnsafeError,
)

MAX_SMALL = 64 * 2**20
"""Most bytes read of a file whose size no manifest states."""


def tampered_error(name: str) -> BundleTamperedError:
    """Say that a file is not what it was."""
    return BundleTamperedError(
        f"{name} does not fit the hash the bundle records for it.",
        "It was changed or damaged after it was written; restore the bundle from a copy.",
    )


def check_file_size(name: str, size: int, entry: FileEntry) -> None:
    """Refuse a file of another size than the manifest gives."""
    if size < entry.size:
        raise BundleTruncatedError(
            f"{name} has {size:,} bytes of {entry.size:,}.", "Restore the bundle from a copy."
        )
    if size > entry.size:
        raise tampered_error(name)


def _folder_identity(root: Path) -> tuple[int, int] | None:
    try:
        found = root.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class FolderSource:
    """A bundle, or an input set, that is a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._identity = _folder_identity(root)
        self._pins: dict[str, int] = {}
        self._waiting: dict[str, FileEntry] = {}
        self._lock = threading.Lock()
        _OPEN.add(self)

    def __del__(self) -> None:
        for handle in self._pins.values():
            os.close(handle)

    def _open_pinned_or_current(self, name: str) -> int:
        """Open a file that was held open, or is there, if need be after a save has ended."""
        with self._lock:
            if name in self._pins:
                return os.dup(self._pins[name])
        try:
            return self._open_without_following_links(name)
        except BundleTruncatedError:
            # Between the two renames of somebody's save the folder has no name.
            if not exists_when_settled(self.root):
                raise
            return self._open_without_following_links(name)

    def _open_without_following_links(self, name: str) -> int:
        """Open a regular file without following links, below the root or inside it."""
        path = self.root
        for part in PurePosixPath(check_member_name(name, str(self.root))).parts[:-1]:
            path = path / part
            if path.is_symlink():
                raise self._link_error(name)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = self.root / name
        if file.is_symlink():
            raise self._link_error(name)
        try:
            # A pipe put in a file's place must not make the opener wait for a writer.
            handle = os.open(file, flags | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError as error:
            raise BundleTruncatedError(
                f"{name} is missing from {self.root}.", "Restore the bundle from a copy."
            ) from error
        except OSError as error:
            raise BundleError(
                f"{file} cannot be read: {error.strerror}.", "Check its permissions."
            ) from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise BundleUnsafeError(f"{name} is not a plain file.", "Nothing was read.")
        return handle

    def _link_error(self, name: str) -> BundleUnsafeError:
        return BundleUnsafeError(
            f"{name} in {self.root} is, or lies behind, a symbolic link.",
            "Bundles hold no links; copy the file itself into the bundle if you trust it.",
        )

    def exists(self, name: str) -> bool:
        """Whether something of this name is there; opening it tells whether it is a file."""
        return os.path.lexists(self.root / name)

    def read_unchecked(self, name: str, limit: int = MAX_SMALL) -> bytes:
        """Bytes of a file the manifest does not list, such as the manifest itself."""
        with os.fdopen(self._open_pinned_or_current(name), "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise BundleUnsafeError(f"{name} has more than {limit:,} bytes.", "It is damaged.")
        return data

    def read_mapped(self, name: str, entry: FileEntry) -> memoryview:
        """Map a file of the recorded size without reading it."""
        handle = self._open_pinned_or_current(name)
        try:
            check_file_size(name, os.fstat(handle).st_size, entry)
            if not entry.size:
                return memoryview(b"")
            return memoryview(mmap.mmap(handle, 0, access=mmap.ACCESS_READ))
        finally:
            os.close(handle)

    def read(self, name: str, entry: FileEntry) -> memoryview:
        """Map a file and check its contents."""
        try:
            buffer = self.read_mapped(name, entry)
            if hashlib.sha256(buffer).hexdigest() != entry.sha256:
                raise tampered_error(name)
        except (BundleTamperedError, BundleTruncatedError) as error:
            now = _folder_identity(self.root)
            if now is None or now == self._identity:
                raise
            raise BundleError(
                f"{self.root} was saved anew by somebody while it was open here; {name} as it was "
                "is gone.",
                "Nothing is damaged: load it again.",
            ) from error
        return buffer

    def check_sizes_against_manifest(self, files: Mapping[str, FileEntry]) -> None:
        """Compare every file's size with the manifest, reading none.

        Raises
        ------
        BundleTruncatedError
            If one is missing or has another size.
        BundleUnsafeError
            If one is a link or no plain file.
        """
        links = {parent for name in files for parent in PurePosixPath(name).parents[:-1]}
        for parent in links:
            if (self.root / parent).is_symlink():
                raise self._link_error(str(parent))
        for name, entry in files.items():
            try:
                found = (self.root / name).lstat()
            except FileNotFoundError as error:
                raise BundleTruncatedError(
                    f"{name} is missing from {self.root}.", "Restore the bundle from a copy."
                ) from error
            except OSError as error:
                raise BundleError(
                    f"{name} cannot be read: {error.strerror}.", "Check its permissions."
                ) from error
            if stat.S_ISLNK(found.st_mode):
                raise self._link_error(name)
            if not stat.S_ISREG(found.st_mode):
                raise BundleUnsafeError(f"{name} is not a plain file.", "Nothing was read.")
            check_file_size(name, found.st_size, entry)

    def note_files_to_read_later(self, files: Mapping[str, FileEntry]) -> None:
        """Note files that will be read when somebody looks at what they hold."""
        self._waiting.update(files)

    def forget_files_to_read_later(self, *names: str) -> None:
        """Note that files are being read now and need not be kept any longer."""
        for name in names:
            self._waiting.pop(name, None)

    def pin_replaced_files(self, new_files: Mapping[str, FileEntry]) -> None:
        """Hold open what will be gone once the folder is replaced by one with these files."""
        for name in [n for n, entry in self._waiting.items() if new_files.get(n) != entry]:
            try:
                handle = self._open_pinned_or_current(name)
            except BundleError:
                continue  # reading it later says what is wrong with it
            with self._lock:
                if name in self._pins:
                    os.close(handle)
                else:
                    self._pins[name] = handle


_OPEN: WeakSet[FolderSource] = WeakSet()


def live_folder_sources_at(root: Path) -> list[FolderSource]:
    """Folder sources of this process that read from a folder."""
    return [source for source in list(_OPEN) if source.root == root]
