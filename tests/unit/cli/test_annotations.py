from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from circuitz.cli import main
from circuitz.z.bundle.load_save import load
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    z = AnnotatedModel("m", ("a",), layers=(LayerSpec("conv", 4),))
    return z.annotate("conv:0", "=snow", author="ann").save(tmp_path / "a.z")


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_out_and_in_again_is_nothing_new(monkeypatch, capsys, bundle, tmp_path) -> None:
    for form in ("csv", "jsonl", "clip-dissect", "neuronpedia"):
        place = tmp_path / f"words.{form}"
        assert run(monkeypatch, "annotations", bundle, "--to", place, "--format", form) == 0
        assert f"({form})" in capsys.readouterr().out
        code = run(monkeypatch, "annotate", bundle, "--from", place, "--format", form, "--json")
        told = json.loads(capsys.readouterr().out)
        assert (code, told["written"], told["counts"]["unchanged"]) == (0, False, 1)
        assert run(monkeypatch, "annotations", bundle, "--to", place, "--format", form) == 1
        assert "already" in capsys.readouterr().err


def test_conflicts_are_listed_and_told_by_the_exit_code(
    monkeypatch, capsys, bundle, tmp_path
) -> None:
    words = tmp_path / "w.csv"
    words.write_text("unit,text\nconv:0,[red]grass[/red]\nconv:1,tail\n")
    before = load(bundle).log
    assert run(monkeypatch, "annotate", bundle, "--from", words, "--author", "jon") == 1
    said = capsys.readouterr()
    for part in ("1 new, 1 conflict", "conv:0", "=snow", "ann", "[red]grass[/red]", "jon"):
        assert part in said.out
    assert "Nothing was written" in said.err
    assert load(bundle).log == before
    words_json = ("annotate", bundle, "--from", words, "--json")
    assert run(monkeypatch, *words_json, "--on-conflict", "replace", "--dry-run") == 0
    assert json.loads(capsys.readouterr().out)["written"] is False
    assert load(bundle).log == before
    assert run(monkeypatch, *words_json, "--on-conflict", "keep") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["written"] is True
    assert told["conflicts"][0]["here"] == "=snow"
    assert load(bundle).effective()["conv:0"].text == "=snow"
    assert load(bundle).effective()["conv:1"].text == "tail"
    assert run(monkeypatch, *words_json, "--on-conflict", "replace") == 0
    assert load(bundle).effective()["conv:0"].text == "[red]grass[/red]"
    assert load(bundle).hash == json.loads(capsys.readouterr().out)["hash"]


def test_layers_of_others_are_mapped_and_remarks_are_told(
    monkeypatch, capsys, bundle, tmp_path
) -> None:
    table = tmp_path / "tally.csv"
    table.write_text("unit,label,category,score\n2,snow,object,0.3\n4,grass,object,0.01\n")
    command = ("annotate", bundle, "--from", table)
    assert run(monkeypatch, *command) == 1
    said = capsys.readouterr().err
    assert "tally" in said
    assert "It has conv" in " ".join(said.split())
    assert run(monkeypatch, *command, "--layer-map", "tally=conv", "--dry-run") == 0
    said = capsys.readouterr()
    assert "2 new" in said.out
    assert "counted from 1" in " ".join(said.err.split())
    assert run(monkeypatch, *command, "--layer-map", "tally=conv", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["format"], len(told["remarks"])) == ("netdissect", 2)
    assert load(bundle).effective()["conv:3"].text == "grass"
    for wrong in ("tally", "=conv"):
        assert run(monkeypatch, *command, "--layer-map", wrong) == 2
        assert "FILE_LAYER=LAYER" in capsys.readouterr().err


def test_errors_are_told_in_words(monkeypatch, capsys, bundle, tmp_path) -> None:
    words = tmp_path / "w.csv"
    words.write_text("unit,text\nconv:9,x\n")
    assert run(monkeypatch, "annotate", bundle, "--from", words) == 1
    said = capsys.readouterr().err
    assert "annotation-file" in said
    assert "Line 2" in said
    assert "Traceback" not in said
    assert run(monkeypatch, "annotate", bundle, "--from", words, "--format", "xml") == 2
    assert run(monkeypatch, "annotate", bundle, "--from", tmp_path / "none.csv") == 1


def test_a_history_travels(monkeypatch, capsys, bundle, tmp_path) -> None:
    z = load(bundle).undo()
    z.save(bundle)
    bare = z.with_(log=()).save(tmp_path / "bare.z")
    place = tmp_path / "h.csv"
    assert run(monkeypatch, "annotations", bundle, "--to", place, "--history", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 2
    assert run(monkeypatch, "annotate", bare, "--from", place) == 0
    assert load(bare).log == z.log


def test_what_a_file_says_does_not_act_on_the_terminal(
    monkeypatch, capsys, bundle, tmp_path
) -> None:
    words = tmp_path / "w.csv"
    words.write_text("unit,text\nconv:\x1b[2J,x\n")
    assert run(monkeypatch, "annotate", bundle, "--from", words) == 1
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "Line 2" in said
