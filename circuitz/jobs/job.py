"""What a job is that can be cut, and who runs its pieces."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Protocol, Self, runtime_checkable

# Makes a piece when its turn comes: not all of them have to fit into memory.
Piece = Callable[[], bytes]


class Job(Protocol):
    """Work whose pieces can be done anywhere, in any order, with the same results."""

    def payload(self) -> bytes:
        """Return what every worker needs once: the network, settings, shared arrays."""
        ...

    @classmethod
    def open(cls, payload: bytes | memoryview) -> Self:
        """Return the job on a worker, given :meth:`payload`."""
        ...

    def run(self, piece: bytes | memoryview) -> bytes:
        """Do one piece."""
        ...


@runtime_checkable
class Executor(Protocol):
    """Runs pieces of a job: here, or on other machines."""

    def map(self, job: Job, pieces: Sequence[Piece]) -> Generator[tuple[int, bytes]]:
        """Yield the place of a piece and its result, in order of completion."""
        ...


class InProcessExecutor:
    """Runs pieces here, one after the other."""

    def map(self, job: Job, pieces: Sequence[Piece]) -> Generator[tuple[int, bytes]]:
        """Yield the place of a piece and its result."""
        for i, piece in enumerate(pieces):
            yield i, job.run(piece())


class ProgressExecutor:
    """Tells how many of the pieces that somebody runs are done.

    Parameters
    ----------
    executor
        Who runs them.
    progress
        Called with pieces done and pieces in all, of those that were not done before.
    """

    def __init__(self, executor: Executor, progress: Callable[[int, int], None]) -> None:
        self._executor, self._progress = executor, progress

    def map(self, job: Job, pieces: Sequence[Piece]) -> Generator[tuple[int, bytes]]:
        """Yield the place of a piece and its result, in order of completion."""
        self._progress(0, len(pieces))
        with closing(self._executor.map(job, pieces)) as results:
            for done, result in enumerate(results):
                self._progress(done + 1, len(pieces))
                yield result


def yield_in_piece_order(results: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    """Yield results in the order of the pieces; those that come early wait."""
    early: dict[int, bytes] = {}
    turn = 0
    for i, data in results:
        early[i] = data
        while turn in early:
            yield early.pop(turn)
            turn += 1
