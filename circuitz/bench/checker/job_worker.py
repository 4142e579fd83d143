"""Do one job."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np

from circuitz.bench.checker.benchmark_case import Case, Role
from circuitz.bench.checker.blind_check import look, measured, unsaid
from circuitz.bench.checker.case_registry import base_of, build
from circuitz.bench.checker.checker_job import Job, JobKind
from circuitz.bench.checker.conditions import CONDITIONS
from circuitz.bench.checker.edge_ranking import edge_scores
from circuitz.bench.checker.nulls import null_counts
from circuitz.bench.checker.resample import flag_jaccard
from circuitz.errors import MeasurementError

PERMUTATIONS, SEVERED, RESAMPLES = 12, 6, 4


def do(job: Job, keep: Path | None = None) -> dict[str, Any]:
    """Return what came out, as JSON values; trained parts are kept in ``keep``."""
    wall, processor = time.perf_counter(), time.process_time()
    try:
        result = _KINDS[job.kind](job, keep)
    except Exception as problem:
        # One case that breaks must not take the others along; it is listed with the figures.
        result = {"failed": f"{type(problem).__name__}: {problem}"}
    return {
        **asdict(job),
        **result,
        "seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - processor, 3),
    }


def case_of(job: Job, keep: Path | None = None) -> Case:
    """Return the case a job is about."""
    return build(cast(Role, job.role), job.name, base_of(job.family, job.seed, keep))


def _case(job: Job, keep: Path | None) -> dict[str, Any]:
    case = case_of(job, keep)
    known = case.base.known
    if job.condition:
        draw = np.random.default_rng([job.seed, *job.condition.encode()])
        known = CONDITIONS[job.condition](case, known, draw)
    try:
        z = measured(case, known)
    except MeasurementError as told:
        # A network that does not tell its classes is refused, by name, before any claim is made.
        return {"accuracy": case.base.accuracy, "refused": told.message, **unsaid(case)}
    return {"accuracy": case.base.accuracy, **look(case, z)}


def _edges(job: Job, keep: Path | None) -> dict[str, Any]:
    return {"auroc": edge_scores(case_of(job, keep))}


def _nulls(job: Job, keep: Path | None) -> dict[str, Any]:
    return {"counts": null_counts(base_of(job.family, job.seed, keep), PERMUTATIONS, SEVERED)}


def _stability(job: Job, keep: Path | None) -> dict[str, Any]:
    return {"jaccard": flag_jaccard(measured(case_of(job, keep)), RESAMPLES, job.seed)}


def _trunk(job: Job, keep: Path | None) -> dict[str, Any]:
    base_of(job.family, job.seed, keep)
    return {}


_KINDS: dict[JobKind, Callable[[Job, Path | None], dict[str, Any]]] = {
    "case": _case,
    "edges": _edges,
    "nulls": _nulls,
    "stability": _stability,
    "trunk": _trunk,
}
