from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from circuitz.data.worlds.dog_parts import (
    ATTRIBUTES,
    BREED_COLOURS,
    BREED_PARTS,
    BREEDS,
    FIXED,
    distance_to_breeds,
)
from circuitz.lexicon.lexicon import Lexicon


def test_there_are_six_breeds_and_the_husky_comes_first():
    assert len(BREEDS) >= 6
    assert next(iter(BREEDS)) == "husky"
    assert tuple(ATTRIBUTES)[: len(FIXED)] == FIXED


def test_no_value_belongs_to_one_breed_alone():
    for i, name in enumerate(FIXED):
        for value in range(len(ATTRIBUTES[name])):
            assert (BREED_PARTS[:, i] == value).sum() >= 2, (name, value)
    for colour in range(len(ATTRIBUTES["colour"])):
        assert (colour == BREED_COLOURS).any(axis=1).sum() >= 2


def test_any_two_breeds_differ_in_at_least_four_attributes():
    for a, b in combinations(range(len(BREEDS)), 2):
        assert (BREED_PARTS[a] != BREED_PARTS[b]).sum() >= 4


def test_distances_count_differing_attributes():
    distances = distance_to_breeds(BREED_PARTS)
    assert (np.diag(distances) == 0).all()
    changed = BREED_PARTS[:1].copy()
    changed[0, 0] = 1
    assert distance_to_breeds(changed)[0, 0] == 1


def test_a_rater_who_sees_a_few_parts_wrongly_still_tells_the_breeds():
    rng = np.random.default_rng(0)
    breeds = rng.integers(len(BREEDS), size=4000)
    seen = BREED_PARTS[breeds].copy()
    for i, name in enumerate(FIXED):
        wrong = rng.random(len(seen)) < 0.04
        seen[wrong, i] = rng.integers(len(ATTRIBUTES[name]), size=int(wrong.sum()))
    assert (distance_to_breeds(seen).argmin(axis=1) == breeds).mean() > 0.99


def test_the_lexicon_knows_all_parts_and_no_breed():
    lexicon = Lexicon.load()
    assert not set(BREEDS) & set(lexicon.names())
    for values in ATTRIBUTES.values():
        for value in values:
            of_a_dog = lexicon.support(value, "dog")
            assert of_a_dog.verdict == "supports"
            # WordNet knows that a husky is a dog. Which ears it has must come out of D.
            for breed in BREEDS:
                of_a_breed = lexicon.support(value, breed)
                assert of_a_breed.verdict == "supports"
                assert of_a_breed.score == pytest.approx(of_a_dog.score, abs=0.005)
