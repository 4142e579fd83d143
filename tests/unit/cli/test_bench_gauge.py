"""``circuitz bench gauge`` counts questions, and refuses seeds that are none."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from circuitz.bench import gauge_rates as rates
from circuitz.cli import app


def test_a_mark_is_asked_about_and_new_pictures_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("_PER_CLASS", 110), ("_CONCEPTS", 500), ("_SOURCES", 36)):
        monkeypatch.setattr(rates, name, size)
    run = CliRunner().invoke(app, ["bench", "gauge", "--seeds", "4:5", "--json"])
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout.splitlines()[-1])["rates"]
    share = {rate["shift"]: rate["asked_share"] for rate in told}
    assert share[rates.MARK]["right"] == share[rates.MARK]["n"] == 1
    assert share["new pictures"]["value"] <= 0.2
    assert len(share) == 6


@pytest.mark.parametrize("seeds", ["", "3", "5:2", "a:b"])
def test_seeds_that_are_none_are_refused(seeds: str) -> None:
    run = CliRunner().invoke(app, ["bench", "gauge", "--seeds", seeds])
    assert run.exit_code == 1
    assert "names no seeds" in str(run.exception)
