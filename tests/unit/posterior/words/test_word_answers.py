from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuitz.posterior.words.word_answers import merge_answers_about_words
from circuitz.store.asking import AskedQuestion
from circuitz.store.judgement import Judgement
from tests.unit.posterior.words.conftest import answer_to

CHOICES = ("yes", "no", "cannot tell", "not usable")


def question(picture: str, word: str = "snow") -> AskedQuestion:
    return AskedQuestion("shows", (picture,), ("yes", "no"), word=word)


def merged(*choices: str) -> str | None:
    rows = [answer_to(question("a"), c, name=f"rater {i}") for i, c in enumerate(choices)]
    found = merge_answers_about_words(rows).about("snow", "a")
    return None if found is None else found.choice


@pytest.mark.parametrize(
    ("choices", "together"),
    [
        (["yes"], "yes"),
        (["yes", "no"], "cannot tell"),
        (["yes", "no", "no"], "no"),
        (["yes", "cannot tell", "cannot tell"], "cannot tell"),
        (["yes", "no", "cannot tell"], "cannot tell"),
        (["yes", "yes", "not usable"], "yes"),
        (["not usable"], None),
        (["yes", "not usable"], None),
    ],
)
def test_one_answer_a_picture_and_word(choices: list[str], together: str | None) -> None:
    assert merged(*choices) == together


@given(st.lists(st.sampled_from(CHOICES), min_size=1, max_size=9), st.randoms())
def test_the_order_of_raters_changes_nothing(choices: list[str], lot: object) -> None:
    shuffled = list(choices)
    lot.shuffle(shuffled)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert merged(*choices) == merged(*shuffled)


def test_a_rater_counts_once_by_the_newest_answer_whatever_task_asked() -> None:
    rows = [
        answer_to(question("a"), "no", answered="2026-02-01T10:00:00+00:00"),
        answer_to(question("a"), "yes", answered="2026-01-01T10:00:00+00:00"),
        answer_to(question("a"), "yes", kind="simulated"),
        answer_to(question("a", "ears"), "yes"),
    ]
    found = merge_answers_about_words(rows)
    both = found.about("snow", "a")
    assert both is not None
    assert both.choice == "cannot tell", "a person and a simulated rater of one name are two"
    assert both.disputed
    assert both.simulated
    assert found.about("ears", "a") is not None
    assert any("‘snow’ 1" in remark for remark in found.remarks())


def test_what_is_no_answer_is_left_out_and_told() -> None:
    again = AskedQuestion("shows", ("a",), ("yes", "no"), word="snow")
    odd = answer_to(again, "perhaps")
    label = AskedQuestion("label", ("a",), ("husky", "corgi"))
    rows = [odd, answer_to(label, "husky"), answer_to(question("b"), "not usable")]
    found = merge_answers_about_words(rows)
    assert found.about("snow", "a") is None
    assert found.is_unusable("snow", "b")
    remarks = found.remarks(pictures=[])
    assert any("1 answers are none of those offered" in remark for remark in remarks)
    assert any("not usable" in remark for remark in remarks)


def test_answers_about_pictures_that_are_gone_are_told_and_harm_nothing() -> None:
    rows = [answer_to(question(picture), "yes") for picture in "abc"]
    remarks = merge_answers_about_words(rows).remarks(pictures=["a"])
    assert any(
        remark.startswith("2 answers are about pictures that are not in D") for remark in remarks
    )


def test_words_in_other_scripts_and_ten_thousand_answers() -> None:
    words = ("雪", "снег", "ثلج", "orejas ma\u0301s", "snow")
    rows: list[Judgement] = [
        answer_to(question(str(i), words[i % 5]), "yes" if i % 3 else "no", name=f"r{i % 7}")
        for i in range(10_000)
    ]
    found = merge_answers_about_words(rows)
    assert sum(len(answers) for answers in found.by_word.values()) == 10_000
    assert found.about("orejas más", "3") is not None
