from __future__ import annotations

from dataclasses import replace

import pytest

from circuitz.cards.judged.comparison import COMPARE_OPTIONS, Reason
from circuitz.cards.judged.read_back import read_judged_answers
from circuitz.store.asking import AskedQuestion, judgement_of_answer
from circuitz.store.judgement import Judgement


@pytest.fixture
def cards(make_card):
    return [make_card({"snow": 0.6, "pointed ears": 0.2}), make_card({"pointed ears": 0.2})]


def compared(a: str, b: str, choice: str, n: int = 0, rater: str = "mira", **more) -> Judgement:
    question = AskedQuestion("compare", (a, b), COMPARE_OPTIONS, seed=3)
    return judgement_of_answer(
        question, {"choice": choice, **more}, task="t", rater=rater, rater_kind="simulated",
        answered=f"2026-01-01T00:00:{n:02}+00:00",
    )  # fmt: skip


def labelled(choice: str, n: int = 0, arm: str = "hidden", card: str = "c", **more) -> Judgement:
    items = ("picture", "activity") if arm == "hidden" else ("picture",)
    question = AskedQuestion(
        "label", items, ("husky", "corgi"), arm=arm, card_hash=card, z_hash="z"
    )
    return judgement_of_answer(
        question, {"choice": choice, **more}, task=f"t{n}", rater="mira", rater_kind="person",
        answered=f"2026-01-01T00:01:{n:02}+00:00",
    )  # fmt: skip


def test_a_comparison_is_read_back_with_all_that_was_said(cards) -> None:
    a, b = (card.hash for card in cards)
    row = compared(
        a, b, "b", seconds=2.5, note="no ears",
        reasons=[{"side": "a", "class": "husky", "words": "snow", "part": "arrow"}],
    )  # fmt: skip
    (one,) = read_judged_answers([row], cards).comparisons
    assert (one.outcome, one.preferred, one.near, one.seconds) == ("b", b, True, 2.5)
    assert one.reasons == (Reason("a", "husky", "snow", "arrow"),)
    assert (one.note, one.rater_kind, one.id) == ("no ears", "simulated", row.id)
    assert one.mirrored().outcome == "a"
    assert one.mirrored().preferred == b
    assert one.mirrored().reasons[0].side == "b"


def test_a_mirrored_repeat_names_what_it_repeats_and_a_contradiction_is_named(cards) -> None:
    a, b = (card.hash for card in cards)
    first, again = compared(a, b, "a", 1), compared(b, a, "a", 2)
    other = compared(a, b, "b", 3, rater="jon")
    found = read_judged_answers([again, other, first], cards)
    assert [one.repeat_of for one in found.comparisons] == ["", first.id, ""]
    (problem,) = found.problems
    assert problem.kind == "contradiction"
    assert set(problem.ids) == {first.id, again.id}
    assert "mira" in problem.text
    agreeing = read_judged_answers([first, compared(b, a, "b", 2)], cards)
    assert not agreeing.problems


def test_rows_about_unknown_cards_are_named_and_kept(cards) -> None:
    a, b = (card.hash for card in cards)
    rows = [compared(a, "gone", "a"), compared(a, b, "equal"), labelled("husky", card="gone")]
    found = read_judged_answers(rows, cards)
    assert len(found.comparisons) == 1
    assert not found.class_answers
    assert [p.kind for p in found.problems] == ["unknown card"] * 2
    assert {row.id for row in found.left_out} == {rows[0].id, rows[2].id}
    assert len(read_judged_answers(rows).comparisons) == 2


def test_withdrawn_and_replaced_rows_do_not_count_and_are_not_lost(cards) -> None:
    a, b = (card.hash for card in cards)
    first = compared(a, b, "a", 1)
    second = replace(compared(a, b, "b", 2), key="second", supersedes=first.id)
    back = replace(second, id="back", key="third", answer=None, supersedes=second.id)
    found = read_judged_answers([first, second], cards)
    assert [one.outcome for one in found.comparisons] == ["b"]
    assert [row.id for row in found.withdrawn] == [first.id]
    gone = read_judged_answers([first, second, back], cards)
    assert not gone.comparisons
    assert {row.id for row in gone.withdrawn} == {first.id, second.id, "back"}
    # Without a row that says so, the newer of two answers to one question counts.
    newer = replace(compared(a, b, "equal", 4), key="fourth", id="fourth")
    assert [c.outcome for c in read_judged_answers([newer, first], cards).comparisons] == ["equal"]


@pytest.mark.parametrize("kind", ["label", "label: shown", "label-again", "label-again: hidden"])
def test_class_answers_of_both_arms_and_of_earlier_packs_are_read(kind: str) -> None:
    row = replace(labelled("husky", probabilities={"husky": 0.7, "corgi": 0.3}), kind=kind)
    (one,) = read_judged_answers([row]).class_answers
    assert one.arm == ("hidden" if "hidden" in kind else "shown")
    assert one.repeat is ("again" in kind)
    assert (one.item, one.activity_hash, one.choice) == ("picture", "activity", "husky")
    assert one.probabilities["corgi"] == 0.3
    assert one.names_class


def test_who_says_two_things_of_one_input_is_named_and_who_cannot_tell_is_not() -> None:
    rows = [labelled("husky", 1), labelled("corgi", 2), labelled("cannot tell", 3)]
    found = read_judged_answers(rows)
    assert len(found.class_answers) == 3
    (problem,) = found.problems
    assert problem.kind == "contradiction"
    assert set(problem.ids) == {rows[0].id, rows[1].id}


def test_hypotheses_keep_chips_text_and_target() -> None:
    question = AskedQuestion("hypothesis", ("output:husky",), ("snow", "尖った耳"), z_hash="z")
    row = judgement_of_answer(
        question, {"words": ["尖った耳"], "text": "curled tail; snow\n"}, task="t", rater="mira",
        rater_kind="person",
    )  # fmt: skip
    (one,) = read_judged_answers([row]).hypotheses
    assert one.class_name == "husky"
    assert one.is_about_class
    assert one.phrases == ("尖った耳", "curled tail", "snow")


def test_every_row_is_somewhere_and_what_is_malformed_is_named(cards) -> None:
    a, b = (card.hash for card in cards)
    rows = [
        compared(a, b, "a"), compared(b, a, "sideways"), compared(a, a, "a"), labelled("wolf", 1),
        labelled("husky", 2), replace(compared(a, b, "a", 5), kind="concept: snow", id="c"),
        replace(labelled("husky", 3), kind="hypothesis", answer={"words": "snow"}, id="h"),
        compared(a, b, "b", 6, rater="jon", reasons=[{"side": "left"}]),
    ]  # fmt: skip
    found = read_judged_answers(rows)
    parts = (found.comparisons, found.class_answers, found.hypotheses, found.withdrawn,
             found.left_out, found.other_kinds)  # fmt: skip
    assert sum(map(len, parts)) == len(rows)
    assert {p.kind for p in found.problems} == {"malformed"}
    assert len(found.problems) == 5
    assert [row.id for row in found.other_kinds] == ["c"]


def test_ten_thousand_rows_are_read(cards) -> None:
    a, b = (card.hash for card in cards)
    row = compared(a, b, "a")
    rows = [replace(row, id=f"{i}", rater=f"r{i}") for i in range(10_000)]
    assert len(read_judged_answers(rows, cards).comparisons) == 10_000
