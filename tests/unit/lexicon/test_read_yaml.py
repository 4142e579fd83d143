from __future__ import annotations

from pathlib import Path

import pytest

from circuitz.errors import LexiconError
from circuitz.lexicon.lexicon import Lexicon

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nconcepts: {}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("concepts: [snow", "not valid YAML, line"),
        ("concepts:\n  snow: {kind: part\n  ice: 3", "not valid YAML, line"),
        ("concepts:\n\t- x", "not valid YAML, line 2"),
        ("just words", "not a table"),
        ("- a\n- b", "not a table"),
        ("words: {}", "unknown sections: words"),
        ("version: 7", "version 7"),
        ("extends: other", "extends 'other'"),
        ("concepts: [snow]", "‘concepts’ .* is not a table"),
        ("concepts:\n  x: 3", r"‘x’ has no fields .*line 2"),
        ("concepts:\n  ok: {kind: part}\n  x: {kind: weather}", r"unknown kind ‘weather’ .*line 3"),
        ("concepts:\n  x: {synonyms: [y]}", r"‘x’ has no kind .*line 2"),
        ("concepts:\n  x: {kind: part, colour: red}", r"unknown fields: colour .*line 2"),
        ("concepts:\n  x: {kind: [part]}", r"‘kind’ of ‘x’ is not a word .*line 2"),
        ("concepts:\n  x: {kind: part, synonyms: 3}", r"not a list of words .*line 2"),
        ("concepts:\n  x: {kind: part, synonyms: [3]}", r"no word .*line 2"),
        ("concepts:\n  x: {kind: part, synonyms: ['!']}", r"no word .*line 2"),
        ("concepts:\n  3: {kind: part}", r"3 is no name .*line 2"),
        ("concepts:\n  no: {kind: part}", "no name"),
        ("concepts:\n  '?!': {kind: part}", "no name"),
        ("concepts:\n  x: {kind: part}\n  x: {kind: part}", "stands twice .*lines 2 and 3"),
        ("concepts:\n  x: {kind: part, is_a: y}", "‘y’, a concept that is not there"),
        ("concepts:\n  x: {kind: part, is_a: x}", "kind of itself: x → x"),
        (
            "concepts:\n  x: {kind: part, is_a: y}\n  y: {kind: part, is_a: z}\n"
            "  z: {kind: part, is_a: x}",
            "kind of itself",
        ),
        ("categories:\n  p: {is_a: q}\n  q: {is_a: p}", "kind of itself"),
        ("categories:\n  p: {is_a: q}", "‘q’, a category that is not there"),
        ("concepts:\n  x: {kind: part, part_of: [ghost]}", "part of ‘ghost’"),
        (
            "concepts:\n  x: {kind: part, synonyms: [w]}\n  y: {kind: part, synonyms: [W]}",
            r"both ‘x’ and ‘y’ .*line 3",
        ),
        ("concepts:\n  bell: {kind: part}\n  Bells: {kind: part}", "both ‘bell’ and ‘Bells’"),
        (
            "concepts:\n  x: {kind: attribute, is_a: ears, adjectives: [odd]}\n"
            "  y: {kind: attribute, is_a: ears, adjectives: [odd]}",
            "‘odd ears’ is a name of both",
        ),
        ("concepts:\n  x: {kind: attribute, adjectives: [odd]}", "kind of nothing"),
        (BOMB, "alias on line 2"),
        ("concepts: " + "[" * 5000, "nested too deeply"),
        ("concepts: !!python/object/apply:os.system [ls]", "not valid YAML"),
        ("concepts: {x: !!python/name:os.system }", "not valid YAML"),
        ("? [a, b]\n: 1", "not|unknown"),
        ("concepts:\n  ? [a, b]\n  : {kind: part}", "not|no name"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(text: str, message: str):
    with pytest.raises(LexiconError, match=message) as caught:
        Lexicon.from_text(text)
    assert caught.value.hint


def test_an_empty_project_is_the_default():
    for text in ("", "# nothing yet\n", "concepts:\n", "version: 1\nextends: default\n"):
        assert Lexicon.from_text(text).hash == Lexicon.load().hash


def test_a_file_may_stand_alone():
    alone = Lexicon.from_text("extends: none\nconcepts:\n  rust: {kind: low-level}\n")
    assert alone.names() == ("rust",)
    assert alone.parse("rust and snow") == ("rust",)


def test_files_that_cannot_be_read_are_named(tmp_path: Path):
    with pytest.raises(LexiconError, match="cannot be read"):
        Lexicon.load(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(LexiconError, match="not text"):
        Lexicon.load(tmp_path / "bytes.yaml")
    with pytest.raises(LexiconError, match="cannot be read"):
        Lexicon.load(tmp_path)
    with pytest.raises(LexiconError, match="larger"):
        Lexicon.from_text("#" * 3_000_000)


def test_a_project_file_gives_its_name_to_what_it_says(tmp_path: Path):
    (tmp_path / "ours.yaml").write_text("concepts:\n  rust: {kind: part}\n", encoding="utf-8-sig")
    lexicon = Lexicon.load(tmp_path / "ours.yaml")
    assert lexicon.concept("rust").source == "project lexicon ours.yaml"


def test_the_default_is_read_once():
    assert Lexicon.load() is Lexicon.load()
