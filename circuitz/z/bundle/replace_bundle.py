"""What saving a bundle does besides writing z: whom it replaces, and what it keeps of that."""

from __future__ import annotations

import os
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from circuitz.disk.atomic import write_new_file_durably
from circuitz.disk.folder_source import FolderSource
from circuitz.disk.saved_files import FileEntry
from circuitz.errors import BundleError, BundleWriteError
from circuitz.z.bundle.log_io import chained_log_lines, parse_and_verify_log
from circuitz.z.bundle.manifest import HEAD, LOG, MANIFEST, Manifest, parse_manifest_and_files
from circuitz.z.edits import history
from circuitz.z.model import AnnotatedModel

ASIDE = "log.aside.jsonl"
_TEXTS = {".json", ".jsonl", ".md"}


def check_replaceable(path: Path, overwrite: bool) -> None:
    """Refuse to replace what is no bundle.

    Raises
    ------
    BundleWriteError
        If something else is there, or anything and ``overwrite`` is false.
    """
    if not path.exists():
        return
    if not overwrite:
        raise BundleWriteError(f"{path} is there already.", "Pass overwrite=True to replace it.")
    if path.suffix == ".zip":
        ours = path.is_file() and zipfile.is_zipfile(path)
    else:
        ours = path.is_dir() and ((path / MANIFEST).is_file() or not any(path.iterdir()))
    if not ours:
        raise BundleWriteError(
            f"{path} is there and is no bundle; it is not replaced.", "Choose another name."
        )


@dataclass(frozen=True)
class ReplacedBundle:
    """The bundle that will be replaced.

    Parameters
    ----------
    manifest, files
        What it says; ``None`` and none when there is no bundle, or it is damaged.
    """

    manifest: Manifest | None = None
    files: dict[str, FileEntry] = field(default_factory=dict)

    @classmethod
    def read_at_or_empty(cls, path: Path) -> ReplacedBundle:
        """Look at what is there."""
        try:
            return cls(*parse_manifest_and_files(FolderSource(path).read_unchecked(MANIFEST)))
        except BundleError:
            return cls()


def carry_over_foreign_files(old: Path, replaced: ReplacedBundle, new: Path) -> None:
    """Keep files that people put into the bundle themselves."""
    ours = {LOG, HEAD, MANIFEST, "evidence", "bases", "concepts"}
    ours |= {name.partition("/")[0] for name in replaced.files}
    for item in old.iterdir():
        if item.name in ours or (new / item.name).exists():
            continue
        if item.is_symlink() or item.is_file():
            _link_or_copy(item, new / item.name)
        elif item.is_dir():
            shutil.copytree(item, new / item.name, symlinks=True, copy_function=_link_or_copy)


def _link_or_copy(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, target, follow_symlinks=False)


def set_unknown_edits_aside(
    z: AnnotatedModel, path: Path, replaced: ReplacedBundle, folder: Path
) -> int:
    """Keep edits that others appended to the old bundle's log and z has not seen.

    Returns
    -------
    How many there are. None are kept of a bundle that has nothing to do with z.
    """
    try:
        on_disk = parse_and_verify_log(FolderSource(path).read_unchecked(LOG)).entries
    except BundleError:
        return 0
    dropped = history.entries_not_in(on_disk, (entry.id for entry in z.log))
    shared = len(dropped) < len(on_disk)
    if not dropped or not (shared or _is_same_or_descendant(z, replaced.manifest)):
        return 0
    aside = folder / ASIDE
    try:
        already = FolderSource(folder).read_unchecked(ASIDE)
    except BundleError:
        already = b""  # none yet, or a link that somebody put there
    aside.unlink(missing_ok=True)
    write_new_file_durably(aside, already + chained_log_lines(dropped)[0])
    return len(dropped)


def _is_same_or_descendant(z: AnnotatedModel, manifest: Manifest | None) -> bool:
    """Whether z is the network of that bundle, or was made from it."""
    if manifest is None:
        return False
    ancestors = {z.hash, z.parent} | {step.get("parent") for step in z.lineage}
    return manifest.hash in ancestors or manifest.weights_hash == z.weights_hash


def zip_folder_reproducibly(folder: Path) -> Path:
    """Zip a folder, the same bytes for the same files; arrays are not compressed.

    Returns
    -------
    The zip file, inside the folder.
    """
    packed = folder / ".packed"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with packed.open("xb") as out, zipfile.ZipFile(out, "w") as archive:
        for path in files:
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o100644 << 16
            text = path.suffix in _TEXTS
            info.compress_type = zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED
            info.file_size = path.stat().st_size
            with archive.open(info, "w") as member, path.open("rb") as file:
                shutil.copyfileobj(file, member, 2**20)
        archive.close()
        out.flush()
        os.fsync(out.fileno())
    return packed
