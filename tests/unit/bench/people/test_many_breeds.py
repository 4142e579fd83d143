"""Twelve breeds of four parts each: what is drawn, and that a card of them is worth having."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.bench.people.many_breeds import ManyBreedsSizes, PairedBreeds, many_breeds_figures


def test_breeds_come_in_pairs_that_differ_in_one_part():
    breeds = PairedBreeds.drawn(0.85, 3)
    assert len(breeds.parts) == 12
    assert len({tuple(sorted(parts.items())) for parts in breeds.parts}) == 12
    for one, twin in zip(breeds.parts[::2], breeds.parts[1::2], strict=True):
        assert len(one) == 4
        assert one.keys() == twin.keys()
        assert sum(one[topic] != twin[topic] for topic in one) == 1


@pytest.mark.parametrize("tied", [True, False])
def test_d_ties_a_ground_to_the_first_breed_and_d_prime_does_not(tied: bool):
    breeds = PairedBreeds.drawn(1.0, 0)
    shown = breeds.pictures(40, tied=tied, seed=1)
    first = shown.labels == 0
    snow = shown.shows[:, shown.words.index("snow")]
    assert bool(snow[first].all() and not snow[~first].any()) is tied
    mine = [shown.words.index(part) for part in breeds.parts[5].values()]
    assert shown.shows[np.ix_(shown.labels == 5, mine)].all()


def test_the_card_beats_sixty_looks_and_permuted_words():
    (row,) = many_breeds_figures(
        typical=(1.0,), seeds=(0,), sizes=ManyBreedsSizes(per_breed=60, labelled=36)
    )
    assert row["no_card"] == pytest.approx(1 / 12)
    assert row["permuted"] < 0.2
    assert row["zstar"] > row["permuted"] + 0.2
    assert row["zstar"] <= row["optimal"]
