"""Pieces of a job on a Dask cluster. The only file that imports Dask."""

from __future__ import annotations

import hashlib
import platform
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import Any

import dask.config
import numpy as np
import numpy.typing as npt
from distributed import Client, Future, KilledWorker, as_completed

from circuitz.errors import CircuitzError, ClusterError
from circuitz.jobs.job import Job, Piece

Bytes = npt.NDArray[np.uint8]

# Seconds until nobody is taken to be there.
_PATIENCE = 10
# Pieces under way, or done too early, for each thread: enough that none waits for its next.
_AHEAD = 2
# What results depend on, and must be the same on both sides.
_PACKAGES = ("circuitz", "torch", "numpy")


@contextmanager
def connect_scheduler(address: str) -> Generator[Client]:
    """Connect to a scheduler while the block lasts.

    Raises
    ------
    ClusterError
        If nobody answers at the address.
    """
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as problem:
        raise ClusterError(
            f"No Dask scheduler answers at {address[:200]}.",
            "Start one with `dask scheduler`, and give its address as tcp://host:8786.",
        ) from problem
    try:
        yield client
    finally:
        client.close()


class DaskExecutor:
    """Runs pieces on the workers of a Dask cluster.

    The job's parcel is sent once to each worker, and each piece to the one worker that does it.
    A worker that dies loses nothing: what it had is sent to another. Only bytes of arrays and
    JSON travel; Dask itself pickles no more than the name of the job's class.

    Parameters
    ----------
    client
        A connected client; it stays open.

    Raises
    ------
    ClusterError
        If no worker is there, or a worker has no circuitz, or another version of circuitz, torch,
        numpy or Python.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._wait_for_workers()
        _check_worker_versions(client)

    def map(self, job: Job, pieces: Sequence[Piece]) -> Generator[tuple[int, bytes]]:
        """Yield the place of a piece and its result, in order of completion.

        At most a few pieces for each thread are under way or ahead of the first that is not
        done, so memory here does not grow with the number of pieces.

        Raises
        ------
        ClusterError
            If the scheduler is lost, a piece kills every worker that tries it, or it fails.
        CircuitzError
            As raised by the job.
        """
        run = _JobRun(self._client, job, pieces)
        try:
            yield from run.results()
        finally:
            run.cancel_unfinished()

    def _wait_for_workers(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE)
        except (OSError, ValueError) as problem:  # TimeoutError is an OSError
            raise ClusterError(
                "The Dask scheduler has no workers.",
                f"Start some: dask worker {_scheduler_address(self._client)} --nthreads 1 --nworkers 8",
            ) from problem


class _JobRun:
    """One job under way."""

    def __init__(self, client: Client, job: Job, pieces: Sequence[Piece]) -> None:
        self._client, self._kind, self._pieces = client, type(job), pieces
        parcel = job.payload()
        self._name = hashlib.sha256(parcel).hexdigest()[:32]
        self._run = token_hex(4)
        # What a task gives can be had again when the worker that has it dies; what is scattered
        # is lost with it. So the parcel is the result of a task, and a piece part of its own.
        self._shared = self._submit_to_cluster(
            _echo_payload_on_worker, _bytes_as_array(parcel), key=f"circuitz-{self._run}-parcel"
        )
        self._under_way: dict[Future, int] = {}

    def results(self) -> Generator[tuple[int, bytes]]:
        done = as_completed(loop=self._client.loop)
        waiting = set(range(len(self._pieces)))
        sent = 0
        while waiting:
            first = min(waiting)
            while sent < len(self._pieces) and sent < first + self._max_pieces_ahead():
                done.add(self._send_piece(sent))
                sent += 1
            future: Future = next(done)
            i = self._under_way.pop(future)
            data = self._fetch_piece_result(future, i)
            waiting.discard(i)
            yield i, data

    def cancel_unfinished(self) -> None:
        """Tell the cluster that nothing more is wanted."""
        if self._client.status == "running":
            with suppress(OSError, CancelledError):
                self._client.cancel([*self._under_way, self._shared])

    def _max_pieces_ahead(self) -> int:
        if self._client.status != "running":
            raise _cluster_lost_error(self._client)
        threads: Any = self._client.nthreads()
        return max(2, _AHEAD * sum(threads.values()))

    def _send_piece(self, i: int) -> Future:
        piece = _bytes_as_array(self._pieces[i]())
        future = self._submit_to_cluster(
            _run_piece, self._kind, self._name, self._shared, piece, key=f"circuitz-{self._run}-{i}"
        )
        self._under_way[future] = i
        return future

    def _submit_to_cluster(self, function: Callable[..., Bytes], *args: Any, key: str) -> Future:
        try:
            # A piece is as large as its images, and is meant to be.
            with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
                return self._client.submit(function, *args, key=key, pure=False)
        except (OSError, CancelledError, RuntimeError) as problem:
            raise _cluster_lost_error(self._client) from problem

    def _fetch_piece_result(self, future: Future, i: int) -> bytes:
        which = f"Shard {i + 1} of {len(self._pieces)}"
        try:
            return bytes(future.result())
        except CancelledError as problem:
            raise _cluster_lost_error(self._client) from problem
        except KilledWorker as problem:
            raise ClusterError(
                f"{which} killed every worker that tried it.",
                "Most often memory ran out: give workers more, or make shards smaller.",
            ) from problem
        except CircuitzError:
            raise
        except Exception as problem:  # whatever a worker raises
            raise ClusterError(
                f"{which} failed on a worker: {type(problem).__name__}: {problem}",
                "Try it without a cluster; finished shards are kept.",
            ) from problem


# A network is not run by two threads at once: tracing and hooks belong to the whole process.
_ONE_AT_A_TIME = threading.Lock()
_KEPT = 2
_jobs: OrderedDict[str, Job] = OrderedDict()


def _echo_payload_on_worker(payload: Bytes) -> Bytes:
    return payload


def _run_piece(kind: type[Job], name: str, payload: Bytes, piece: Bytes) -> Bytes:
    """Do one piece on a worker, which opens a job once."""
    with _ONE_AT_A_TIME:
        if name not in _jobs:
            _jobs[name] = kind.open(payload.data)
            while len(_jobs) > _KEPT:
                _jobs.popitem(last=False)
        _jobs.move_to_end(name)
        return _bytes_as_array(_jobs[name].run(piece.data))


def _bytes_as_array(data: bytes) -> Bytes:
    # Dask sends arrays as they lie in memory, and does not pickle them.
    return np.frombuffer(data, np.uint8)


def _scheduler_address(client: Client) -> str:
    return getattr(client.scheduler, "address", "") or "ADDRESS"


def _cluster_lost_error(client: Client) -> ClusterError:
    return ClusterError(
        f"The Dask cluster at {_scheduler_address(client)} was lost.",
        "Start it and run the same again: shards that were kept are not computed again.",
    )


def _check_worker_versions(client: Client) -> None:
    try:
        found: dict[str, Any] = client.get_versions(packages=list(_PACKAGES))  # type: ignore[assignment]
    except Exception as problem:  # whatever importing these packages on a worker raises
        raise ClusterError(
            f"A worker cannot say which versions it has: {type(problem).__name__}: {problem}",
            "Install circuitz[torch,cluster] on all machines.",
        ) from problem
    here = found["client"]["packages"] | {"python": platform.python_version()}
    for worker, theirs in found["workers"].items():
        there = theirs["packages"]
        if not _is_known_version(there.get("circuitz")):
            raise ClusterError(
                f"The worker {worker} has no circuitz.",
                "Install circuitz[torch,cluster] where the worker runs, and start it again.",
            )
        for name in ("python", "distributed", *_PACKAGES):
            ours, its = here.get(name), there.get(name)
            if name == "python":
                ours, its = _major_minor_version(ours), _major_minor_version(its)
            if ours != its:
                raise ClusterError(
                    f"The worker {worker} has {name} {its or 'missing'}, this process {ours}.",
                    "Install the same versions on all machines: results would not be the same.",
                )


def _is_known_version(version: Any) -> bool:
    return isinstance(version, str) and version not in ("", "MISSING")


def _major_minor_version(version: Any) -> str:
    return ".".join(str(version).split(".")[:2])
