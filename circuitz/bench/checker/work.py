"""Do one job."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any, cast

from circuitz.bench.checker.case import Role
from circuitz.bench.checker.job import Job
from circuitz.bench.checker.look import look, measured
from circuitz.bench.checker.registry import base_of, build


def do(job: Job) -> dict[str, Any]:
    """Return what came out, as JSON values."""
    wall, processor = time.perf_counter(), time.process_time()
    result = _case(job)
    return {
        **asdict(job),
        **result,
        "seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - processor, 3),
    }


def _case(job: Job) -> dict[str, Any]:
    case = build(cast(Role, job.role), job.name, base_of(job.family, job.seed))
    return {"accuracy": case.base.accuracy, **look(case, measured(case))}
