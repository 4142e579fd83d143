"""Bundles: a z on disk, as a folder ``name.z/`` or one zip file."""

from __future__ import annotations

import os
import shutil
import warnings
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from circuitz.errors import BundleError, BundleWarning, BundleWriteError
from circuitz.z import history
from circuitz.z.annotation import Annotation
from circuitz.z.atomic import (
    building,
    new_folder,
    recover,
    replace_file,
    sync_folder,
    unfinished,
    write_error,
)
from circuitz.z.bundle_read import read_bundle
from circuitz.z.bundle_write import BundleWriter, carry_over, unknown_entries
from circuitz.z.data_ref import DataRef
from circuitz.z.inputs import InputSet
from circuitz.z.inputs_io import fingerprint, origin
from circuitz.z.lazy import Deferred, raw
from circuitz.z.lock import locked
from circuitz.z.log_io import LogRead, head_lines, log_lines, read_log
from circuitz.z.manifest import HEAD, LOG, MANIFEST, read_manifest
from circuitz.z.model import AnnotatedModel
from circuitz.z.remember import FileEntry, recall
from circuitz.z.source import FolderSource, ZipSource, sources_of

TORN = "log.torn"
ASIDE = "log.aside.jsonl"


def load(path: str | os.PathLike[str]) -> AnnotatedModel:
    """Open a bundle.

    The manifest, the log and the sizes of all files are checked now; weights, measurements and
    pictures are read, and checked against their hashes, when first touched.

    Parameters
    ----------
    path
        Folder or zip file written by :func:`save`.

    Raises
    ------
    BundleError
        If there is none, or it is truncated, was changed, is unsafe, or is of a newer schema.
    """
    place = Path(path).absolute()
    _put_right(place)
    for attempt in range(5):
        before = _identity(place)
        try:
            return _load(place)
        except BundleError:
            # Somebody saved while it was being read: what was read belongs to two bundles.
            if attempt == 4 or _identity(place) == before:
                raise
    raise AssertionError


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _put_right(path: Path) -> None:
    if path.exists() and not unfinished(path):
        return
    if not unfinished(path):
        raise BundleError(f"There is no bundle at {path}.", "Check the path.")
    try:
        # Where the bundle is there, leftovers can wait for whoever may be writing just now.
        with locked(path, timeout=0.0 if path.exists() else 20.0):
            recover(path)
    except BundleError:
        if not path.exists():
            raise
    if not path.exists():
        raise BundleError(f"There is no bundle at {path}.", "Its first save was cut short.")


def _load(path: Path) -> AnnotatedModel:
    if path.is_file():
        return _with_data(read_bundle(ZipSource(path)), path)
    source = FolderSource(path)
    if not source.exists(MANIFEST):
        raise BundleError(f"{path} is no bundle: it has no {MANIFEST}.", "Check the path.")
    log = read_log(source.read_unchecked(LOG)) if source.exists(LOG) else None
    remark = ""
    if log is not None and log.torn:
        log, remark = _mend(path)
    z = read_bundle(source, log=log)
    if remark:
        warnings.warn(remark, BundleWarning, stacklevel=3)
        z = z.with_(remarks=(*z.remarks, remark))
    return _with_data(z, path)


def _with_data(z: AnnotatedModel, path: Path) -> AnnotatedModel:
    """Attach D and a large concept set where they are at hand, unread until touched."""
    found: dict[str, Deferred[InputSet]] = {}
    for name, ref in (("data", z.data_ref), ("concept_set", z.concepts_ref)):
        if ref is not None and ref.find(path) is not None:
            said = "D" if name == "data" else "concepts"
            found[name] = Deferred(_resolver(ref, path, said), ref.fingerprint)
    return z.with_(**found) if found else z


def _resolver(ref: DataRef, path: Path, name: str):
    return lambda: ref.resolve(path, name=name)


def _mend(path: Path) -> tuple[LogRead, str]:
    """Set a line aside whose writing was cut short, unless its writer is still at it."""
    try:
        with locked(path):
            log = read_log((path / LOG).read_bytes())
            if not log.torn:
                return log, ""
            _set_aside(path, log)
            where = f"it was moved to {TORN}"
    except (BundleWriteError, OSError):
        log = read_log((path / LOG).read_bytes())
        where = "it was left in place, since the bundle cannot be written"
    return log, (
        f"The last line of {LOG} in {path.name} was cut short while it was written; "
        f"{where}. The {len(log.entries)} entries before it are whole."
    )


def _set_aside(path: Path, log: LogRead) -> None:
    with (path / TORN).open("ab") as file:
        file.write(log.torn + b"\n")
        file.flush()
        os.fsync(file.fileno())
    with (path / LOG).open("r+b") as file:
        file.truncate(log.size)
        file.flush()
        os.fsync(file.fileno())


def save(z: AnnotatedModel, path: str | os.PathLike[str], *, overwrite: bool = True) -> Path:
    """Write z as a bundle, or leave what was there untouched.

    Parameters
    ----------
    path
        Folder to write, or a zip file when it ends in ``.zip``.
    overwrite
        Whether a bundle that is there already may be replaced.

    Returns
    -------
    Where it was written.

    Raises
    ------
    BundleWriteError
        If the disk is full or read-only, or the path holds something that is no bundle.
    WeightsError
        If weights are not finite.
    """
    place = Path(path).absolute()
    if place.suffix == ".zip":
        with building(place) as folder:
            _check_place(place, overwrite)
            writer = BundleWriter(folder, None, {}, None)
            writer.write(z, **_refs(z, place))
            _pack(folder).replace(place)
            sync_folder(place.parent)
        return place
    with new_folder(place) as folder:
        _check_place(place, overwrite)
        old_files = _old_files(place)
        old = place if old_files else None
        writer = BundleWriter(folder, old, old_files, FolderSource(place))
        writer.write(z, **_refs(z, place))
        if place.is_dir():
            carry_over(place, old_files, folder)
            dropped = _keep_aside(z, place, folder)
        else:
            dropped = 0
        for source in sources_of(place):
            source.pin(writer.files)
    writer.finish()
    if dropped:
        warnings.warn(
            f"{place.name} held {dropped} edits this z does not know, made by somebody else "
            f"meanwhile; they were set aside in {ASIDE}.",
            BundleWarning,
            stacklevel=2,
        )
    return place


