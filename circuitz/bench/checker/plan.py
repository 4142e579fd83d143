"""Which jobs a run consists of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from circuitz.bench.checker.job import Job
from circuitz.bench.checker.registry import case_names, family_names

#: Seeds to develop on, and those of the record.
DEVELOP, RECORD = range(100), range(1000, 1060)
QUICK = range(3)


def jobs(seeds: Sequence[int]) -> list[Job]:
    """Return the jobs of some seeds: every sabotage and every decoy once a seed.

    Families take turns, so that over the seeds each case is tried in each of them.
    """
    return [job for seed in seeds for job in _of(seed)]


def _of(seed: int) -> Iterator[Job]:
    families = family_names()
    for role in ("sabotage", "decoy"):
        for i, name in enumerate(case_names(role)):
            yield Job("case", families[(seed + i) % len(families)], seed, role, name)
