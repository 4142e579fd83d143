from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from circuitz.cli import main
from circuitz.lexicon.lexicon import Lexicon


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", "concepts", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_the_kind_of_a_word_comes_with_its_chain(monkeypatch, capsys) -> None:
    assert run(monkeypatch, "kind", "snow", "--class", "husky") == 0
    said = capsys.readouterr().out
    assert "‘snow’ for the class ‘husky’: opposes (surroundings" in said
    assert "‘snow’ is surroundings (default lexicon)." in said
    assert run(monkeypatch, "kind", "trunk", "--class", "elephant", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "supports"
    assert told["score"] > 0.9
    assert told["chain"] == ["‘trunk’ is part of an elephant (WordNet: proboscis ⊂ elephant)."]
    assert told["lexicon"] == Lexicon.load().hash


@pytest.mark.parametrize("word", ["Schneeflocke", "снег", "", "[bold]x[/bold]zzq"])
def test_an_unknown_word_is_an_error_that_says_what_to_do(monkeypatch, capsys, word) -> None:
    assert run(monkeypatch, "kind", word, "--class", "dog") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "unknown-concept" in said.err
    assert "circuitz concepts add" in " ".join(said.err.split())
    assert run(monkeypatch, "kind", word, "--class", "dog", "--json") == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "unknown"


def test_words_are_added_and_overridden_in_a_file(monkeypatch, capsys, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    added = ("add", "ossicone", "--kind", "part", "--part-of", "giraffe", "--synonym", "knob horn")
    assert run(monkeypatch, *added, "--lexicon", path) == 0
    assert "written to" in capsys.readouterr().out
    said = ("override", "collar", "--part-of", "dog", "--kind", "part", "--author", "mira")
    assert run(monkeypatch, *said, "--reason", "shows", "--lexicon", path, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["class"]) == ("supports", "dog")
    assert run(monkeypatch, "kind", "knob horns", "--class", "giraffe", "--lexicon", path) == 0
    assert "supports" in capsys.readouterr().out
    assert "override by mira" in Lexicon.load(path).support("collar", "husky").chain[0]


def test_contradictions_and_empty_overrides_are_named(monkeypatch, capsys, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    base = ("override", "collar", "--lexicon", path)
    assert run(monkeypatch, *base, "--author", "mira") == 1
    assert "Nothing is said of" in capsys.readouterr().err
    assert not path.exists()
    assert run(monkeypatch, *base, "--author", "mira", "--kind", "part") == 0
    before = path.read_bytes()
    assert run(monkeypatch, *base, "--author", "ben", "--kind", "artefact") == 1
    assert "contradictory-overrides" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert run(monkeypatch, *base, "--author", "ben", "--kind", "artefact", "--replace") == 0


def test_a_synonym_becomes_a_concept_of_its_own(monkeypatch, capsys, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    add = ("add", "lawn", "--kind", "surroundings", "--lexicon", path)
    assert run(monkeypatch, *add) == 1
    assert "--apart" in capsys.readouterr().err
    assert run(monkeypatch, *add, "--apart") == 0
    assert Lexicon.load(path).resolve("lawn") == "lawn"
    assert Lexicon.load(path).resolve("turf") == "grass"
    assert run(monkeypatch, *add, "--apart") == 1  # it is one already


def test_a_person_says_what_a_word_is_to_a_class_nobody_has_heard_of(
    monkeypatch, capsys, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    assert run(monkeypatch, "kind", "has loop", "--of", "digit") == 1
    assert "Say what it is" in capsys.readouterr().out
    about = ("has loop", "--of", "digit", "--lexicon", path)
    for kind, verdict in (("artefact", "opposes"), ("part", "supports")):
        assert run(monkeypatch, "kind", "has loop", kind, *about[1:], "--author", "mira") == 0
        capsys.readouterr()
        assert run(monkeypatch, "kind", *about, "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["verdict"], told["kind"], told["origin"]) == (verdict, kind, "person")
    assert path.read_text(encoding="utf-8").count("mira") == 1  # what was said last
    assert run(monkeypatch, "kind", "has loop", "part", "--of", "digit") == 1
    assert "--z Z" in capsys.readouterr().err
