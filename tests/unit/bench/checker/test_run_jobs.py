"""Jobs are planned, kept, resumed and scored."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuitz.bench.checker import run_jobs as running
from circuitz.bench.checker.aims import compare_with_aims
from circuitz.bench.checker.blind_check import measure_case
from circuitz.bench.checker.case_registry import (
    build_case,
    build_honest_network,
    case_names_of_role,
    family_names,
)
from circuitz.bench.checker.checker_job import BenchmarkJob
from circuitz.bench.checker.conditions import CONDITIONS
from circuitz.bench.checker.edge_ranking import auroc_from_ranks
from circuitz.bench.checker.job_plan import (
    DEVELOP,
    QUICK,
    RECORD,
    plan_benchmark_jobs,
    trunk_training_jobs,
)
from circuitz.bench.checker.nulls import null_rejection_rates, permute_concept_labels
from circuitz.bench.checker.record_page import (
    append_record_line,
    format_log_row,
    summarise_outcome,
    update_record_page,
)
from circuitz.bench.checker.rendered_base import TRUNKS, shared_trunk_seed
from circuitz.bench.checker.resample import resample_scenes
from circuitz.bench.checker.run_jobs import run_benchmark_jobs
from circuitz.bench.checker.run_one_job import run_benchmark_job
from circuitz.bench.checker.score_results import score_benchmark
from circuitz.bench.marked_page import BEGIN, END
from circuitz.cli.bench_checker import parse_seed_range
from circuitz.errors import BenchError
from circuitz.plausibility.check import check


def _result(**changes: Any) -> dict[str, Any]:
    plain = {
        "kind": "case", "family": "wired", "seed": 0, "role": "sabotage", "name": "x",
        "condition": "", "planted": [], "findings": [], "loose": [], "seconds": 1.0,
        "cpu_seconds": 1.0,
    }  # fmt: skip
    return {**plain, **changes}


def _finding(verdict: str, true: bool | None, kind: str = "implausible-driver") -> dict[str, Any]:
    return {
        "kind": kind, "units": ["units:1"], "target": "husky", "verdict": verdict, "true": true,
        "sentence": "s", "p": 0.0, "q": 0.0, "estimate": 0.5,
    }  # fmt: skip


def test_every_case_is_tried_in_every_family_over_the_seeds() -> None:
    planned = plan_benchmark_jobs(range(5))
    tried = {(j.name, j.family) for j in planned if j.kind == "case" and not j.condition}
    for name in (*case_names_of_role("sabotage"), *case_names_of_role("decoy")):
        if name != "beach":
            assert {f for n, f in tried if n == name} == set(family_names()), name
    counts = Counter(j.kind for j in planned)
    assert counts["nulls"] == 5
    assert {j.condition for j in planned} == {"", *CONDITIONS}


def test_record_seeds_share_nothing_with_those_to_develop_on() -> None:
    assert not set(DEVELOP) & set(RECORD)
    mine, theirs = (
        {(j.family, j.seed) for j in trunk_training_jobs(plan_benchmark_jobs(s))}
        for s in (DEVELOP, RECORD)
    )
    assert mine
    assert not mine & theirs
    assert len(theirs) == 8


def test_every_case_meets_every_family_and_every_trunk_equally_often_on_the_record() -> None:
    met = Counter(
        (j.name, j.family, shared_trunk_seed(j.seed))
        for j in plan_benchmark_jobs(RECORD)
        if j.kind == "case" and not j.condition and j.name != "beach"
    )
    assert set(met.values()) == {3}
    cases = {(role, name) for role in ("sabotage", "decoy") for name in case_names_of_role(role)}
    names = {name for _, name in cases} - {"beach"} | set(case_names_of_role("nothing"))
    assert len(met) == len(names) * len(family_names()) * TRUNKS


def test_the_quick_seeds_train_trunks_once() -> None:
    assert len({shared_trunk_seed(seed) for seed in QUICK}) == 1


def test_results_are_kept_and_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[BenchmarkJob] = []

    def do(job: BenchmarkJob, _keep: Path) -> dict[str, Any]:
        if job.seed == 2 and len(done) == 2:
            raise KeyboardInterrupt
        done.append(job)
        return {"seed": job.seed}

    monkeypatch.setattr(running, "_run_job_in_worker", do)
    planned = [BenchmarkJob("case", "wired", seed, "decoy", "honest") for seed in range(3)]
    with pytest.raises(KeyboardInterrupt):
        run_benchmark_jobs(planned, tmp_path, processes=1)
    done.append(planned[0])  # the third is no longer stopped
    assert run_benchmark_jobs(planned, tmp_path, processes=1) == [
        {"seed": 0},
        {"seed": 1},
        {"seed": 2},
    ]
    assert done == [planned[0], planned[1], planned[0], planned[2]]


def test_a_damaged_result_is_made_again(tmp_path: Path) -> None:
    job = BenchmarkJob("case", "wired", 0, "decoy", "honest")
    job.save_result(tmp_path, {"a": 1})
    assert job.load_result(tmp_path) == {"a": 1}
    (tmp_path / f"{job.job_and_code_hash}.json").write_text("{")
    assert job.load_result(tmp_path) is None
    assert (
        job.job_and_code_hash
        != BenchmarkJob("case", "wired", 1, "decoy", "honest").job_and_code_hash
    )


def test_rates_are_counted_as_defined() -> None:
    caught = {"kinds": ["implausible-driver"], "units": ["units:1"], "target": "husky", "said": []}
    found = score_benchmark(
        [
            _result(
                planted=[{**caught, "caught": True}, {**caught, "caught": False}],
                findings=[_finding("flagged", True), _finding("inconclusive", False)],
                loose=[True, False],
            ),
            _result(role="decoy", name="y", findings=[_finding("flagged", False)], loose=[False]),
            _result(role="decoy", name="y", findings=[_finding("flagged", None)]),
            _result(role="decoy", name="y", findings=[_finding("supported", True)]),
            _result(role="nothing", name="u", findings=[_finding("flagged", False)]),
            _result(condition="no-masks", planted=[{**caught, "caught": False}]),
        ]
    )
    assert (found["networks"], found["planted"], found["caught"]) == (4, 2, 1)
    assert (found["decoys"], found["false_alarms"]) == (3, 1)
    assert found["fdr"]["0.05"]["rate"] == pytest.approx(1 / 2)
    assert found["fdr"]["0.10"]["rate"] == pytest.approx(2 / 3)
    assert found["inconclusive_rate"] == pytest.approx(1 / 4)
    assert found["grey"] == 1
    assert found["wrongly_supported"] == 1
    assert found["nothing"]["rate"] == 1
    assert found["conditions"]["no-masks"]["caught_rate"] == 0
    assert [e["name"] for e in found["escaped"]] == ["x"]


def test_a_job_that_breaks_is_listed_and_stops_nothing() -> None:
    broken = run_benchmark_job(BenchmarkJob("case", "wired", 0, "sabotage", "no-such"))
    assert "no-such" in broken["failed"]
    found = score_benchmark([broken])
    assert found["networks"] == 0
    assert found["failed"][0]["name"] == "no-such"


def test_nothing_at_all_gives_no_rates() -> None:
    found = score_benchmark([])
    assert found["caught_rate"] is None
    assert found["fdr"]["0.05"]["rate"] is None
    assert null_rejection_rates([]) == {}


def test_auroc_counts_ties_half() -> None:
    truth = np.array([True, False, True, False])
    assert auroc_from_ranks(np.array([2.0, 1.0, 2.0, 1.0]), truth) == 1
    assert auroc_from_ranks(np.array([1.0, 1.0, 1.0, 1.0]), truth) == 0.5
    assert auroc_from_ranks(np.array([0.0, 1.0, 0.0, 1.0]), truth) == 0


def test_permuted_labels_stay_within_their_split() -> None:
    known = build_honest_network("wired", 0).concept_set
    again = permute_concept_labels(known, np.random.default_rng(0))
    assert known.concepts is not None
    assert again.concepts is not None
    assert known.split is not None
    for split in range(3):
        rows = known.split == split
        assert (known.concepts[rows].sum(0) == again.concepts[rows].sum(0)).all()
    assert (known.concepts != again.concepts).any()


def test_resampled_scenes_are_checked_like_any_other() -> None:
    z = measure_case(build_case("sabotage", "open-shortcut", build_honest_network("wired", 0)))
    again = resample_scenes(z, np.random.default_rng(0))
    flagged = {f.kind for f in check(again).findings if f.verdict == "flagged"}
    assert "implausible-driver" in flagged
    assert z.measurements is not None
    assert z.measurements.effects is not None
    assert again.measurements is not None
    assert again.measurements.effects is not None
    assert len(again.measurements.effects.scene) == len(z.measurements.effects.scene)


@pytest.mark.parametrize("name", list(CONDITIONS))
def test_conditions_change_what_they_say_and_keep_sets_whole(name: str) -> None:
    case = build_case("sabotage", "open-shortcut", build_honest_network("wired", 0))
    known = case.base.concept_set
    got = CONDITIONS[name](case, known, np.random.default_rng(0))
    assert got.concepts is not None
    assert known.concepts is not None
    assert got.concepts.shape == (len(got), len(got.concept_names))
    assert len(set(got.concept_names)) == len(got.concept_names)
    if name.startswith("wrong-labels"):
        share = float((got.concepts != known.concepts).mean())
        assert share == pytest.approx(int(name.rpartition("-")[2]) / 100, abs=0.01)
    if name == "labelled-50":
        assert len(got) == 50
    if name == "concept-absent":
        assert not {tie.concept for tie in case.base.ties} & set(got.concept_names)
    if name == "distractors-50":
        assert len(got.concept_names) == len(known.concept_names) + 50


def test_seeds_are_read_or_refused() -> None:
    assert parse_seed_range("3:5") == range(3, 5)
    for text in ("5:3", "3", "a:b", "1:1", "-1:4"):
        with pytest.raises(BenchError, match="no range of seeds"):
            parse_seed_range(text)


def test_the_page_gets_figures_between_its_marks_and_a_line_in_its_log(tmp_path: Path) -> None:
    page = tmp_path / "record.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\n## Log\n\n| a |\n|---|\n")
    missed = {"kinds": ["split-shortcut"], "units": ["units:1"], "target": "husky", "said": []}
    figures = score_benchmark([_result(planted=[{**missed, "caught": False}])])
    figures["targets"] = [t.to_json() for t in compare_with_aims(figures)]
    update_record_page(
        page, figures, format_log_row("now", "run", "abc", summarise_outcome(figures))
    )
    append_record_line(page, format_log_row("later", "run", "abc", "stopped: KeyboardInterrupt"))
    text = page.read_text()
    assert "old" not in text
    assert "| x | wired | 0 | split-shortcut husky | nothing |" in text
    assert text.startswith("# Title")
    assert [line.split("|")[1].strip() for line in text.splitlines()[-2:]] == ["now", "later"]
    assert "caught .000 of 1" in text.splitlines()[-2]
    page.write_text("no marks")
    with pytest.raises(BenchError, match="no place for figures"):
        update_record_page(page, figures, "")


def test_an_aim_without_a_value_is_not_met() -> None:
    found = compare_with_aims(score_benchmark([]))
    assert not any(t.met for t in found if t.value is None and not t.what.startswith("FDR"))
