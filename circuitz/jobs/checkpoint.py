"""Finished pieces of a job on disk: what is there is never computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from circuitz.disk.atomic import bundle_write_error_from, staged_file_replacement
from circuitz.disk.hashing import json_hash
from circuitz.errors import BundleError
from circuitz.jobs.job import Executor, InProcessExecutor, Job, Piece
from circuitz.jobs.serialisation import deserialise_payload

Progress = Callable[[int, int], None]


def run_unfinished_pieces(
    job: Job,
    pieces: Sequence[Piece],
    files: Sequence[Path | None],
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Run a job's pieces, but those whose results are on disk, and keep each when it is done.

    Parameters
    ----------
    job, pieces
        What is run.
    files
        Where each result is kept, named by what it is made from; ``None`` keeps it nowhere.
    executor
        Who runs them; by default this process.
    progress
        Called with pieces done and pieces in all.

    Yields
    ------
    The place of a piece and its result: first those on disk, then as they are done.

    Raises
    ------
    BundleWriteError
        If a result cannot be written.
    """
    todo: list[int] = []
    done = 0
    for i, file in enumerate(files):
        data = read_piece_result(file)
        if data is None:
            todo.append(i)
            continue
        done += 1
        yield i, data
    if progress is not None:
        progress(done, len(pieces))
    if not todo:
        return
    # Closed at once, and not when it is collected: an interrupted cluster is told to stop.
    with closing((executor or InProcessExecutor()).map(job, [pieces[i] for i in todo])) as results:
        for place, data in results:
            i = todo[place]
            write_piece_result(files[i], data)
            done += 1
            if progress is not None:
                progress(done, len(pieces))
            yield i, data


def piece_result_paths(
    folder: Path | None, digest: str, piece_keys: Sequence[Mapping[str, Any]]
) -> list[Path | None]:
    """Return where the result of each piece lies, or would.

    Parameters
    ----------
    folder
        ``None`` keeps nothing.
    digest
        Hash of what all pieces share.
    piece_keys
        What each piece is, as JSON values.
    """
    if folder is None:
        return [None] * len(piece_keys)
    return [folder / f"{json_hash([digest, what])[:32]}.safetensors" for what in piece_keys]


def read_piece_result(file: Path | None) -> bytes | None:
    """Return a finished result; a damaged file counts as none."""
    if file is None or not file.is_file():
        return None
    with suppress(BundleError, OSError):
        data = file.read_bytes()
        deserialise_payload(data)
        return data
    return None


def write_piece_result(file: Path | None, data: bytes) -> None:
    """Write a finished result, wholly or not at all."""
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with staged_file_replacement(file, data):
            pass
    except OSError as problem:
        raise bundle_write_error_from(file, problem) from problem
