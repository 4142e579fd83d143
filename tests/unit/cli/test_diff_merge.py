from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from circuitz.cli import main
from circuitz.z.bundle.load_save import load
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    z = AnnotatedModel("m", ("a",), layers=(LayerSpec("conv", 4),))
    z = z.annotate("conv:0", "snow", author="ann", concepts=())
    one = z.annotate("conv:1", "[b]tail[/b]", author="mira", concepts=())
    two = z.annotate("conv:1", "legs\x20and paws", author="jon", concepts=())
    two = two.annotate("conv:2", "ears", author="jon", concepts=())
    return one.save(tmp_path / "one.z"), two.save(tmp_path / "two.z")


def test_what_differs_is_listed(monkeypatch, capsys, pair) -> None:
    one, two = pair
    assert run(monkeypatch, "diff", one, two) == 0
    said = capsys.readouterr().out
    for part in ("conv:1", "[b]tail[/b]", "legs and paws", "mira", "jon", "added"):
        assert part in said
    assert run(monkeypatch, "diff", one, two, "--strict", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert [d["name"] for d in told["differences"]] == ["conv:1", "conv:2"]
    assert run(monkeypatch, "diff", one, one, "--strict", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"same": True, "differences": []}


def test_what_both_changed_is_a_conflict_and_stays(monkeypatch, capsys, pair, tmp_path) -> None:
    one, two = pair
    where = tmp_path / "both.z"
    before = (load(one).log, load(two).log)
    assert run(monkeypatch, "merge", one, two, "--out", where, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    (conflict,) = told["conflicts"]
    assert (conflict["name"], conflict["here"]) == ("conv:1", "[b]tail[/b]")
    assert conflict["there"] == "legs and paws"
    assert (conflict["author_here"], conflict["author_there"]) == ("mira", "jon")
    assert told["taken"] == 1
    both = load(where)
    assert both.hash == told["hash"]
    assert both.effective()["conv:1"].text == "[b]tail[/b]"
    assert both.effective()["conv:2"].text == "ears"
    assert (load(one).log, load(two).log) == before


def test_a_merge_without_conflict_may_go_in_place(monkeypatch, capsys, pair, tmp_path) -> None:
    one, two = pair
    more = load(one).annotate("conv:3", "x", concepts=()).save(tmp_path / "more.z")
    assert run(monkeypatch, "merge", one, more, "--out", one) == 0
    assert load(one).log == load(more).log
    assert "1 edits" in capsys.readouterr().out
    # Nothing else is replaced, the other one neither.
    for place in (two, more):
        before = load(place).log
        assert run(monkeypatch, "merge", one, more, "--out", place) == 1
        assert "another name" in capsys.readouterr().err
        assert load(place).log == before


def test_models_that_do_not_fit_are_named(monkeypatch, capsys, pair, tmp_path) -> None:
    one, _ = pair
    other = AnnotatedModel("n", ("b",), layers=(LayerSpec("fc", 9),), weights={"w": [1.0]})
    place = other.annotate("fc:8", "x", concepts=()).save(tmp_path / "n.z")
    assert run(monkeypatch, "merge", one, place, "--out", tmp_path / "x.z") == 1
    assert "no layer" in capsys.readouterr().err
    assert not (tmp_path / "x.z").exists()
    assert run(monkeypatch, "diff", one, place) == 0
    assert "weights" in capsys.readouterr().out
    assert run(monkeypatch, "diff", one, tmp_path / "none.z") == 1
