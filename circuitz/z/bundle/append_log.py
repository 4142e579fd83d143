"""Appending edits to a bundle's log, and setting aside what a killed writer left torn."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from circuitz.disk.atomic import bundle_write_error_from, staged_file_replacement
from circuitz.disk.consistent_read import require_exists_when_settled
from circuitz.disk.folder_source import FolderSource
from circuitz.disk.lock import hold_write_lock
from circuitz.errors import BundleError, BundleWriteError
from circuitz.z.annotation import Annotation
from circuitz.z.bundle.log_io import (
    LogRead,
    chained_log_lines,
    in_force_annotation_lines,
    parse_and_verify_log,
)
from circuitz.z.bundle.manifest import HEAD, LOG, MANIFEST
from circuitz.z.edits import history

TORN = "log.torn"


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
    place = Path(os.path.realpath(path))
    require_exists_when_settled(place, BundleError, "bundle")
    with hold_write_lock(place):
        if place.is_file():
            return _append_to_zip(place, tuple(entries))
        if not (place / MANIFEST).is_file():
            raise BundleError(f"{place} is no bundle: it has no {MANIFEST}.", "Check the path.")
        log = parse_and_verify_log(FolderSource(place).read_unchecked(LOG))
        new = history.entries_not_in(tuple(entries), (entry.id for entry in log.entries))
        whole = (*log.entries, *new)
        head = in_force_annotation_lines(list(history.annotations_in_force(whole).values()))
        try:
            if log.torn:
                _set_torn_line_aside(place, log)
            # The head waits ready beside the old one while the log, the truth, grows.
            with staged_file_replacement(place / HEAD, head):
                if new:
                    _append_bytes_wholly_or_not(
                        place / LOG, chained_log_lines(new, log.hash)[0], log.size
                    )
        except OSError as error:
            raise bundle_write_error_from(place / LOG, error) from error
    return whole


def _append_bytes_wholly_or_not(path: Path, data: bytes, size: int) -> None:
    # Never through a link, and never into a file that has a second name somewhere else.
    handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "r+b", buffering=0) as file:
        if os.fstat(handle).st_nlink > 1:
            with staged_file_replacement(path, file.read(size) + data):
                return
        try:
            file.seek(size)
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        except BaseException:
            # A full disk, or Ctrl-C: nothing of a half-written line stays.
            with suppress(OSError):
                file.truncate(size)
            raise


def _append_to_zip(path: Path, entries: tuple[Annotation, ...]) -> tuple[Annotation, ...]:
    from circuitz.z.bundle.load_save import load, save  # noqa: PLC0415 (a zip is written as a whole)

    z = load(path)
    new = history.entries_not_in(entries, (entry.id for entry in z.log))
    if new:
        z = z.with_(what="annotations", log=(*z.log, *new))
        save(z, path)
    return z.log


def read_and_mend_torn_log(path: Path) -> tuple[LogRead, str]:
    """Set a line aside whose writing was cut short, unless its writer is still at it.

    Returns
    -------
    The log as it is then, and what was done, in words.
    """
    source = FolderSource(path)
    try:
        with hold_write_lock(path):
            log = parse_and_verify_log(source.read_unchecked(LOG))
            if not log.torn:
                return log, ""
            _set_torn_line_aside(path, log)
            where = f"it was moved to {TORN}"
    except (BundleWriteError, OSError):
        log = parse_and_verify_log(source.read_unchecked(LOG))
        where = "it was left in place, since the bundle cannot be written"
    return log, (
        f"The last line of {LOG} in {path.name} was cut short while it was written; "
        f"{where}. The {len(log.entries)} entries before it are whole."
    )


def _set_torn_line_aside(path: Path, log: LogRead) -> None:
    """Move the torn line. Both files are replaced, so that no link in their place is followed."""
    source = FolderSource(path)
    try:
        before = source.read_unchecked(TORN)
    except BundleError:
        before = b""  # none yet, or something that is no plain file
    whole = source.read_unchecked(LOG)[: log.size]
    with staged_file_replacement(path / TORN, before + log.torn + b"\n"):
        pass
    with staged_file_replacement(path / LOG, whole):
        pass
