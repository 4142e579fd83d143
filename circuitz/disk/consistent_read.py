"""Reading a folder that others may replace at any moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from circuitz.disk.atomic import exists_when_settled, finish_killed_save, moved_aside_bundle
from circuitz.disk.lock import hold_write_lock
from circuitz.errors import BundleWriteError, CircuitzError

T = TypeVar("T")
_TRIES = 5


def read_consistently(
    path: Path, read: Callable[[], T], missing: type[CircuitzError], what: str
) -> T:
    """Read what lies at ``path``, all of it from before a save or all of it from after.

    Parameters
    ----------
    path
        A folder or file that is replaced as a whole (see :mod:`circuitz.disk.atomic`).
    read
        Reads it; called again when somebody saved meanwhile.
    missing, what
        Error to raise when nothing is there, and what to call it (``bundle``).

    Raises
    ------
    CircuitzError
        ``missing`` when nothing is there, otherwise what ``read`` raises.
    """
    for _ in range(_TRIES):
        require_exists_when_settled(path, missing, what)
        before = _file_identity(path)
        try:
            return read()
        except CircuitzError:
            # Somebody saved while it was being read: what was read belongs to two saves.
            if before is not None and _file_identity(path) == before:
                raise
    try:
        # Somebody saves again and again: they wait while it is read.
        with hold_write_lock(path):
            finish_killed_save(path)
            return read()
    except BundleWriteError:
        return read()  # a folder one may only read from


def require_exists_when_settled(path: Path, missing: type[CircuitzError], what: str) -> None:
    """Wait out a save, finish what a killed one left half done, and see that something is there.

    Raises
    ------
    CircuitzError
        ``missing`` when there is nothing.
    """
    try:
        if exists_when_settled(path):
            return
    except CircuitzError:
        raise
    except (OSError, ValueError) as error:
        raise missing(f"{str(path)[:200]!r} cannot be read: {error}"[:400], "Check it.") from error
    left = moved_aside_bundle(path)
    if left is not None:
        raise missing(
            f"There is no {what} at {path}; a save that was cut short left it as {left.name}, "
            "and this folder cannot be written to.",
            f"Make the folder writable and try again, or open a copy of {left.name}.",
        )
    raise missing(f"There is no {what} at {path}.", "Check the path.")


def _file_identity(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    # Numbers of removed folders are given out again; the time of the last change tells them apart.
    return found.st_dev, found.st_ino, found.st_ctime_ns
