"""Writes that happen wholly or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from circuitz.disk.lock import hold_write_lock, thread_holds_write_lock
from circuitz.errors import BundleError, BundleLockedError, BundleWriteError


def bundle_write_error_from(path: Path, error: OSError) -> BundleWriteError:
    """Say why a file could not be written."""
    if error.errno == errno.ENOSPC:
        return BundleWriteError(
            f"The disk is full: {path} was not written.",
            "Free some space and save again; what was there is untouched.",
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return BundleWriteError(
            f"{path} cannot be written: {error.strerror}.",
            "Save somewhere you may write; what was there is untouched.",
        )
    return BundleWriteError(
        f"{path} was not written: {error.strerror or error}.", "What was there is untouched."
    )


def write_new_file_durably(path: Path, data: bytes | memoryview) -> None:
    """Write a new file and wait until it is on disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_new_files_durably(files: Mapping[Path, bytes]) -> None:
    """Write many small files; waiting for the disk is shared between a few threads."""
    if len(files) < 4:
        for path, data in files.items():
            write_new_file_durably(path, data)
        return
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(write_new_file_durably, files.keys(), files.values()):
            pass


def sync_folder(path: Path) -> None:
    """Wait until the folder's list of names is on disk, where the system can."""
    with suppress(OSError):  # Windows has no handle for folders
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def staged_file_replacement(path: Path, data: bytes) -> Generator[None, None, None]:
    """Write new contents beside a file and put them in its place when the block ends well.

    Readers see the old or the new, never a mixture.
    """
    temporary = path.with_name(f".{path.name}.tmp-{secrets.token_hex(4)}")
    try:
        write_new_file_durably(temporary, data)
        yield
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _leftover_paths(path: Path, kind: str) -> list[Path]:
    # Exactly the names made here: what somebody else left beside the path is not ours to remove.
    return sorted(path.parent.glob(f".{_escape_glob(path.name)}.{kind}-{'[0-9a-f]' * 8}"))


def _escape_glob(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _remove_folder(folder: Path) -> None:
    """Delete a folder as far as that is possible.

    Ctrl-C while a handle is closed makes ``rmtree`` close it twice, and the error of that, which it
    does not ignore, would stand in the place of the interrupt.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None


def finish_killed_save(path: Path) -> str:
    """Finish what a killed writer left half done; call with the lock held.

    Returns
    -------
    What was done, in words; empty when nothing was left.
    """
    done = ""
    for old in _leftover_paths(path, "old"):
        if not path.exists():
            # The writer died between its two renames: the old bundle is whole.
            old.rename(path)
            done = "A save was cut short; the bundle before it was put back."
        else:
            _remove_folder(old)
    for leftover in _leftover_paths(path, "tmp"):
        if leftover.is_dir():
            _remove_folder(leftover)
        else:
            with suppress(OSError):
                leftover.unlink()
    return done


def has_save_leftovers(path: Path) -> bool:
    """Whether a writer seems to have died (or to be at work) on this path."""
    return bool(_leftover_paths(path, "old") or _leftover_paths(path, "tmp"))


def moved_aside_bundle(path: Path) -> Path | None:
    """Return the bundle a killed writer had moved aside, when it could not be put back."""
    return next(iter(_leftover_paths(path, "old")), None)


def exists_when_settled(path: Path, timeout: float = 20.0) -> bool:
    """Whether ``path`` is there, once no swap is under way and a killed one was finished.

    A save renames twice, and between both nothing is there: that is waited out, not reported.

    Raises
    ------
    BundleLockedError
        If somebody saves longer than ``timeout`` seconds and nothing is there meanwhile.
    """
    if thread_holds_write_lock(path):
        return path.exists()  # whoever asks is the writer, and clears up afterwards
    # Each look is at one moment of a disk that others change: absence counts when it lasts.
    for _ in range(3):
        left = has_save_leftovers(path)
        if path.exists():
            if left:
                # Leftovers beside a whole bundle can wait for whoever may be writing just now.
                _exists_after_finishing_killed_save(path, 0.0)
            if path.exists():
                return True
        if (left or has_save_leftovers(path)) and _exists_after_finishing_killed_save(
            path, timeout
        ):
            return True
        time.sleep(0.001)
    return path.exists()


def _exists_after_finishing_killed_save(path: Path, timeout: float) -> bool:
    """Put right what a killed writer left; whether ``path`` is there while nobody else writes."""
    try:
        with hold_write_lock(path, timeout=timeout):
            finish_killed_save(path)
            return path.exists()
    except BundleLockedError:
        if timeout and not path.exists():
            raise
    except (BundleError, OSError):
        pass  # a folder one may not write to: what is there is all there is
    return path.exists()


@contextmanager
def locked_temporary_folder(path: Path) -> Generator[Path, None, None]:
    """Lend an empty folder beside ``path`` while the lock is held, and remove it afterwards.

    Raises
    ------
    BundleWriteError
        If something cannot be written inside the block.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise bundle_write_error_from(path, error) from error
    with hold_write_lock(path):
        try:
            finish_killed_save(path)
            folder = path.with_name(f".{path.name}.tmp-{secrets.token_hex(4)}")
            folder.mkdir()
            yield folder
        except OSError as error:
            raise bundle_write_error_from(path, error) from error
        finally:
            # Also puts the old one back when Ctrl-C came between the two renames of the swap.
            with suppress(OSError):
                finish_killed_save(path)


@contextmanager
def replacement_folder(path: Path) -> Generator[Path, None, None]:
    """Fill a new folder that takes the place of ``path`` when the block ends well.

    Whatever ends the block (an error, a full disk, Ctrl-C, a kill), ``path`` afterwards holds
    all of the old or all of the new: the new is written beside it and swapped in by renames.

    Raises
    ------
    BundleWriteError
        If something cannot be written; ``path`` is untouched.
    """
    with locked_temporary_folder(path.absolute()) as folder:
        yield folder
        for sub in [folder, *(p for p in folder.rglob("*") if p.is_dir())]:
            sync_folder(sub)
        swap_into_place(folder, path.absolute())


def swap_into_place(new: Path, path: Path) -> None:
    """Put a folder or file in the place of ``path``."""
    if new.is_dir() and path.exists():
        old = path.with_name(f".{path.name}.old-{secrets.token_hex(4)}")
        path.rename(old)
        new.rename(path)
        sync_folder(path.parent)
        _remove_folder(old)
    else:
        new.replace(path)
        sync_folder(path.parent)
