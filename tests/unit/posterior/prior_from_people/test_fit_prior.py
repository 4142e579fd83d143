"""M_prior learned from people who think in another form than it does."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import circuitz as cz
from circuitz.cards.card import Card
from circuitz.cards.judged.comparison import Comparison
from circuitz.errors import PosteriorError
from circuitz.posterior.prior_from_people.fit_prior import calibrate_prior
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior

from .conftest import PARTS, SURROUNDINGS, Crowd, cue, opinion, permuted, random_card


@pytest.fixture(scope="module")
def prior(comparisons: list[Comparison], pool: list[Card]) -> FittedPrior:
    return cz.fit_prior(comparisons, pool)


@pytest.fixture(scope="module")
def new_cards() -> list[Card]:
    rng = np.random.default_rng(99)
    return [random_card(rng) for _ in range(60)]


def changed(card: Card, **fields: object) -> Card:
    return replace(card, classes=(replace(card.classes[0], **fields), *card.classes[1:]))


def test_new_cards_are_ranked_as_people_think_of_them(prior, new_cards):
    thought = [opinion(card) for card in new_cards]
    assert np.corrcoef(thought, prior.scores(new_cards))[0, 1] > 0.85


def test_choices_of_fresh_people_about_new_cards_are_foretold(prior, new_cards):
    fresh = calibrate_prior(prior, Crowd(seed=5).compare_pool(new_cards, 600), new_cards)
    assert fresh.foretells
    assert fresh.share_of_ceiling > 0.85
    assert 0.5 < fresh.slope.estimate < 1.6
    assert fresh.log_loss < 1.0 < np.log(4)


def test_people_left_out_of_the_fit_are_foretold(prior):
    held = prior.calibration
    assert held.held_out == "raters"
    assert held.accuracy.low > 0.7
    assert held.slope.low <= 1.25
    assert held.slope.high >= 0.8


def test_preferences_drawn_by_lot_teach_nothing(comparisons, pool, new_cards):
    blind = cz.fit_prior(permuted(comparisons), pool, members=0)
    fresh = calibrate_prior(blind, Crowd(seed=5).compare_pool(new_cards, 400), new_cards)
    assert abs(fresh.accuracy.estimate - 0.5) < 0.2
    assert not blind.calibration.accuracy.low > 0.55


def test_words_nobody_judged_are_told_by_wordnet(prior):
    parts = [prior.word_weight(w) for w in ("nose", "pointed beak", "left wing", "claws", "mane")]
    around = [prior.word_weight(w) for w in ("ice", "mud", "frost", "gravel", "rain")]
    above = np.array(parts)[:, None] > np.array(around)
    assert above.mean() > 0.8


def test_without_word_features_new_words_are_alike(comparisons, pool):
    plain = cz.fit_prior(comparisons, pool, words="none", members=0)
    assert plain.word_weight("nose") == plain.word_weight("mud") == 0
    assert plain.word_weight(PARTS[0]) > plain.word_weight(SURROUNDINGS[0])
    shuffled = cz.fit_prior(comparisons, pool, words="shuffled", members=0)
    assert shuffled.word_weight("nose") in {
        float(row @ shuffled.weights.gamma) for row in cz_rows(shuffled.words)
    }


def cz_rows(words: tuple[str, ...]) -> np.ndarray:
    from circuitz.posterior.prior_from_people.word_indicators import word_indicators

    return word_indicators(words)


def test_scale_and_level(prior, new_cards):
    s = prior.scores(new_cards)
    rejected = [prior.rejection_probability(card) for card in new_cards]
    assert np.allclose(rejected, 1 / (1 + np.exp(s)))
    best = new_cards[int(s.argmax())]
    assert prior.log_prior(best).value == pytest.approx(s.max() - prior.pool.log_sum)
    above = replace(best, classes=tuple(
        replace(e, cues=tuple(cue(w, 0.8) for w in PARTS), unexplained=(0, 0, 0), wordless=0.0)
        for e in best.classes
    ))  # fmt: skip
    assert prior.log_prior(above).above_pool
    assert not prior.log_prior(new_cards[int(s.argmin())]).above_pool


def test_the_pool_s_shares_sum_to_one(prior, pool):
    assert np.exp([prior.log_prior(card).value for card in pool]).sum() == pytest.approx(1)


def test_a_crowd_that_rejects_all_puts_the_level_lower(pool):
    def grim(card: Card) -> float:
        return opinion(card) - 3

    low = cz.fit_prior(Crowd(seed=1, mind=grim).compare_pool(pool, 200), pool, members=0)
    high = cz.fit_prior(Crowd(seed=1).compare_pool(pool, 200), pool, members=0)
    assert np.mean([low.rejection_probability(card) for card in pool]) > 0.6
    assert np.mean([high.rejection_probability(card) for card in pool]) < 0.5


def test_parts_of_an_explanation_sum_to_the_score(prior, new_cards):
    for card in new_cards[:10]:
        explained = prior.explain(card)
        assert explained.score == pytest.approx(prior.score(card))
        assert sum(part.added for part in explained.parts) == pytest.approx(explained.score)
    husky = changed(new_cards[0], cues=(cue("snow", 0.8), *new_cards[0].classes[0].cues))
    added = [p.added for p in prior.explain(husky).parts if p.what == "snow" and p.class_name]
    assert min(added) < 0


def test_where_a_card_came_from_and_the_order_of_cards_do_not_matter(prior, comparisons, pool):
    assert prior.score(replace(pool[0], z_hash="another")) == prior.score(pool[0])
    again = cz.fit_prior(comparisons, pool[::-1])
    assert again.hash == prior.hash


def test_mirroring_every_comparison_changes_nothing(prior, comparisons, pool):
    mirrored = cz.fit_prior([c.mirrored() for c in comparisons], pool, members=0)
    assert np.allclose(mirrored.scores(pool), prior.scores(pool), atol=0.02)


def test_no_reward_for_leaving_a_test_out(prior, pool):
    """Neither sign of a word gains or loses but by what its trust says."""
    good = cue("pointed ears", 0.6, low=0.9)
    untested = replace(
        good, matches=tuple(
            m if m.population == "concepts" else replace(m, verdict="untested", low=None)
            for m in good.matches
        ),
    )  # fmt: skip
    failing = cue("pointed ears", 0.6, fails=True)
    by_trust = [prior.score(changed(pool[0], cues=(c,))) for c in (good, untested, failing)]
    assert by_trust[0] > by_trust[1] > by_trust[2]


def test_json_brings_back_the_same_prior(prior, new_cards):
    back = FittedPrior.from_json(json.loads(json.dumps(prior.to_json())))
    assert back.hash == prior.hash
    assert np.array_equal(back.scores(new_cards), prior.scores(new_cards))
    assert np.array_equal(back.score_error(new_cards), prior.score_error(new_cards))
    assert back.calibration == prior.calibration


def test_a_prior_of_schema_1_trusts_words_as_it_did(prior, new_cards):
    record = {**prior.to_json(), "schema": 1}
    del record["trust"]
    back = FittedPrior.from_json(record)
    assert back.trust == "lower limit"
    assert not np.allclose(back.scores(new_cards), prior.scores(new_cards))
    assert FittedPrior.from_json(back.to_json()).hash == back.hash
    parts = back.explain(new_cards[0])
    assert sum(part.added for part in parts.parts) == pytest.approx(back.score(new_cards[0]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", 99), ("trust", "hearsay"), ("words", ["one"]), ("indicators", "x"), ("features", "lexicon"),
        ("weights", {}), ("log_ties", float("nan")), ("pool", None), ("members", [{"beta": []}]),
        ("scales", {"drive": 0}),
    ],
)  # fmt: skip
def test_a_changed_file_is_named(prior, field: str, value: object):
    with pytest.raises(PosteriorError):
        FittedPrior.from_json({**prior.to_json(), field: value})


def test_errors_of_members_are_larger_with_fewer_comparisons(comparisons, pool, prior):
    few = cz.fit_prior(comparisons[:70], pool)
    assert few.score_error(pool).mean() > 0.7 * prior.score_error(pool).mean()
    assert np.isnan(cz.fit_prior(comparisons[:70], pool, members=0).score_error(pool)).all()


class TestOddAnswers:
    def test_contradictions_all_count_and_are_told(self, pool):
        one = Comparison(pool[0].hash, pool[1].hash, "a", rater="ann")
        prior = cz.fit_prior([one, replace(one, outcome="b")] * 3, pool[:2], members=1)
        assert any("both ways" in remark for remark in prior.remarks)
        assert prior.score(pool[0]) == pytest.approx(prior.score(pool[1]), abs=0.05)

    def test_one_rater_is_told(self, pool):
        prior = cz.fit_prior(Crowd(raters=1).compare_pool(pool, 80), pool, members=2)
        assert any("One rater" in remark for remark in prior.remarks)
        assert prior.calibration.held_out == "cards"

    def test_ties_alone_are_told(self, comparisons, pool):
        ties = [replace(c, outcome="equal") for c in comparisons[:80]]
        prior = cz.fit_prior(ties, pool, members=0)
        assert any("Nobody preferred" in remark for remark in prior.remarks)
        assert prior.calibration.accuracy is None
        assert not prior.calibration.foretells
        assert np.ptp(prior.scores(pool)) < 1.0

    def test_groups_that_nothing_connects_are_told(self, pool):
        crowd = Crowd(seed=3)
        apart = [*crowd.compare_pool(pool[:10], 30), *crowd.compare_pool(pool[10:20], 30)]
        prior = cz.fit_prior(apart, pool[:20], members=0)
        assert any("2 groups" in remark for remark in prior.remarks)

    def test_cards_that_are_not_there_are_left_out_and_counted(self, comparisons, pool):
        prior = cz.fit_prior(comparisons, pool[:40], members=0)
        gone = prior.counts["unknown card"]
        assert 0 < gone < len(comparisons)
        assert any(f"{gone} comparisons" in remark for remark in prior.remarks)

    def test_who_cannot_tell_teaches_nothing_and_is_counted(self, comparisons, pool):
        unsure = [replace(c, outcome="cannot tell") for c in comparisons[:30]]
        prior = cz.fit_prior([*comparisons[:100], *unsure], pool, members=0)
        assert prior.counts["cannot tell"] == 30
        plain = cz.fit_prior(comparisons[:100], pool, members=0)
        assert np.array_equal(prior.scores(pool), plain.scores(pool))

    def test_nothing_to_learn_from_is_an_error(self, pool):
        nothing = [Comparison(pool[0].hash, pool[1].hash, "cannot tell", rater="ann")]
        for answers in ([], nothing):
            with pytest.raises(PosteriorError, match="None of"):
                cz.fit_prior(answers, pool)
        with pytest.raises(PosteriorError, match="itself"):
            cz.fit_prior([Comparison(pool[0].hash, pool[0].hash, "a")], pool)
        with pytest.raises(PosteriorError, match="no outcome"):
            cz.fit_prior([Comparison(pool[0].hash, pool[1].hash, "maybe")], pool)
        with pytest.raises(PosteriorError, match="members"):
            cz.fit_prior([Comparison(pool[0].hash, pool[1].hash, "a")], pool, members=-1)

    def test_one_answer_one_class_no_figures_and_other_scripts(self):
        cards = [
            Card((replace(random_card(np.random.default_rng(0)).classes[0],
                          cues=(replace(cue(word, 0.4), matches=()),), unexplained=None,
                          wordless=None),))
            for word in ("尖耳朵", "снег")
        ]  # fmt: skip
        prior = cz.fit_prior([Comparison(cards[0].hash, cards[1].hash, "a", rater="ann")], cards)
        assert prior.score(cards[0]) > prior.score(cards[1])
        assert np.isfinite(prior.scores([*cards, Card(())])).all()

    @pytest.mark.slow
    def test_ten_thousand_answers(self, pool):
        many = Crowd(seed=4, raters=20).compare_pool(pool, 10_000)
        prior = cz.fit_prior(many, pool, members=1)
        assert sum(prior.counts.values()) == 10_000
        assert prior.calibration.accuracy.low > 0.75
