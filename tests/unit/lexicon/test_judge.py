from __future__ import annotations

import pytest

from circuitz.lexicon.lexicon import Lexicon


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.load()


@pytest.mark.parametrize(
    ("concept", "subject", "verdict"),
    [
        ("trunk", "elephant", "supports"),
        ("trunk", "car", "supports"),
        ("trunk", "oak tree", "supports"),
        ("tree trunk", "owl", "opposes"),
        ("coat", "husky", "supports"),
        ("fluffy coat", "husky", "supports"),
        ("collar", "shirt", "supports"),
        ("collar", "dog", "opposes"),
        ("wheel", "fire engine", "supports"),
        ("wheel", "elephant", "opposes"),
        ("beak", "dog", "opposes"),
        ("TYRES", "school-bus", "supports"),
        ("river bank", "canoe", "opposes"),
        ("water reflection", "swan", "opposes"),
        ("sand", "beach", "supports"),
        ("sand", "camel", "opposes"),
        ("four-legged", "dog", "neutral"),
        ("ear", "hot dog", "opposes"),
        ("petals", "rose", "supports"),
        ("bee", "rose", "opposes"),
        ("snow", "husky", "opposes"),
        ("copyright caption", "helicopter", "opposes"),
        ("Schneeflocke", "dog", "unknown"),
        ("снег", "dog", "unknown"),
        ("雪", "dog", "unknown"),
    ],
)
def test_verdicts(lexicon: Lexicon, concept: str, subject: str, verdict: str):
    found = lexicon.support(concept, subject)
    assert found.verdict == verdict, found.chain
    assert found.chain
    assert 0 <= found.score <= 1
    assert (found.verdict == "unknown") == (concept not in lexicon)


def test_classes_that_are_no_things_oppose_nothing(lexicon: Lexicon):
    # WordNet also calls a finger a digit; a net that reads digits is not about fingers.
    alone = Lexicon(lexicon.concepts, lexicon.categories, wordnet=False)
    for name in lexicon.names():
        expected = alone.support(name, "digit").verdict
        assert lexicon.support(name, "digit").verdict == expected, name


def test_wordnet_changes_nothing_for_the_dog_world(lexicon: Lexicon):
    alone = Lexicon(lexicon.concepts, lexicon.categories, wordnet=False)
    differ = [
        name
        for name in lexicon.names()
        if alone.support(name, "dog").verdict != lexicon.support(name, "dog").verdict
    ]
    assert set(differ) <= {"hands", "lid"}  # WordNet calls forepaws and eyelids so


def test_scores_put_parts_first_and_surroundings_last(lexicon: Lexicon):
    order = ["ears", "four-legged", "webbed feet", "snow"]
    scores = [lexicon.support(name, "husky").score for name in order]
    assert scores == sorted(scores, reverse=True)


def test_what_a_file_takes_away_wordnet_does_not_bring_back():
    project = Lexicon.from_text("concepts:\n  grass: null\n")
    assert "grass" not in project
    assert project.support("grass", "dog").verdict == "unknown"
    again = Lexicon.from_text(project.to_text())
    assert again.hash == project.hash
    assert "grass" not in again
    assert project.with_override("grass", kind="part").kind("grass") == "part"


def test_wordnet_can_be_left_out():
    for text in ("wordnet: false\n", "extends: none\nconcepts:\n  rust: {kind: part}\n"):
        project = Lexicon.from_text(text)
        assert project.support("petals", "rose").verdict in ("supports", "unknown")
        assert "hubcap of sorts" not in project
        assert "siren" not in project
    assert "siren" in Lexicon.load()
    assert Lexicon.from_text("wordnet: false\n").hash != Lexicon.load().hash


@pytest.mark.parametrize("subject", ["poodle", "greyhound", "heron", "waterbird", "gull"])
def test_no_class_of_animals_is_made_by_its_surroundings(lexicon: Lexicon, subject: str):
    outside = (*lexicon.names("surroundings"), *lexicon.names("artefact"))
    assert [n for n in outside if lexicon.support(n, subject).verdict == "supports"] == []
