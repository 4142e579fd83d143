"""What WordNet says of words, over all their senses."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.posterior.prior_from_people.word_indicators import (
    INDICATORS,
    indicators_for_fit,
    word_indicators,
)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("pointed ears", "body part"), ("curled tail", "body part"), ("short legs", "body part"), ("paw", "body part"),
        ("dog", "animal or person"), ("snow", "substance or weather"),
        ("sky", "natural object or place"), ("tall grass", "plant or food"),
        ("checkerboard", "artifact"), ("white", "attribute or shape"),
        ("zzz blorb", "nothing to be seen"), ("снег", "nothing to be seen"),
        ("", "nothing to be seen"),
    ],
)  # fmt: skip
def test_the_largest_share(word: str, kind: str):
    row = word_indicators([word])[0]
    assert INDICATORS[int(row.argmax())] == kind
    assert row.sum() == pytest.approx(1)


def test_an_ambiguous_word_is_a_little_of_each():
    tag = word_indicators(["coat"])[0]
    assert tag[INDICATORS.index("artifact")] > tag[INDICATORS.index("body part")] > 0


def test_ablations():
    words = ("ear", "snow", "sky", "collar")
    assert not indicators_for_fit(words, "none", 0).any()
    shuffled = indicators_for_fit(words, "shuffled", 0)
    plain = word_indicators(words)
    assert not (shuffled == plain).all(1).any()
    assert np.allclose(sorted(shuffled.tolist()), sorted(plain.tolist()))
