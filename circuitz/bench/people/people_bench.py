"""The benchmark of judgements: every figure from simulated people, each with its reason if missing."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from circuitz.bench.people.code_hash import code_hash
from circuitz.bench.people.figure_aims import aims_of_figures
from circuitz.bench.people.label_figures import label_model_figures, labelling_controls
from circuitz.bench.people.likelihood_figures import LikelihoodSizes, likelihood_figures
from circuitz.bench.people.many_breeds import ManyBreedsSizes, many_breeds_figures
from circuitz.bench.people.pool import QUICK, PoolPlan, make_pool
from circuitz.bench.people.pooled_z import PooledZ
from circuitz.bench.people.prior_figures import PriorSizes, study_prior
from circuitz.bench.people.rewrite_figures import RewriteSizes, rewrite_figures
from circuitz.errors import BenchError
from circuitz.evaluation.people.frozen import frozen_families_hash

Progress = Callable[[str, int, int], None]
QUICK_PRIOR = PriorSizes(zs=80, comparisons=300, held_zs=40, held_pairs=120, held_raters=2, fits=2)
QUICK_REWRITE = RewriteSizes(pictures=200, told_by_people=30, permutations=5, lineages=2)
QUICK_BREEDS = ManyBreedsSizes(labelled=36)
QUICK_LIKELIHOOD = LikelihoodSizes(zs=20, held_zs=10, rows=25)
_CODE = (
    "bench/people", "cards", "effects", "evaluation/people", "labelling", "measurement",
    "plausibility", "posterior", "stats", "z",
)  # fmt: skip


def run_people_bench(
    *,
    quick: bool = False,
    seeds: range | None = None,
    cache: Path | None = None,
    attack_rows: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make the pool, ask simulated people, fit what is fitted, and score it.

    Parameters
    ----------
    quick
        A smaller pool and fewer answers: a first look, not the record.
    seeds
        Seeds of the dogs' lineages; 0 and 1 by default.
    cache
        Where networks and z's are kept.
    attack_rows
        Rows of the benchmark of attacks, JSON Lines.
    progress
        Called with what is done, steps done and steps in all.

    Returns
    -------
    dict
        ``prior``, ``likelihood``, ``label_model``, ``rewrite``, ``words``, ``attacks``,
        ``judgements``, and beside them ``controls``, ``many_breeds``, ``pool``, ``not_measured`` (reasons by key) and
        ``aims``. A figure that was not measured is ``None``.
    """
    plan = QUICK if quick else PoolPlan()
    if seeds is not None:
        plan = replace(plan, dogs=tuple(seeds))
    started = time.monotonic()
    zs = make_pool(plan, cache, progress)
    pool_seconds = time.monotonic() - started
    study = study_prior(zs, sizes=QUICK_PRIOR if quick else PriorSizes(), seed=0, progress=progress)
    most = 2 if quick else 6
    figures: dict[str, Any] = {
        "simulated": True,
        "quick": quick,
        "seeds": list(plan.dogs),
        "families": frozen_families_hash(),
        "code": code_hash(_CODE),
        "pool": _pool_record(zs, pool_seconds),
        "prior": study.figures,
        "likelihood": likelihood_figures(
            zs,
            plan.lineages,
            sizes=QUICK_LIKELIHOOD if quick else LikelihoodSizes(),
            progress=progress,
        ),
        "label_model": label_model_figures(zs, plan.lineages, most=most),
        "rewrite": rewrite_figures(
            plan.lineages, cache, sizes=QUICK_REWRITE if quick else None, progress=progress
        ),
        "words": _word_figures(zs),
        "attacks": None if attack_rows is None else read_attack_rows(attack_rows),
        "judgements": {"compare": len(study.learned_from.judgements)},
        "controls": labelling_controls(zs, plan.lineages, most=most),
        "many_breeds": many_breeds_figures(
            seeds=(0,) if quick else (0, 1, 2), sizes=QUICK_BREEDS if quick else None
        ),
        "not_measured": dict(NOT_MEASURED),
    }
    if figures["attacks"] is not None:
        seeds_run = len({row["seed"] for row in figures["attacks"]})
        figures["not_measured"]["attacks on ten seeds"] = f"seeds at hand: {seeds_run}"
    else:
        figures["not_measured"]["attacks"] = (
            "they take two minutes a row: run `circuitz bench attacks --json` and give its rows with --attacks"
        )
    for arm, n in figures["likelihood"]["answers"].items():
        figures["judgements"][f"label: {arm}"] = n
    figures["judgements"]["label: shown"] += figures["label_model"]["answers"]
    shows = [figures[key]["answers"] for key in ("words", "rewrite") if figures[key] is not None]
    figures["judgements"]["shows"] = sum(shows)
    if figures["rewrite"] is None:
        figures["not_measured"]["rewrite"] = (
            "no network is kept, or no search found one: name a cache"
        )
    figures["aims"] = [aim.to_json() for aim in aims_of_figures(figures)]
    figures["seconds"] = round(time.monotonic() - started, 1)
    return figures


def read_attack_rows(path: Path) -> list[dict[str, Any]]:
    """Read rows that ``circuitz bench attacks --json`` printed.

    Raises
    ------
    BenchError
        If a line is none.
    """
    names = ("name", "twin", "seed", "exported", "reason", "dprime_worst", "wrong")
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return [{name: row[name] for name in names} for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise BenchError(
            f"{path} holds no rows of attacks: {type(problem).__name__} {problem}.",
            "Give what `circuitz bench attacks --json` printed.",
        ) from problem


#: What is not measured, and why.
NOT_MEASURED = {
    "agreement on the cards of the pool": "it is measured of z*'s and their starts alone, in the "
    "face-value rewrite",
    "J of repaired or unrepaired weights under true or permuted words": "no part of this command "
    "puts the two models together",
    "photographs": "no concept set of photographs names enough words for a card",
}


def _pool_record(zs: tuple[PooledZ, ...], seconds: float) -> dict[str, Any]:
    networks = {(z.lineage, z.network): z.truth.worst for z in zs}
    return {
        "zs": len(zs),
        "cards": len({z.card.hash for z in zs}),
        "lineages": len({z.lineage for z in zs}),
        "networks": len(networks),
        "by_network": dict(Counter(z.network for z in zs)),
        "by_words": dict(Counter(z.words for z in zs)),
        "by_world": dict(Counter(z.world for z in zs)),
        "worst_group_below_half": sum(worst < 0.5 for worst in networks.values()),
        "seconds": round(seconds, 1),
    }


def _word_figures(zs: tuple[PooledZ, ...]) -> dict[str, Any] | None:
    """Return counts of tests of words; ``None`` where none was made."""
    total: Counter[str] = Counter()
    for z in zs:
        if z.words == "proposed":
            total.update(z.counts)
    names = ("holds", "fails", "untested", "wrong_holds", "answers")
    return {name: total[name] for name in names} if total["answers"] else None
