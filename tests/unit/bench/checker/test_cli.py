"""``circuitz bench checker`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from circuitz.bench.checker import job_plan as plan
from circuitz.bench.checker.checker_job import BenchmarkJob
from circuitz.cli import app

KEYS = {
    "networks", "planted", "caught", "caught_rate", "decoys", "false_alarms", "false_alarm_rate",
    "fdr", "inconclusive_rate", "by_kind", "by_family", "auroc_edges", "flag_jaccard", "null_rate",
    "conditions", "escaped",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [
        BenchmarkJob("case", "wired", 0, "sabotage", "open-shortcut"),
        BenchmarkJob("case", "wired", 0, "sabotage", "open-shortcut", "no-masks"),
        BenchmarkJob("case", "wired", 0, "decoy", "honest"),
        BenchmarkJob("case", "wired", 0, "nothing", "untrained"),
        BenchmarkJob("edges", "compiled", 0, "sabotage", "open-shortcut"),
        BenchmarkJob("stability", "wired", 0, "sabotage", "open-shortcut"),
    ]
    monkeypatch.setattr(plan, "plan_benchmark_jobs", lambda _seeds: few)


def test_figures_are_printed_and_kept(tmp_path: Path) -> None:
    page = tmp_path / "record.md"
    page.write_text("<!-- figures -->\n<!-- end of figures -->\n\n| log |\n|---|\n")
    command = ["bench", "checker", "--seeds", "0:1", "--processes", "1", "--json"]
    command += ["--out", str(tmp_path / "kept"), "--page", str(page)]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 0, ran.output
    figures = json.loads(ran.stdout)
    assert set(figures) >= KEYS
    assert (figures["caught"], figures["planted"], figures["false_alarms"]) == (1, 1, 0)
    assert figures["nothing"]["refused"] == 1
    assert figures["auroc_edges"]["ours"] > figures["auroc_edges"]["eap"]
    assert figures["flag_jaccard"] > 0.5
    assert figures["failed"] == []
    assert "open-shortcut" in page.read_text()
    assert len(list((tmp_path / "kept" / "results").iterdir())) == 6
    again = CliRunner().invoke(app, [part for part in command if part != "--json"])
    assert again.exit_code == 0
    assert "wired" in again.stdout
    assert page.read_text().count("--seeds 0:1") == 2


def test_a_stopped_run_is_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from circuitz.bench.checker import run_jobs as running

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "_run_job_in_worker", stop)
    page = tmp_path / "record.md"
    page.write_text("<!-- figures -->\nold\n<!-- end of figures -->\n")
    command = ["bench", "checker", "--seeds", "0:1", "--processes", "1", "--page", str(page)]
    ran = CliRunner().invoke(app, [*command, "--out", str(tmp_path)])
    assert ran.exit_code != 0
    assert "stopped: KeyboardInterrupt" in page.read_text()
    assert "old" in page.read_text()
