from __future__ import annotations

import json
import sys

import pytest

from circuitz.bench import row_registry as registry
from circuitz.bench.row import Sides, SpeedRow
from circuitz.cli import main


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = Sides(
        lambda: 1.0, lambda: 1.5, lambda a, b: b - a, peer_share=0.5, sample="half of it",
        facts=lambda a, b: {"units": 7},
    )  # fmt: skip
    made = SpeedRow(
        "ablation-all-classes",
        "a job",
        lambda size: sides,
        peer="another tool",
        target="ratio >= 1",
    )
    monkeypatch.setattr(registry, "_load_row", lambda name: made)


def test_json_has_the_keys_others_read(made_up, monkeypatch, capsys) -> None:
    assert (
        run(monkeypatch, "bench", "speed", "--rows", "ablation-all-classes", "--json", "--quick")
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    (row,) = found["rows"]
    assert row["name"] == "ablation-all-classes"
    assert row["max_abs_diff"] == 0.5
    assert row["ratio"] > 0
    assert row["facts"] == {"units": 7}
    assert {"ours_s", "peer_s", "peer", "spread", "rounds", "note"} <= set(row)
    assert found["machine"]["cores"] >= 1
    assert found["quick"] is True


def test_the_table_tells_the_sample(made_up, monkeypatch, capsys) -> None:
    assert run(monkeypatch, "bench", "speed", "--rows", "ablation-all-classes", "--rounds", 1) == 0
    said = capsys.readouterr().out
    assert "half of it" in said
    assert "another tool" in said


def test_an_unknown_row_is_told_in_words(monkeypatch, capsys) -> None:
    assert run(monkeypatch, "bench", "speed", "--rows", "opne") == 1
    assert "no row 'opne'" in capsys.readouterr().err
