from __future__ import annotations

import json

import pandas as pd
import pytest

from circuitz.errors import CheckError
from circuitz.plausibility.audit_reads import audit_reads, with_audit_reads_logged
from circuitz.plausibility.check import check
from circuitz.plausibility.report import COLUMNS

TRUE = {0: "snow", 1: "snow", 3: "pointed ears", 5: "fluffy coat"}


def test_findings_are_a_table_worst_first(plant) -> None:
    report = check(plant(words=TRUE, groups=[(0, 1)]))
    table = report.frame
    assert isinstance(table, pd.DataFrame)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == len(report.findings)
    assert table.verdict.iloc[0] == "flagged"
    assert list(check(plant()).frame.columns) == list(COLUMNS)


def test_json_has_stable_keys_and_only_json_numbers(plant) -> None:
    data = json.loads(check(plant(words={**TRUE, 7: "gizmo"}, groups=[(0, 1)])).to_json())
    assert list(data) == [
        "split",
        "counts",
        "stale",
        "accuracy",
        "problems",
        "unexplained",
        "findings",
        "settings",
        "hashes",
        "reads",
        "seconds",
    ]
    first = data["findings"][0]
    assert {"kind", "units", "target", "verdict", "estimate", "ci", "q", "sentence"} <= set(first)
    assert first["effects"][0]["how"] == "sufficiency"
    assert set(data["unexplained"]) == {"husky", "beagle", "corgi", "poodle"}
    untested = [f for f in data["findings"] if f["units"] == ["conv4:7"]]
    assert untested[0]["estimate"] is None
    assert data["settings"]["delta"] == 0.1


def test_it_says_what_it_is_without_a_front_end(plant) -> None:
    report = check(plant(words=TRUE, groups=[(0, 1)]))
    text = repr(report)
    assert text.startswith("Report: 1 flagged") or "flagged" in text.splitlines()[0]
    assert "unexplained: husky" in text
    assert "margin 10 %" in text
    assert "implausible-driver" in text


def test_what_people_write_is_escaped(plant) -> None:
    z = plant(words={0: "fluffy coat <script>alert(1)</script>"})
    page = check(z)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "unexplained" in page


def test_exit_codes(plant) -> None:
    bad = check(plant(words=TRUE, groups=[(0, 1)]))
    assert bad.exit_code() == bad.exit_code(strict=True) == 1
    speaks = {"husky": {6: 3.0}, "beagle": {4: 3.0}, "corgi": {3: 3.0}, "poodle": {5: 3.0}}
    words = {3: "pointed ears", 4: "floppy ears", 5: "fluffy coat", 6: "curled tail"}
    good = plant(speaks=speaks, words=words, groups=[(3, 4, 5, 6)])
    assert check(good).exit_code(strict=True) == 0
    doubt = good.annotate("conv4:7", "gizmo")
    assert (check(doubt).exit_code(), check(doubt).exit_code(strict=True)) == (0, 1)


def test_looks_at_audit_are_counted_and_others_are_not(plant) -> None:
    z = plant(words=TRUE, groups=[(0, 1)])
    assert check(z).reads == ()
    assert with_audit_reads_logged(z, check(z)) is z
    report = check(z, split="audit")
    assert [read["split"] for read in report.reads] == ["audit"]
    logged = with_audit_reads_logged(
        with_audit_reads_logged(z, report, author="anna", why="export"), report
    )
    reads = audit_reads(logged)
    assert len(reads) == 2
    assert (reads[0]["author"], reads[0]["why"], reads[0]["z"]) == ("anna", "export", z.hash)
    assert audit_reads(z) == ()
    assert logged.hash == z.hash


def test_selecting_by_kind_and_class(plant) -> None:
    report = check(plant(words=TRUE, groups=[(0, 1)]))
    assert report.of("missing-support", "husky") == report.of("missing-support", "output:husky")
    assert len(report.of("missing-support")) == 4


def test_a_name_that_is_not_there_is_refused_with_the_near_ones(plant) -> None:
    report = check(plant(words=TRUE, groups=[(0, 1)]))
    assert report.of("implausible-driver", "output:husky") == report.of(
        "implausible-driver", "husky"
    )
    with pytest.raises(CheckError, match="implausible-drive") as kind:
        report.of("implausible-drive")
    assert "implausible-driver" in kind.value.hint
    with pytest.raises(CheckError, match="huskey") as target:
        report.of("implausible-driver", "huskey")
    assert "husky" in target.value.hint


def test_it_tells_the_first_doubts_and_what_would_decide_them(plant) -> None:
    report = check(plant(words={3: "pointed ears"}))
    doubts = [f for f in report.findings if f.verdict == "inconclusive"]
    text = repr(report)
    assert doubts
    assert "not decided:" in text
    assert any(f"what would decide: {f.decide}" in text for f in doubts if f.decide)


def test_words_newer_than_the_measurements_are_said_at_the_top(plant) -> None:
    run = check(plant(words=TRUE, groups=[(0, 1)]))
    z = plant(words=TRUE)
    report = check(z)
    waiting = [f for f in report.findings if f.decide.startswith("Measure again")]
    codes = [problem.code for problem in report.problems]
    assert (codes[:1] == ["words-newer-than-measurements"]) == bool(waiting)
    assert waiting
    assert len(waiting) > sum(f.decide.startswith("Measure again") for f in run.findings)
