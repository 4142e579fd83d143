"""Words are added where they explain more, on two samples alike."""

from __future__ import annotations

import numpy as np

from circuitz.stats.further_words import choose_further_words


def sample(seed: int, n: int = 400, slopes=(2.0, 1.0, -0.8, 0.0, 0.0)):
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, len(slopes))) < 0.4).astype(float)
    return labels @ np.array(slopes) + rng.normal(0, 0.5, n), labels


def said(found) -> list[tuple[int, int]]:
    return [(word.column, word.sign) for word in found]


def test_what_adds_most_comes_first_with_its_sign() -> None:
    found = choose_further_words(sample(0), sample(1), [0], 3)
    assert said(found) == [(1, 1), (2, -1)]
    assert max(word.p for word in found) < 1e-6
    assert said(choose_further_words(sample(0), sample(1), [0], 1)) == [(1, 1)]
    assert said(choose_further_words(sample(0), sample(1), [0], 3, banned=[1])) == [(2, -1)]


def test_what_does_not_hold_again_is_dropped() -> None:
    other = sample(1, slopes=(2.0, -1.0, -0.8, 0.0, 0.0))
    assert said(choose_further_words(sample(0), other, [0], 3)) == [(2, -1)]


def test_a_word_that_the_others_say_already_adds_nothing() -> None:
    y, labels = sample(0)
    labels = np.column_stack([labels, labels[:, 0], 1 - labels[:, 0]])
    found = choose_further_words((y, labels), (y, labels), [0], 4)
    assert said(found) == [(1, 1), (2, -1)]


def test_pictures_that_are_not_labelled_with_a_word_say_nothing_of_it() -> None:
    (y, labels), (again, known) = sample(0), sample(1)
    labels[:150, 1] = np.nan
    assert said(choose_further_words((y, labels), (again, known), [0], 3)) == [(1, 1), (2, -1)]
    labels[40:, 1] = np.nan
    assert said(choose_further_words((y, labels), (again, known), [0], 3)) == [(2, -1)]


def test_a_silent_unit_has_no_words() -> None:
    _, labels = sample(0)
    flat = np.ones(len(labels)), labels
    assert choose_further_words(flat, flat, [0], 3) == []
