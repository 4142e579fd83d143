"""Run all jobs, several at a time; what is done is kept, so that a stopped run goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from circuitz.bench.checker.checker_job import Job

Progress = Callable[[int, int], None]


def run(
    jobs: Sequence[Job],
    folder: Path,
    *,
    processes: int = 2,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Return the result of every job, in their order.

    Parameters
    ----------
    jobs
        See :func:`circuitz.bench.checker.job_plan.jobs`.
    folder
        Where results and trained parts are kept. A job whose result lies there, made by this very code, is not run.
    processes
        Jobs at a time; 1 runs them in this process.
    progress
        Called with jobs done and in all.
    """
    results = {job: kept for job in jobs if (kept := job.kept(folder / "results")) is not None}
    todo = [job for job in jobs if job not in results]

    def done(job: Job, result: dict[str, Any]) -> None:
        job.keep(folder / "results", result)
        results[job] = result
        if progress is not None:
            progress(len(results), len(jobs))

    if progress is not None:
        progress(len(results), len(jobs))
    keep = folder / "trunks"
    first = [job for job in todo if job.kind == "trunk"]
    rest = [job for job in todo if job.kind != "trunk"]
    if processes == 1 or len(todo) < 2:
        for job in (*first, *rest):
            done(job, _do(job, keep))
    else:
        with _workers(processes) as pool:
            for some in (first, rest):
                for job, result in _as_done(pool, some, keep, 2 * processes):
                    done(job, result)
    return [results[job] for job in jobs]


def _as_done(
    pool: ProcessPoolExecutor, todo: Sequence[Job], keep: Path, ahead: int
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Yield results as they come; never more than ``ahead`` jobs are handed out."""
    waiting: dict[Future[dict[str, Any]], Job] = {}
    rest = iter(todo)
    for job in rest:
        waiting[pool.submit(_do, job, keep)] = job
        if len(waiting) >= ahead:
            break
    while waiting:
        finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            yield waiting.pop(future), future.result()
            following = next(rest, None)
            if following is not None:
                waiting[pool.submit(_do, following, keep)] = following


@contextmanager
def _workers(processes: int) -> Generator[ProcessPoolExecutor]:
    # Workers are started afresh: a copy of a process that has run torch may hang.
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(processes, context, initializer=_alone, initargs=(stop,))
    try:
        yield pool
    except BaseException:
        # Jobs under way are given up: what is not kept is made again.
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _alone(stop: Event) -> None:
    """Use one thread, and leave Ctrl-C to the process that hands out jobs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)
    threading.Thread(target=_end_with, args=(os.getppid(), stop), daemon=True).start()


def _end_with(parent: int, stop: Event) -> None:
    """End this process when the run is stopped, or whoever hands out jobs is gone."""
    while os.getppid() == parent and not stop.wait(1.0):
        pass
    os._exit(1)


def _do(job: Job, keep: Path) -> dict[str, Any]:
    from circuitz.bench.checker.job_worker import do  # noqa: PLC0415 (torch)

    return do(job, keep)
