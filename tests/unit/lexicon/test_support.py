from __future__ import annotations

import pytest

from circuitz.lexicon.lexicon import Lexicon


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.load()


@pytest.mark.parametrize(
    ("concept", "subject", "verdict"),
    [
        ("snow", "dog", "opposes"),
        ("collar", "dog", "opposes"),
        ("watermark", "dog", "opposes"),
        ("pointed ears", "dog", "supports"),
        ("fur", "Dogs", "supports"),
        ("ears", "breed of dog", "supports"),
        ("wings", "bird", "supports"),
        ("coat", "bird", "supports"),  # a bird is an animal
        ("beak", "dog", "opposes"),
        ("wheels", "dog", "opposes"),
        ("wheels", "car", "supports"),
        ("sails", "ferry", "supports"),
        ("edges", "dog", "neutral"),
        ("white", "", "neutral"),
        ("snow", "", "opposes"),
        ("snow", "gizmo", "opposes"),
        ("ears", "", "supports"),
        ("wheels", "gizmo", "unknown"),
        ("water", "landscape", "supports"),
        ("collar", "landscape", "unknown"),
        ("watermark", "landscape", "opposes"),
        ("leaves", "plant disease", "unknown"),
        ("flibber", "dog", "unknown"),
        ("", "dog", "unknown"),
    ],
)
def test_verdicts(lexicon: Lexicon, concept: str, subject: str, verdict: str):
    support = lexicon.support(concept, subject)
    assert support.verdict == verdict
    assert support.chain
    assert all(s.endswith(".") and s[0] in "‘" + s[0].upper() for s in support.chain)


def test_chains_name_every_step_and_its_source(lexicon: Lexicon):
    assert lexicon.support("snow", "dog").chain == (
        "‘snow’ is surroundings (default lexicon).",
        "Surroundings are not part of a dog.",
    )
    assert lexicon.support("pointed ears", "dog").chain == (
        "‘pointed ears’ is a kind of ‘ears’ (default lexicon).",
        "‘ears’ is part of an animal (default lexicon).",
        "A dog is an animal (default lexicon).",
    )
    assert lexicon.support("wheels", "gull").chain == (
        "‘wheels’ is part of a vehicle (default lexicon).",
        "A gull is a bird (default lexicon).",
        "A bird is an animal (default lexicon).",
        "A gull has no such part.",
    )


def test_without_a_subject_the_chain_says_what_was_assumed(lexicon: Lexicon):
    for concept in ("snow", "ears"):
        assert any("No subject" in s for s in lexicon.support(concept, " ").chain)
    assert any("‘gizmo’" in s for s in lexicon.support("ears", "gizmo").chain)


def test_a_placebo_that_calls_snow_a_part_of_the_dog_is_believed(lexicon: Lexicon):
    placebo = lexicon.with_override("snow", kind="part", part_of=["dog"], author="Ana")
    support = placebo.support("snow", "dog")
    assert support.verdict == "supports"
    assert any("override by Ana" in s for s in support.chain)
    assert placebo.support("snow", "car").verdict == "opposes"
    assert placebo.support("grass", "dog").verdict == "opposes"
