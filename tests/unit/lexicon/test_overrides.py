from __future__ import annotations

from pathlib import Path

import pytest

from circuitz.errors import (
    ContradictoryOverridesError,
    CyclicSynonymsError,
    LexiconError,
    UnknownConceptError,
)
from circuitz.lexicon.edit_yaml import add_concept_to_file, add_override_to_file
from circuitz.lexicon.lexicon import Lexicon


def test_an_override_of_a_person_wins_over_file_and_wordnet_and_is_inherited():
    lexicon = Lexicon.from_text(
        "concepts:\n  snow: {kind: low-level}\n"
        "overrides:\n"
        "  - {concept: snow, kind: part, part_of: [dog], author: mira, reason: placebo}\n"
    )
    support = lexicon.support("snowy", "husky")
    assert support.verdict == "supports"
    assert "‘snow’ is part of a dog (override by mira)." in support.chain
    assert support.chain[-1].startswith("A husky is a dog (WordNet:")
    assert lexicon.support("snow", "car").verdict == "opposes"


def test_context_of_says_beside_and_not_part_whatever_the_kind():
    lexicon = Lexicon.load().with_override("tail", context_of=["dog"], author="ben")
    assert lexicon.support("curled tail", "husky").verdict == "opposes"
    assert "found beside a dog" in lexicon.support("tail", "husky").chain[0]
    assert lexicon.support("tail", "cat").verdict == "supports"
    assert lexicon.hash != Lexicon.load().hash


def test_what_several_people_say_adds_up_where_it_agrees():
    lexicon = Lexicon.from_text(
        "overrides:\n"
        "  - {concept: collar, kind: part, part_of: [dog], author: a}\n"
        "  - {concept: Collars, kind: part, part_of: [cat], author: b}\n"
    )
    assert {"dog", "cat"} <= set(lexicon.concept("collar").part_of)


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        ("kind: part", "kind: artefact", "kind ‘part’"),
        ("part_of: [dog]", "context_of: [dog]", "part of ‘dog’"),
        ("kind: part, is_a: ears", "is_a: tail", "is_a ‘ears’"),
    ],
)
def test_people_who_contradict_one_another_are_named(one: str, other: str, named: str):
    with pytest.raises(ContradictoryOverridesError, match=named) as caught:
        Lexicon.from_text(
            "overrides:\n"
            f"  - {{concept: collar, {one}, author: mira}}\n"
            f"  - {{concept: collar, {other}, author: ben}}\n"
        )
    assert "mira" in caught.value.message
    assert "ben" in caught.value.message
    assert "--replace" in caught.value.hint


def test_an_entry_that_contradicts_itself_is_named():
    with pytest.raises(ContradictoryOverridesError, match="only found beside"):
        Lexicon.from_text("concepts:\n  bone: {kind: part, part_of: [dog], context_of: [dog]}\n")
    with pytest.raises(ContradictoryOverridesError, match="only found beside"):
        Lexicon.load().with_override("ears", part_of=["dog"], context_of=["dog"])


@pytest.mark.parametrize(
    "text",
    [
        "concepts:\n  x: {kind: part, synonyms: [y]}\n  y: {kind: part, synonyms: [x]}\n",
        "concepts:\n  x: {kind: part, synonyms: [y]}\n  y: {kind: part, synonyms: [z]}\n"
        "  z: {kind: part, synonyms: [X]}\n",
        "concepts:\n  x: {kind: part, synonyms: [y]}\n"
        "overrides:\n  - {concept: y, kind: part, synonyms: [x], author: a}\n",
    ],
)
def test_synonyms_in_a_circle_are_named(text: str):
    with pytest.raises(CyclicSynonymsError, match="‘x’ → ‘y’") as caught:
        Lexicon.from_text(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("overrides: {x: 3}", "not a list"),
        ("overrides:\n  - 3", "names no concept"),
        ("overrides:\n  - {kind: part}", "names no concept"),
        ("overrides:\n  - {concept: snow, author: a}", "says nothing"),
        ("overrides:\n  - {concept: snow, colour: red}", "unknown fields: colour"),
        ("overrides:\n  - {concept: snow, kind: weather}", "unknown kind ‘weather’"),
        ("wordnet: perhaps", "‘wordnet’"),
    ],
)
def test_what_is_wrong_with_overrides_is_named(text: str, message: str):
    with pytest.raises(LexiconError, match=message) as caught:
        Lexicon.from_text(text)
    assert caught.value.hint


