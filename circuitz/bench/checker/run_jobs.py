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

from circuitz.bench.checker.checker_job import BenchmarkJob

Progress = Callable[[int, int], None]


def run_benchmark_jobs(
    jobs: Sequence[BenchmarkJob],
    folder: Path,
    *,
    processes: int = 2,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Return the result of every job, in their order.

    Parameters
    ----------
    jobs
        See :func:`circuitz.bench.checker.job_plan.plan_benchmark_jobs`.
    folder
        Where results and trained parts are kept. A job whose result lies there, made by this very code, is not run.
    processes
        Jobs at a time; 1 runs them in this process.
    progress
        Called with jobs done and in all.
    """
    results = {
        job: kept for job in jobs if (kept := job.load_result(folder / "results")) is not None
    }
    todo = [job for job in jobs if job not in results]

    def save_result_and_report(job: BenchmarkJob, result: dict[str, Any]) -> None:
        job.save_result(folder / "results", result)
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
            save_result_and_report(job, _run_job_in_worker(job, keep))
    else:
        with _worker_pool(processes) as pool:
            for some in (first, rest):
                for job, result in _results_as_completed(pool, some, keep, 2 * processes):
                    save_result_and_report(job, result)
    return [results[job] for job in jobs]


def _results_as_completed(
    pool: ProcessPoolExecutor, todo: Sequence[BenchmarkJob], trunk_folder: Path, ahead: int
) -> Iterator[tuple[BenchmarkJob, dict[str, Any]]]:
    """Yield results as they come; never more than ``ahead`` jobs are handed out."""
    waiting: dict[Future[dict[str, Any]], BenchmarkJob] = {}
    rest = iter(todo)
    for job in rest:
        waiting[pool.submit(_run_job_in_worker, job, trunk_folder)] = job
        if len(waiting) >= ahead:
            break
    while waiting:
        finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            yield waiting.pop(future), future.result()
            following = next(rest, None)
            if following is not None:
                waiting[pool.submit(_run_job_in_worker, following, trunk_folder)] = following


@contextmanager
def _worker_pool(processes: int) -> Generator[ProcessPoolExecutor]:
    # Workers are started afresh: a copy of a process that has run torch may hang.
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(
        processes, context, initializer=_set_up_worker_process, initargs=(stop,)
    )
    try:
        yield pool
    except BaseException:
        # Jobs under way are given up: what is not kept is made again.
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _set_up_worker_process(stop: Event) -> None:
    """Use one thread, and leave Ctrl-C to the process that hands out jobs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)
    threading.Thread(target=_exit_when_run_stops, args=(os.getppid(), stop), daemon=True).start()


def _exit_when_run_stops(parent: int, stop: Event) -> None:
    """End this process when the run is stopped, or whoever hands out jobs is gone."""
    while os.getppid() == parent and not stop.wait(1.0):
        pass
    os._exit(1)


def _run_job_in_worker(job: BenchmarkJob, trunk_folder: Path) -> dict[str, Any]:
    from circuitz.bench.checker.run_one_job import run_benchmark_job  # noqa: PLC0415 (torch)

    return run_benchmark_job(job, trunk_folder)
