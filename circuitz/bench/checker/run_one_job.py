"""Do one job."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np

from circuitz.bench.checker.benchmark_case import CheckerCase, Role
from circuitz.bench.checker.blind_check import (
    check_and_score_case,
    measure_case,
    result_of_uncheckable_case,
)
from circuitz.bench.checker.case_registry import build_case, build_honest_network
from circuitz.bench.checker.checker_job import BenchmarkJob, JobKind
from circuitz.bench.checker.conditions import CONDITIONS
from circuitz.bench.checker.edge_ranking import edge_auroc_by_method
from circuitz.bench.checker.nulls import count_null_rejections_by_kind
from circuitz.bench.checker.resample import flag_jaccards_on_resamples
from circuitz.errors import MeasurementError

PERMUTATIONS, SEVERED, RESAMPLES = 12, 6, 4


def run_benchmark_job(job: BenchmarkJob, trunk_folder: Path | None = None) -> dict[str, Any]:
    """Return what came out, as JSON values; trained parts are kept in ``trunk_folder``."""
    wall, processor = time.perf_counter(), time.process_time()
    try:
        result = _KINDS[job.kind](job, trunk_folder)
    except Exception as problem:
        # One case that breaks must not take the others along; it is listed with the figures.
        result = {"failed": f"{type(problem).__name__}: {problem}"}
    return {
        **asdict(job),
        **result,
        "seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - processor, 3),
    }


def build_case_of_job(job: BenchmarkJob, trunk_folder: Path | None = None) -> CheckerCase:
    """Return the case a job is about."""
    return build_case(
        cast(Role, job.role), job.name, build_honest_network(job.family, job.seed, trunk_folder)
    )


def _check_case_job(job: BenchmarkJob, trunk_folder: Path | None) -> dict[str, Any]:
    case = build_case_of_job(job, trunk_folder)
    known = case.base.concept_set
    if job.condition:
        draw = np.random.default_rng([job.seed, *job.condition.encode()])
        known = CONDITIONS[job.condition](case, known, draw)
    try:
        z = measure_case(case, known)
    except MeasurementError as told:
        # A network that does not tell its classes is refused, by name, before any claim is made.
        return {
            "accuracy": case.base.accuracy_on_own_data,
            "refused": told.message,
            **result_of_uncheckable_case(case),
        }
    return {"accuracy": case.base.accuracy_on_own_data, **check_and_score_case(case, z)}


def _score_edges_job(job: BenchmarkJob, trunk_folder: Path | None) -> dict[str, Any]:
    return {"auroc": edge_auroc_by_method(build_case_of_job(job, trunk_folder))}


def _count_nulls_job(job: BenchmarkJob, trunk_folder: Path | None) -> dict[str, Any]:
    return {
        "counts": count_null_rejections_by_kind(
            build_honest_network(job.family, job.seed, trunk_folder), PERMUTATIONS, SEVERED
        )
    }


def _measure_flag_stability_job(job: BenchmarkJob, trunk_folder: Path | None) -> dict[str, Any]:
    return {
        "jaccard": flag_jaccards_on_resamples(
            measure_case(build_case_of_job(job, trunk_folder)), RESAMPLES, job.seed
        )
    }


def _train_trunk_job(job: BenchmarkJob, trunk_folder: Path | None) -> dict[str, Any]:
    build_honest_network(job.family, job.seed, trunk_folder)
    return {}


_KINDS: dict[JobKind, Callable[[BenchmarkJob, Path | None], dict[str, Any]]] = {
    "case": _check_case_job,
    "edges": _score_edges_job,
    "nulls": _count_nulls_job,
    "stability": _measure_flag_stability_job,
    "trunk": _train_trunk_job,
}
