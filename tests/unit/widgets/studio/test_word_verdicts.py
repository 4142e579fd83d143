from __future__ import annotations

import json

from circuitz.plausibility.check import check
from circuitz.widgets.studio.word_verdicts import word_verdicts_payload
from circuitz.z.word_match import units_bearing_words
from circuitz.z.word_tests import WordTest, with_word_tests


def test_every_word_comes_with_its_verdict_on_each_population(z) -> None:
    words = check(z).words
    concept, units = next(iter(units_bearing_words(words, z.cut).items()))
    test = WordTest(
        concept,
        "D'",
        "search",
        "fails",
        0.5,
        0.3,
        0.7,
        15,
        31,
        0.05,
        12,
        units,
        z.weights_hash,
        "f",
    )
    tested = with_word_tests(z, [test])
    shown = word_verdicts_payload(tested, words)
    json.dumps(shown, allow_nan=False)
    assert len(shown) == sum(word.match.population == "concepts" for word in words)
    mine = [row for row in shown if row["concept"] == concept and set(row["units"]) <= set(units)]
    assert mine
    for row in mine:
        assert [m["population"] for m in row["matches"]] == ["the concept set", "D", "D′"]
        assert [m["verdict"] for m in row["matches"]] == ["holds", "untested", "fails"]
        assert row["matches"][2]["text"] == "does not hold on D′ (31 answers)"
        assert row["matches"][0]["n"] > 0