def _check_place(place: Path, overwrite: bool) -> None:
    if not place.exists():
        return
    if not overwrite:
        raise BundleWriteError(f"{place} is there already.", "Pass overwrite=True to replace it.")
    if place.suffix == ".zip":
        ours = place.is_file()
    else:
        ours = place.is_dir() and ((place / MANIFEST).is_file() or not any(place.iterdir()))
    if not ours:
        raise BundleWriteError(
            f"{place} is there and is no bundle; it is not replaced.", "Choose another name."
        )


def _old_files(place: Path) -> dict[str, FileEntry]:
    """Files of the bundle to be replaced; none when it is damaged."""
    try:
        return read_manifest(FolderSource(place).read_unchecked(MANIFEST))[1]
    except BundleError:
        return {}


def _refs(z: AnnotatedModel, place: Path) -> dict[str, DataRef | None]:
    """References to large sets as seen from where the bundle will lie."""
    return {
        "data_ref": _ref(z, "data", z.data_ref, place),
        "concepts_ref": _ref(z, "concept_set", z.concepts_ref, place),
    }


def _ref(z: AnnotatedModel, name: str, ref: DataRef | None, place: Path) -> DataRef | None:
    held = raw(z, name)
    if isinstance(held, InputSet) and (ref is None or ref.fingerprint != fingerprint(held)):
        ref = DataRef.to(held)
    if ref is None:
        return None
    found = ref.find(z.home) if z.home and ref.path else None
    if found is None and isinstance(held, InputSet) and not ref.path:
        found = origin(held)
    if found is None:
        return ref
    # Beside the bundle: relative, so that both can be moved together. Elsewhere: absolute.
    found = found.absolute()
    inside = found.is_relative_to(place.parent)
    return replace(ref, path=found.relative_to(place.parent).as_posix() if inside else str(found))


def _keep_aside(z: AnnotatedModel, place: Path, folder: Path) -> int:
    """Keep entries that others appended to the old bundle's log and z has not seen."""
    try:
        on_disk = read_log((place / LOG).read_bytes()).entries
    except (OSError, BundleError):
        return 0
    dropped = unknown_entries(z, on_disk)
    piece = recall(z.weights)
    from_here = z.home == str(place) or (
        piece is not None and getattr(piece.source, "root", None) == place
    )
    if not dropped or not (from_here or len(dropped) < len(on_disk)):
        return 0
    aside = folder / ASIDE
    before = aside.read_bytes() if aside.exists() else b""
    replace_file(aside, before + log_lines(dropped)[0])
    return len(dropped)


def _pack(folder: Path) -> Path:
    """Zip a folder so that the same files give the same bytes; arrays are kept unpacked."""
    packed = folder / ".packed"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(packed, "w") as archive:
        for path in files:
            name = path.relative_to(folder).as_posix()
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o100644 << 16
            text = path.suffix in {".json", ".jsonl", ".md"}
            info.compress_type = zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED
            with archive.open(info, "w", force_zip64=True) as member, path.open("rb") as file:
                shutil.copyfileobj(file, member, 2**20)
    with packed.open("rb") as file:
        os.fsync(file.fileno())
    return packed


def append_log(
    path: str | os.PathLike[str], entries: Iterable[Annotation]
) -> tuple[Annotation, ...]:
    """Append edits to a bundle's log; they are on disk when this returns.

    Entries the log holds already are left out, so that trying again does no harm. The list of
    annotations in force is written anew from the log.

    Parameters
    ----------
    path
        Bundle to append to.
    entries
        New entries, as in ``z.log[n:]``.

    Returns
    -------
    The whole log as it stands on disk, which other screens may have added to.

    Raises
    ------
    AnnotationError
        If an entry takes back something the log does not hold.
    BundleWriteError
        If the disk is full or read-only; the log is as before.
    """
    place = Path(path).absolute()
    _put_right(place)
    with locked(place):
        if place.is_file():
            return _append_zip(place, tuple(entries))
        if not (place / MANIFEST).is_file():
            raise BundleError(f"{place} is no bundle: it has no {MANIFEST}.", "Check the path.")
        try:
            log = read_log(FolderSource(place).read_unchecked(LOG))
            if log.torn:
                _set_aside(place, log)
            new = history.newest(tuple(entries), (entry.id for entry in log.entries))
            whole = (*log.entries, *new)
            in_force = history.effective(whole)
            if new:
                _append(place / LOG, log_lines(new, log.hash)[0], log.size)
        except OSError as error:
            raise write_error(place / LOG, error) from error
        replace_file(place / HEAD, head_lines(list(in_force.values())))
    return whole


def _append(path: Path, data: bytes, size: int) -> None:
    with path.open("r+b") as file:
        try:
            file.seek(size)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            # A full disk, or Ctrl-C: nothing of a half-written line stays.
            with suppress(OSError):
                os.ftruncate(file.fileno(), size)
            raise


def _append_zip(place: Path, entries: tuple[Annotation, ...]) -> tuple[Annotation, ...]:
    z = load(place)
    new = history.newest(entries, (entry.id for entry in z.log))
    if new:
        z = z.with_(what="annotations", log=(*z.log, *new))
        save(z, place)
    return z.log