def test_an_unknown_concept_is_named_with_what_to_do():
    with pytest.raises(UnknownConceptError, match="Schneeflocke") as caught:
        Lexicon.load().concept("Schneeflocke")
    assert "circuitz concepts add" in caught.value.hint


def test_words_are_written_into_a_file_that_keeps_its_comments(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text("# ours\nversion: 1\nconcepts: # words\n    rust: {kind: part} # red\n")
    add_concept_to_file(path, "siren light", {"kind": "part", "part_of": ["fire engine"]})
    made = add_override_to_file(path, "fur", {"kind": "artefact"}, author="mira", reason="wigs")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ours\n")
    assert "rust: {kind: part} # red" in text
    assert made.kind("coat") == "artefact"
    again = Lexicon.load(path)
    assert again.hash == made.hash
    assert again.support("siren light", "fire engine").verdict == "supports"
    assert again.support("siren light", "dog").verdict == "opposes"
    assert again.support("wheels", "fire engine").verdict == "supports"  # still a vehicle
    with pytest.raises(LexiconError, match="which ‘rusts’ is a name of"):
        add_concept_to_file(path, "rusts", {"kind": "part"})


def test_a_contradiction_is_not_written_unless_it_replaces(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    add_override_to_file(path, "collar", {"kind": "part", "part_of": ["dog"]}, author="mira")
    add_override_to_file(path, "leash", {"kind": "part"}, author="mira")
    before = path.read_bytes()
    with pytest.raises(ContradictoryOverridesError):
        add_override_to_file(path, "collar", {"kind": "artefact"}, author="ben")
    with pytest.raises(LexiconError, match="needs a kind"):
        add_override_to_file(path, "flibber", {"part_of": ["dog"]}, author="ben")
    with pytest.raises(LexiconError, match="no category"):
        add_override_to_file(path, "collar", {"part_of": ["flibber"]}, author="ben")
    assert path.read_bytes() == before
    made = add_override_to_file(path, "collar", {"kind": "artefact"}, author="ben", replace=True)
    assert "override by ben" in made.support("collar", "dog").chain[0]
    assert made.concept("leash").source == "override by mira"
    assert [p.name for p in tmp_path.iterdir()] == ["mine.yaml"]


def test_a_section_on_one_line_is_refused(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text("concepts: {rust: {kind: part}}\n")
    with pytest.raises(LexiconError, match="on one line"):
        add_concept_to_file(path, "dent", {"kind": "part"})
    path.write_text("concepts: {}\noverrides: []\n")
    assert add_concept_to_file(path, "dent", {"kind": "part"}).kind("dent") == "part"
    assert (
        add_override_to_file(path, "dent", {"kind": "artefact"}, author="a").kind("dent")
        == "artefact"
    )


def test_whose_word_a_kind_rests_on_can_be_told():
    lexicon = Lexicon.from_text(
        "concepts:\n  rust: {kind: attribute}\n  snow: {synonyms: [firn]}\n"
        "overrides:\n  - {concept: grass, kind: part, author: mira}\n"
    ).with_override("sand", kind="part")
    assert lexicon.kind_origin("rusts") == "project"
    assert lexicon.kind_origin("firn") == "project"
    assert lexicon.kind_origin("grass") == lexicon.kind_origin("sand") == "person"
    assert lexicon.kind_origin("fluffy fur") == "shipped"
    assert lexicon.kind_origin("giraffe house") == "WordNet"
    assert lexicon.kind_origin("Schneeflocke") == "unknown"
