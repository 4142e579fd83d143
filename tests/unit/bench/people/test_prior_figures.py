"""M_prior's figures on a pool in miniature: whole lineages are held out, and nothing is invented."""

from circuitz.bench.people.pool_split import some_of, split_by_lineage
from circuitz.bench.people.pooled_z import PooledZ
from circuitz.bench.people.prior_controls import (
    card_with_d_for_d_prime,
    card_with_figures_blanked,
    card_with_words_blanked,
    legitimate_drive,
)
from circuitz.bench.people.prior_figures import PriorSizes, study_prior
from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.z.word_match import WordMatch

SIZES = PriorSizes(
    zs=20, comparisons=80, twice=10, held_zs=10, held_pairs=30, held_raters=1,
    fits=1, left_out=("averse",),
)  # fmt: skip


def test_split_holds_out_whole_lineages(painted_pool: tuple[PooledZ, ...]) -> None:
    train, held = split_by_lineage(painted_pool, 3)
    assert {z.lineage for z in train}.isdisjoint(z.lineage for z in held)
    assert len(train) + len(held) == len(painted_pool)
    few = some_of(train, 5, 0)
    assert len({z.card.hash for z in few}) == len(few) == 5


def test_prior_is_fitted_on_some_lineages_and_tried_on_others(
    painted_pool: tuple[PooledZ, ...],
) -> None:
    study = study_prior(painted_pool, sizes=SIZES)
    figures = study.figures
    for key in ("pairs", "accuracy", "ceiling", "slope", "twin_rate", "new_words", "shuffled",
                "family_out", "birds"):  # fmt: skip
        assert key in figures
    assert figures["pairs"] <= SIZES.comparisons
    assert {j.rater_kind for j in study.learned_from.judgements} == {"simulated"}
    raters = {c.rater for c in study.learned_from.comparisons}
    assert raters.isdisjoint(c.rater for c in study.fresh.comparisons)
    assert set(study.learned_from.cards).isdisjoint(study.fresh.cards)
    assert 0.5 < figures["accuracy"] <= 1
    assert 0.5 <= figures["ceiling"] <= 1
    assert not figures["new_words"]["compared_before"]


def test_controls_take_away_what_they_say() -> None:
    matches = (WordMatch("concepts", "holds"), WordMatch("D", "holds"), WordMatch("D'", "fails"))
    card = Card(
        (
            ClassEntry("husky", (Cue("snow", ("snow",), ("u:1",), 0.5, matches=matches),), (0.1, 0, 1)),
            ClassEntry("corgi", (Cue("short legs", ("short legs",), ("u:2",), 0.3),), (0.2, 0, 1)),
        )
    )  # fmt: skip
    assert card_with_words_blanked(card).concepts == ()
    assert card_with_words_blanked(card).classes[0].cues[0].strength == 0.5
    blank = card_with_figures_blanked(card)
    assert {c.strength for e in blank.classes for c in e.cues} == {0.1}
    assert blank.classes[0].unexplained is None
    swapped = card_with_d_for_d_prime(card).classes[0].cues[0]
    assert [m.verdict for m in swapped.matches] == ["holds"] * 3
    assert swapped.matches[2].population == "D'"
    part = {"snow": True, "short legs": True}
    # Failing on D' counts as no part, whatever was said of the word.
    assert legitimate_drive(card, part) == (-0.1 - 0.5 - 0.2 + 0.3) / 2
