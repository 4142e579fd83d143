"""Where the files of a bundle are read from: a folder or a zip file."""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from weakref import WeakSet

from circuitz.errors import (
    BundleError,
    BundleFormatError,
    BundleTamperedError,
    BundleTruncatedError,
    BundleUnsafeError,
)
from circuitz.z.names import MAX_FILES, check_distinct, check_name
from circuitz.z.remember import FileEntry

MAX_SMALL = 64 * 2**20
"""Most bytes read of a file whose size no manifest states."""
MAX_RATIO = 250
MAX_UNPACKED = 16 * 2**30
_RATIO_FROM = 64 * 2**20


def _tampered(name: str) -> BundleTamperedError:
    return BundleTamperedError(
        f"{name} does not fit the hash the bundle records for it.",
        "It was changed or damaged after it was written; restore the bundle from a copy.",
    )


def _check_size(name: str, size: int, entry: FileEntry) -> None:
    if size < entry.size:
        raise BundleTruncatedError(
            f"{name} has {size:,} bytes of {entry.size:,}.", "Restore the bundle from a copy."
        )
    if size > entry.size:
        raise _tampered(name)


class FolderSource:
    """A bundle, or an input set, that is a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._pins: dict[str, int] = {}
        self._waiting: dict[str, FileEntry] = {}
        self._lock = threading.Lock()
        _OPEN.add(self)

    def __del__(self) -> None:
        for handle in self._pins.values():
            os.close(handle)

    def _handle(self, name: str) -> int:
        """Open a regular file without following links, below the root or inside it."""
        with self._lock:
            if name in self._pins:
                return os.dup(self._pins[name])
        path = self.root
        for part in PurePosixPath(check_name(name, str(self.root))).parts[:-1]:
            path = path / part
            if path.is_symlink():
                raise self._link(name)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = self.root / name
        if file.is_symlink():
            raise self._link(name)
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

    def _link(self, name: str) -> BundleUnsafeError:
        return BundleUnsafeError(
            f"{name} in {self.root} is, or lies behind, a symbolic link.",
            "Bundles hold no links; copy the file itself into the bundle if you trust it.",
        )

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.root / name).is_file()

    def read_unchecked(self, name: str, limit: int = MAX_SMALL) -> bytes:
        """Bytes of a file the manifest does not list, such as the manifest itself."""
        with os.fdopen(self._handle(name), "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise BundleUnsafeError(f"{name} has more than {limit:,} bytes.", "It is damaged.")
        return data

    def read_mapped(self, name: str, entry: FileEntry) -> memoryview:
        """Map a file of the recorded size without reading it."""
        handle = self._handle(name)
        try:
            _check_size(name, os.fstat(handle).st_size, entry)
            if not entry.size:
                return memoryview(b"")
            return memoryview(mmap.mmap(handle, 0, access=mmap.ACCESS_READ))
        finally:
            os.close(handle)

    def read(self, name: str, entry: FileEntry) -> memoryview:
        """Map a file and check its contents."""
        buffer = self.read_mapped(name, entry)
        if hashlib.sha256(buffer).hexdigest() != entry.sha256:
            raise _tampered(name)
        return buffer

    def check_sizes(self, files: Mapping[str, FileEntry]) -> None:
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
                raise self._link(str(parent))
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
                raise self._link(name)
            if not stat.S_ISREG(found.st_mode):
                raise BundleUnsafeError(f"{name} is not a plain file.", "Nothing was read.")
            _check_size(name, found.st_size, entry)

    def hold(self, files: Mapping[str, FileEntry]) -> None:
        """Note files that will be read when somebody looks at what they hold."""
        self._waiting.update(files)

    def settle(self, *names: str) -> None:
        """Note that files are being read now and need not be kept any longer."""
        for name in names:
            self._waiting.pop(name, None)

    def pin(self, coming: Mapping[str, FileEntry]) -> None:
        """Hold open what will be gone once the folder is replaced by one with these files."""
        for name in [n for n, entry in self._waiting.items() if coming.get(n) != entry]:
            try:
                handle = self._handle(name)
            except BundleError:
                continue  # reading it later says what is wrong with it
            with self._lock:
                if name in self._pins:
                    os.close(handle)
                else:
                    self._pins[name] = handle


class ZipSource:
    """A bundle that is a zip file; members are unpacked into memory when read."""

    def __init__(self, path: Path) -> None:
        self.root = path
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise BundleTruncatedError(
                f"{path} is not a whole zip file: {error}.", "Copy or download it again."
            ) from error
        except OSError as error:
            raise BundleError(f"{path} cannot be read: {error.strerror}.", "Check it.") from error
        self._lock = threading.Lock()
        self._members = self._check_members()

    def _check_members(self) -> dict[str, zipfile.ZipInfo]:
        infos = [i for i in self._zip.infolist() if not i.filename.startswith("__MACOSX/")]
        if len(infos) > MAX_FILES:
            raise BundleUnsafeError(f"{self.root} has {len(infos):,} members.", "It is no bundle.")
        total, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
        if total > MAX_UNPACKED or (total > _RATIO_FROM and total > MAX_RATIO * max(packed, 1)):
            raise BundleUnsafeError(
                f"{self.root} has {packed:,} bytes and would unpack to {total:,}.",
                "No honest bundle shrinks that far; nothing was unpacked.",
            )
        tops = [i.filename for i in infos if PurePosixPath(i.filename).name == "z.json"]
        # Zipping the folder by hand puts its name before every member.
        manifest = min(tops, key=lambda name: name.count("/"), default="")
        prefix = manifest[: -len("z.json")]
        members: dict[str, zipfile.ZipInfo] = {}
        plain = [i for i in infos if not i.is_dir()]
        check_distinct([i.filename for i in plain], str(self.root))
        for info in plain:
            mode = info.external_attr >> 16
            if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise BundleUnsafeError(
                    f"{info.filename[:80]!r} in {self.root} is a link or a device.",
                    "Bundles hold plain files alone; nothing was unpacked.",
                )
            if info.flag_bits & 1:
                raise BundleFormatError(f"{self.root} is encrypted.", "Unpack it first.")
            if info.filename.startswith(prefix):
                name = info.filename[len(prefix) :]
                hidden = any(part.startswith(".") for part in name.split("/"))
                if hidden and ".." not in name and not name.startswith("/"):
                    continue  # .DS_Store and the like
                members[check_name(name, str(self.root))] = info
        return members

    def exists(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self._members

    def read_unchecked(self, name: str, limit: int = MAX_SMALL) -> bytes:
        """Bytes of a member the manifest does not list."""
        info = self._members.get(name)
        if info is None:
            raise BundleTruncatedError(f"{name} is missing from {self.root}.", "Copy it again.")
        if info.file_size > limit:
            raise BundleUnsafeError(f"{name} has more than {limit:,} bytes.", "It is damaged.")
        try:
            with self._lock, self._zip.open(info) as file:
                # The header's size is a claim: never read further than it allows.
                data = file.read(info.file_size + 1)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
            raise BundleTruncatedError(
                f"{name} in {self.root} cannot be unpacked: {error}.", "Copy the file again."
            ) from error
        except Exception as error:  # zlib, lzma and bz2 each have their own
            raise BundleTruncatedError(
                f"{name} in {self.root} is damaged: {error}.", "Copy the file again."
            ) from error
        if len(data) != info.file_size:
            raise BundleUnsafeError(f"{name} is larger than it says.", "Nothing was unpacked.")
        return data

    def hold(self, files: Mapping[str, FileEntry]) -> None:
        """Do nothing: the open zip file holds all its members."""

    def settle(self, *names: str) -> None:
        """Do nothing, as above."""

    def read_mapped(self, name: str, entry: FileEntry) -> memoryview:
        """Unpack a member of the recorded size."""
        self.check_sizes({name: entry})
        return memoryview(self.read_unchecked(name, max(MAX_SMALL, entry.size)))

    def read(self, name: str, entry: FileEntry) -> memoryview:
        """Unpack a member and check its contents."""
        data = self.read_mapped(name, entry)
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise _tampered(name)
        return data

    def check_sizes(self, files: Mapping[str, FileEntry]) -> None:
        """Compare every member's size with the manifest, unpacking none."""
        for name, entry in files.items():
            info = self._members.get(name)
            if info is None:
                raise BundleTruncatedError(f"{name} is missing from {self.root}.", "Copy it again.")
            _check_size(name, info.file_size, entry)


_OPEN: WeakSet[FolderSource] = WeakSet()
BundleSource = FolderSource | ZipSource


def sources_of(root: Path) -> list[FolderSource]:
    """Folder sources of this process that read from a folder."""
    return [source for source in list(_OPEN) if source.root == root]
