"""Which jobs a run consists of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from circuitz.bench.checker.case_registry import case_names_of_role, family_names
from circuitz.bench.checker.checker_job import BenchmarkJob
from circuitz.bench.checker.conditions import CONDITIONS

#: Seeds to develop on, and those of the record.
DEVELOP, RECORD = range(100), range(1000, 1060)
QUICK = range(0, 8, 4)  # two that share their trunks
#: Families whose trunk is trained.
TRAINED = ("birds", "dogs")
#: Case that conditions and edges are tried on, and one that has nothing to hide.
_OPEN, _HONEST = "open-shortcut", "honest"
#: Cases whose world has to be drawn by hand.
_BY_HAND = {"beach": ("attention", "compiled", "wired")}


def trunk_training_jobs(jobs: Sequence[BenchmarkJob]) -> list[BenchmarkJob]:
    """Return the jobs that train what the others need."""
    return [
        BenchmarkJob("trunk", family, seed)
        for family, seed in dict.fromkeys((j.family, _shared_trunk_seed(j.seed)) for j in jobs)
        if family in TRAINED
    ]


def plan_benchmark_jobs(seeds: Sequence[int]) -> list[BenchmarkJob]:
    """Return the jobs of some seeds.

    A seed tries every sabotage, every decoy, and both kinds of networks that know nothing, once;
    one sabotage and one honest network under each harder condition; the edges and the stability of
    flags of two families; and the nulls of one. Families take turns, so that over the seeds each
    case is tried in each of them.
    """
    return [job for seed in seeds for job in sorted(_jobs_of_seed(seed), key=lambda j: j.family)]


def _jobs_of_seed(seed: int) -> Iterator[BenchmarkJob]:
    families = family_names()

    def family_in_turn(i: int, name: str = "") -> str:
        some = _BY_HAND.get(name, families)
        return some[(seed + i) % len(some)]

    for role in ("sabotage", "decoy", "nothing"):
        for i, name in enumerate(case_names_of_role(role)):
            yield BenchmarkJob("case", family_in_turn(i, name), seed, role, name)
    for i, condition in enumerate(CONDITIONS):
        yield BenchmarkJob("case", family_in_turn(i), seed, "sabotage", _OPEN, condition)
        yield BenchmarkJob("case", family_in_turn(i + 1), seed, "decoy", _HONEST, condition)
    sabotages = case_names_of_role("sabotage")
    for i in range(2):
        yield BenchmarkJob("edges", family_in_turn(2 * i), seed, "sabotage", _OPEN)
        name = sabotages[(seed + 7 * i) % len(sabotages)]
        yield BenchmarkJob("stability", family_in_turn(2 * i + 1), seed, "sabotage", name)
    yield BenchmarkJob("nulls", family_in_turn(0), seed)


def _shared_trunk_seed(seed: int) -> int:
    from circuitz.bench.checker.rendered_base import shared_trunk_seed  # noqa: PLC0415 (torch)

    return shared_trunk_seed(seed)
