"""Caught, repaired, exported, labelled: every step of the husky story, run for real."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from circuitz.demo.husky_steps import HuskySteps, StorySetting
from circuitz.demo.output_folder import prepare_output_folder
from circuitz.demo.sizes import FULL, QUICK, HuskySizes
from circuitz.evaluation.evaluation_sets import (
    InputsWithTruth,
)
from circuitz.evaluation.labelling_study import LabellingStudy
from circuitz.labelling.export import with_label_model
from circuitz.labelling.gates.gate import export_gates
from circuitz.plausibility.check import check
from circuitz.plausibility.report import Report
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.search_result import SearchResult

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class HuskyStory:
    """What came out of the demo.

    Parameters
    ----------
    summary
        The figures, as written to ``report.json``.
    husky, zstar
        The network as trained, and the exported z*.
    before, after
        Their checks, on *test* and on *audit*.
    search_result
        The search.
    study
        How D′ was labelled.
    shifted
        D′ with its truth, for pictures in the report.
    """

    summary: dict[str, Any]
    husky: AnnotatedModel
    zstar: AnnotatedModel
    before: Report
    after: Report
    search_result: SearchResult
    study: LabellingStudy
    shifted: InputsWithTruth


def run_husky_story(
    out: Path,
    *,
    world: str = "dogs",
    shortcut: str = "ground",
    track: float = 1.0,
    seed: int = 0,
    full: bool = False,
    classes: tuple[str, ...] | None = None,
    sizes: HuskySizes | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> HuskyStory:
    """Tell the whole story and write its bundles into a folder.

    Parameters
    ----------
    out
        Folder for ``husky.z`` (named after the class that has the shortcut), ``zstar.z``, D and
        the judgements; made when missing.
    world
        ``dogs`` or ``birds``.
    shortcut
        What gives the first class away; one of the world's.
    track
        Share of D that follows the shortcut.
    seed
        Of everything random.
    full
        More data and training, the same steps.
    classes
        Other names for the classes; they change nothing else.
    sizes
        Sizes of one's own.
    workers
        Processes that render.
    progress
        Called with what is being done, steps done and steps in all.
    """
    start = time.monotonic()
    sizes = sizes or (FULL if full else QUICK)
    job = HuskySteps(
        out, StorySetting(world, shortcut, track, seed, classes), sizes, workers, progress
    )
    prepare_output_folder(out)
    husky, before = job.train_annotate_and_check()
    found = job.search_for_repair(husky, "repair")
    shifted = job.make_shifted_set()
    zstar = job.export_repaired_with_waivers(found.z, husky, shifted)
    after = check(zstar, split="test")
    truths = {
        "before": job.accuracy_figures(husky, shifted),
        "after": job.accuracy_figures(zstar, shifted),
        "oracle": job.accuracy_figures(job.train_oracle(husky), shifted),
    }
    rounds = len(found.scores) - 1
    controls = {
        name: job.accuracy_figures(
            job.search_for_repair(husky, f"control, {name.replace('_', ' ')}", rounds, **how).last,
            shifted,
        )
        for name, how in _CONTROLS.items()
    }
    study = job.label_by_simulated_rater(husky, before, zstar, after, shifted)
    zstar = with_label_model(zstar, study.model)
    zstar.save(out / "zstar.z")
    figures = {
        "world": world,
        "shortcut": shortcut,
        "track": track,
        "seed": seed,
        "full": full,
        **truths,
        "controls": {
            name: found_figures["d_prime_worst_group"] for name, found_figures in controls.items()
        },
        "findings": [_finding_record(f) for f in before.findings],
        "unexplained": {
            "before": {name: list(share) for name, share in before.unexplained.items()},
            "after": {name: list(share) for name, share in after.unexplained.items()},
        },
        "audit": {
            "reads": len(zstar.notes.get("audit_reads", [])),
            "withdrawn": job.withdrawn,
            "waived": [f.sentence for f in zstar.findings if f.waiver is not None],
            "gates": [gate.to_json() for gate in export_gates(zstar)],
        },
        "labels": study.labels,
        "search": found.z.notes["search"],
        "sizes": asdict(job.sizes),
        "bundle": {"husky": str(out / f"{job.name}.z"), "zstar": str(out / "zstar.z")},
        "seconds": round(time.monotonic() - start, 1),
    }
    return HuskyStory(figures, husky, zstar, before, after, found, study, shifted)


#: The steps of the story in their order, as progress names them (or begins with them).
CHAPTERS = (
    "draw D",
    "draw the concept set",
    "train on D",
    "look at every unit",
    "repair",
    "look at z*",
    "draw D′",
    "test words",
    "draw data for the oracle",
    "train the oracle",
    "control, random regions",
    "control, no annotations",
    "label D′",
)
_CONTROLS: dict[str, dict[str, Any]] = {
    "random_regions": {"region_mode": "random"},
    "no_annotations": {"words": False},
}


def _finding_record(f: Any) -> dict[str, Any]:
    return {
        "kind": f.kind,
        "units": list(f.units),
        "target": f.target,
        "verdict": f.verdict,
        "estimate": f.estimate,
        "ci": list(f.ci),
        "q": f.q,
        "sentence": f.sentence,
    }
