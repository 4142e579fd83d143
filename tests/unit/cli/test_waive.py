"""``circuitz waive``: given, changed, taken back, listed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import circuitz as cz
from circuitz.cli import main
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import write_inputs


@pytest.fixture(scope="module")
def place(caught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("waive")
    write_inputs(folder / "D", caught.data)
    z = caught.with_(data_ref=DataRef.referring_to(caught.data, "D"))
    return z.save(folder / "caught.z")


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_waiver_is_given_changed_and_taken_back(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "waive", place, "--json") == 0
    ids = [f["id"] for f in json.loads(capsys.readouterr().out)["flagged"]]
    assert ids
    for ident in ids:
        assert run(monkeypatch, "check", place, "--strict") == 1
        assert run(monkeypatch, "waive", place, ident, "--author", "ann", "--reason", "old") == 0
    assert "waived." in capsys.readouterr().out
    assert cz.check(cz.load(place)).flagged == ()
    assert run(monkeypatch, "waive", place, ids[0], "--author", "bob", "--reason", "new") == 0
    assert "reason is changed" in capsys.readouterr().out
    assert run(monkeypatch, "waive", place, ids[0], "--undo", "--author", "eve") == 0
    assert "taken back" in capsys.readouterr().out
    assert [f.id for f in cz.check(cz.load(place)).flagged] == [ids[0]]
    assert run(monkeypatch, "check", place, "--strict") == 1
    capsys.readouterr()
    assert run(monkeypatch, "waive", place, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    mine = [row for row in told["decided"] if row["finding"] == ids[0]]
    assert [(row["author"], row["reason"], row["withdrawn"]) for row in mine] == [
        ("ann", "old", False), ("bob", "new", False), ("eve", "", True),
    ]  # fmt: skip
    assert not any(row["in_force"] for row in mine)
    assert run(monkeypatch, "waive", place) == 0
    shown = capsys.readouterr().out
    assert ids[0] in shown
    assert "taken back" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing", "--author", "ann", "--reason", "why"], "no longer stands"),
        (["nothing", "--undo", "--author", "ann"], "in force"),
    ],
)
def test_what_is_no_finding_or_not_waived_is_refused(
    place: Path, monkeypatch, capsys, words: list[str], said: str
) -> None:
    before = cz.load(place).waivers
    assert run(monkeypatch, "waive", place, *words) == 1
    assert said in capsys.readouterr().err
    assert cz.load(place).waivers == before


def test_a_decision_needs_a_finding(place: Path, monkeypatch, capsys) -> None:
    assert run(monkeypatch, "waive", place, "--undo") == 2
    assert "Name the finding" in capsys.readouterr().err
