"""Files of a bundle that is a zip file."""

from __future__ import annotations

import hashlib
import stat
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from circuitz.disk.file_names import MAX_FILES, check_distinct_ignoring_case, check_member_name
from circuitz.disk.folder_source import MAX_SMALL, FolderSource, check_file_size, tampered_error
from circuitz.disk.saved_files import FileEntry
from circuitz.errors import (
    BundleError,
    BundleFormatError,
    BundleTruncatedError,
    BundleUnsafeError,
)

MAX_RATIO = 250
MAX_UNPACKED = 16 * 2**30
_RATIO_FROM = 64 * 2**20


class ZipSource:
    """A bundle that is a zip file; members are unpacked into memory when read.

    Parameters
    ----------
    path
        The file.
    manifest
        File at the top of what it holds.
    """

    def __init__(self, path: Path, manifest: str = "z.json") -> None:
        self.root = path
        self._manifest = manifest
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise BundleTruncatedError(
                f"{path} is not a whole zip file: {error}.", "Copy or download it again."
            ) from error
        except OSError as error:
            raise BundleError(f"{path} cannot be read: {error.strerror}.", "Check it.") from error
        except Exception as error:  # damaged lists of members fail in many ways
            raise BundleTruncatedError(
                f"{path} is not a whole zip file: {error}.", "Copy or download it again."
            ) from error
        self._lock = threading.Lock()
        self._members = self._checked_members_by_name()

    def _checked_members_by_name(self) -> dict[str, zipfile.ZipInfo]:
        infos = [i for i in self._zip.infolist() if not i.filename.startswith("__MACOSX/")]
        if not all(i.filename for i in infos):
            raise BundleUnsafeError(f"{self.root} has a member without a name.", "It is damaged.")
        if len(infos) > MAX_FILES:
            raise BundleUnsafeError(f"{self.root} has {len(infos):,} members.", "It is no bundle.")
        total, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
        # Members may claim the same bytes again and again; together they have no more than the file.
        packed = min(packed, self.root.stat().st_size)
        if total > MAX_UNPACKED or (total > _RATIO_FROM and total > MAX_RATIO * max(packed, 1)):
            raise BundleUnsafeError(
                f"{self.root} has {packed:,} bytes and would unpack to {total:,}.",
                "No honest bundle shrinks that far; nothing was unpacked.",
            )
        tops = [i.filename for i in infos if PurePosixPath(i.filename).name == self._manifest]
        # Zipping the folder by hand puts its name before every member.
        manifest = min(tops, key=lambda name: name.count("/"), default="")
        prefix = manifest[: -len(self._manifest)]
        members: dict[str, zipfile.ZipInfo] = {}
        plain = [i for i in infos if not i.is_dir()]
        check_distinct_ignoring_case([i.filename for i in plain], str(self.root))
        for info in plain:
            mode = info.external_attr >> 16
            if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise BundleUnsafeError(
                    f"{info.filename[:80]!r} in {self.root} is a link or a device.",
                    "Bundles hold plain files alone; nothing was unpacked.",
                )
            if info.flag_bits & 1:
                raise BundleFormatError(f"{self.root} is encrypted.", "Unpack it first.")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise BundleFormatError(
                    f"{info.filename[:80]!r} in {self.root} is packed in an unusual way.",
                    "Zip the bundle again, without options.",
                )
            if info.filename.startswith(prefix):
                name = info.filename[len(prefix) :]
                hidden = any(part.startswith(".") for part in name.split("/"))
                if hidden and ".." not in name and not name.startswith("/"):
                    continue  # .DS_Store and the like
                members[check_member_name(name, str(self.root))] = info
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

    def note_files_to_read_later(self, files: Mapping[str, FileEntry]) -> None:
        """Do nothing: the open zip file holds all its members."""

    def forget_files_to_read_later(self, *names: str) -> None:
        """Do nothing, as above."""

    def read_mapped(self, name: str, entry: FileEntry) -> memoryview:
        """Unpack a member of the recorded size."""
        self.check_sizes_against_manifest({name: entry})
        return memoryview(self.read_unchecked(name, max(MAX_SMALL, entry.size)))

    def read(self, name: str, entry: FileEntry) -> memoryview:
        """Unpack a member and check its contents."""
        data = self.read_mapped(name, entry)
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise tampered_error(name)
        return data

    def check_sizes_against_manifest(self, files: Mapping[str, FileEntry]) -> None:
        """Compare every member's size with the manifest, unpacking none."""
        for name, entry in files.items():
            info = self._members.get(name)
            if info is None:
                raise BundleTruncatedError(f"{name} is missing from {self.root}.", "Copy it again.")
            check_file_size(name, info.file_size, entry)


BundleSource = FolderSource | ZipSource
