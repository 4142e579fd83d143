from __future__ import annotations

from dataclasses import replace

from circuitz.cards.card import Agreement, Card, ClassEntry, Cue
from circuitz.cards.judged.card_differences import card_difference
from circuitz.z.word_match import WordMatch


def renamed(card: Card, old: str, new: str) -> Card:
    """The card with one word on all its units replaced by another."""
    return replace(
        card,
        classes=tuple(
            replace(
                e,
                cues=tuple(replace(c, words=new) if c.words == old else c for c in e.cues),
            )
            for e in card.classes
        ),
    )


def test_a_card_does_not_differ_from_itself(make_card) -> None:
    one = make_card({"snow": 0.6, "pointed ears": 0.2})
    found = card_difference(one, replace(one, z_hash="other"))
    assert found.changes == 0
    assert not found.cues
    assert found.near


def test_a_word_on_one_side_alone_is_one_change(make_card) -> None:
    found = card_difference(
        make_card({"snow": 0.6, "pointed ears": 0.2}), make_card({"pointed ears": 0.2})
    )
    assert found.cues == {("husky", "snow")}
    assert found.changes == 1
    assert found.near
    assert found.classes == {"husky"}


def test_a_renaming_over_several_classes_is_one_change(make_card) -> None:
    one = make_card({"snow": 0.6}, {"snow": -0.3, "short legs": 0.5})
    found = card_difference(one, renamed(one, "snow", "pointed ears"))
    assert found.changes == 1
    assert found.near
    assert found.words == {"snow", "pointed ears"}
    assert found.classes == {"husky", "corgi"}


def test_strength_counts_where_it_shows_and_sign_always(make_card) -> None:
    one = make_card({"snow": 0.6})
    assert card_difference(one, make_card({"snow": 0.61})).changes == 0
    assert card_difference(one, make_card({"snow": 0.5})).words == {"snow"}
    assert card_difference(make_card({"snow": 0.01}), make_card({"snow": -0.005})).changes == 1


def test_a_word_that_fails_on_one_card_is_a_change(make_card) -> None:
    one = make_card({"snow": 0.6})
    failed = replace(one.classes[0].cues[0], matches=(WordMatch("D", "fails"),))
    other = replace(one, classes=(replace(one.classes[0], cues=(failed,)), one.classes[1]))
    assert card_difference(one, other).cues == {("husky", "snow")}


def test_two_edits_are_far_and_figures_alone_are_one_change(make_card) -> None:
    one = make_card({"snow": 0.6, "pointed ears": 0.2})
    assert not card_difference(one, make_card({"fluffy coat": 0.4})).near
    unexplained = replace(
        one, classes=(replace(one.classes[0], unexplained=(0.4, 0.3, 0.5)), *one.classes[1:])
    )
    found = card_difference(one, unexplained)
    assert (found.changes, found.classes, found.words) == (1, {"husky"}, set())
    agreeing = replace(one, agreement=(Agreement("D", 0.9, 0.8, 1.0, 40),))
    assert card_difference(one, agreeing).changes == 1


def test_units_names_do_not_count() -> None:
    cards = [
        Card((ClassEntry("husky", (Cue("snow", (), (unit,), 0.6),)),)) for unit in ("a:1", "b:2")
    ]
    assert card_difference(*cards).changes == 0
