"""A lock between processes that vanishes with the process holding it."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from circuitz.errors import BundleLockedError, BundleWriteError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_held = threading.local()


def lock_path(path: Path) -> Path:
    """File that is locked while ``path`` is written: beside it, since ``path`` is replaced."""
    return path.with_name(f".{path.name}.lock")


def _try_lock(handle: int) -> bool:
    if fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
    import msvcrt  # noqa: PLC0415 (exists on Windows alone)

    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # pyright: ignore
    except OSError:
        return False
    return True


def thread_holds_write_lock(path: Path) -> bool:
    """Whether this thread holds the write lock of a bundle."""
    return bool(_held.__dict__.get("counts", {}).get(lock_path(path.absolute())))


@contextmanager
def hold_write_lock(path: Path, timeout: float = 20.0) -> Generator[None, None, None]:
    """Hold the write lock of a bundle; one thread may take it again inside.

    Raises
    ------
    BundleLockedError
        If another process keeps it longer than ``timeout`` seconds.
    BundleWriteError
        If the folder cannot be written to.
    """
    file = lock_path(path.absolute())
    counts: dict[Path, int] = _held.__dict__.setdefault("counts", {})
    if counts.get(file):
        counts[file] += 1
        try:
            yield
        finally:
            counts[file] -= 1
        return
    handle = _acquire_lock(file, timeout)
    try:
        counts[file] = 1
        yield
    finally:
        counts.pop(file, None)
        # Removed while still held: whoever waits sees that its file is gone and starts over.
        with suppress(OSError):
            file.unlink()
        handle.close()


def _acquire_lock(file: Path, timeout: float) -> io.FileIO:
    deadline = time.monotonic() + timeout
    while True:
        try:
            # A file object, not a bare handle: lost to a Ctrl-C, it still closes and unlocks.
            handle = io.FileIO(file, "a+")
        except OSError as error:
            raise BundleWriteError(
                f"{file.parent} cannot be written to: {error.strerror}.",
                "Check that the folder exists, is not read-only, and the disk is not full.",
            ) from error
        try:
            if _try_lock(handle.fileno()) and _is_still_same_file(file, handle.fileno()):
                return handle
        except BaseException:
            handle.close()
            raise
        handle.close()
        if time.monotonic() > deadline:
            raise BundleLockedError(
                f"Another process is writing {file.name[1:-5]}.", "Wait for it, then try again."
            )
        time.sleep(0.01)


def _is_still_same_file(file: Path, handle: int) -> bool:
    try:
        return os.path.samestat(file.stat(), os.fstat(handle))
    except OSError:
        return False
