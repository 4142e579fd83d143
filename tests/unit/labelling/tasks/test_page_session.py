"""Pages of pictures about one word: what comes, what is kept, what is taken back."""

from __future__ import annotations

from collections import Counter

import pytest

from circuitz.cards.card import Card, ClassEntry
from circuitz.errors import LabellingError, StoreError
from circuitz.labelling.concepts.concept_answers import merge_answers_about_word
from circuitz.labelling.tasks.grid_questions import MOST_HELD_IN_GRID
from circuitz.labelling.tasks.pack import Question, TaskPack, opaque_question_id
from circuitz.labelling.tasks.page_session import PageSession
from circuitz.store.memory_judgements import JudgementsInMemory

PICTURE = b"\x89PNG\r\n\x1a\n"


def pack(
    asks: int = 30, golds: int = 3, overlap: int = 1, words: tuple[str, ...] = ("snow", "ears")
) -> TaskPack:
    questions: list[Question] = []
    for word in words:
        for kind, n in (("ask", asks), ("gold", golds)):
            questions += [
                Question(
                    opaque_question_id(0, f"{word} {kind} {i}", kind, word),
                    f"{word} {kind} {i}",
                    kind,
                    "",
                    "p.png",
                    word=word,
                )
                for i in range(n)
            ]
    return TaskPack(
        name="What do these pictures show?", card=Card((ClassEntry("yes", ()), ClassEntry("no", ()))),
        questions=tuple(questions), seed=0, overlap=overlap, guidelines="Look.",
        gold={q.id: "yes" for q in questions if q.kind == "gold"}, pictures={"p.png": PICTURE},
        plan={q.id: {"population": "D'"} for q in questions},
    )  # fmt: skip


@pytest.fixture
def store() -> JudgementsInMemory:
    return JudgementsInMemory()


def answer_all(session: PageSession, n: int = 12) -> list[list[Question]]:
    pages: list[list[Question]] = []
    while page := session.next_questions(n=n)[0]:
        word = page[0].word
        page = [q for q in page if q.word == word]
        session.answer_page(f"page-{len(pages):06d}", [(q.id, "no") for q in page])
        pages.append(page)
    return pages


def test_every_picture_is_an_answer_of_its_own_that_says_where_it_stood(store) -> None:
    session = PageSession(pack(), store, "mira")
    page, _ = session.next_questions(n=12)
    choices = ["yes", "no", "cannot tell", "not usable"] * 3
    ids = session.answer_page(
        "page-000001", list(zip([q.id for q in page], choices, strict=True)), seconds=6.0,
        shown="2026-01-01T10:00:00.000Z", answered="2026-01-01T10:00:06.000Z",
    )  # fmt: skip
    rows = store.rows()
    assert [row.id for row in rows] == ids
    assert [row.answer["choice"] for row in rows if row.answer] == choices
    for place, (row, asked) in enumerate(zip(rows, page, strict=True)):
        assert row.answer is not None
        stood = {k: row.answer[k] for k in ("seconds", "page", "place", "of")}
        assert stood == {"seconds": 0.5, "page": "page-000001", "place": place, "of": 12}
        assert (row.kind, row.items) == (asked.judgement_kind_and_item[0], (asked.item,))
        assert row.use == ("gold" if asked.kind == "gold" else "train")
        assert (row.shown, row.answered) == (
            "2026-01-01T10:00:00.000+00:00",
            "2026-01-01T10:00:06.000+00:00",
        )
    assert len({row.key for row in rows}) == 12
    merged = merge_answers_about_word(session.pack, rows, page[0].word)
    assert sum(m.majority_label == 1 for m in merged) == 3


def test_a_page_is_about_one_word_and_all_of_it_comes_with_gold_among_it(store) -> None:
    tasks = pack()
    pages = answer_all(PageSession(tasks, store, "mira"))
    assert all(len({q.word for q in page}) == 1 for page in pages)
    words = [page[0].word for page in pages]
    assert words == sorted(words, reverse=True)  # snow, then ears: no word comes back
    assert Counter(q.kind for page in pages for q in page) == {"ask": 60, "gold": 6}
    first = [q.kind for q in pages[0]]
    assert 0 < first.count("gold") < len(first)
    # Where gold stands differs between raters, and is the same when a page is opened again.
    places = set()
    for name in ("ada", "ben", "cleo", "dan"):
        again = [
            PageSession(tasks, JudgementsInMemory(), name).next_questions(n=12)[0] for _ in range(2)
        ]
        assert [q.id for q in again[0]] == [q.id for q in again[1]]
        places.add(tuple(i for i, q in enumerate(again[0]) if q.kind == "gold"))
    assert len(places) > 1


def test_two_at_once_share_the_pictures(store) -> None:
    tasks = pack(golds=0)
    ada, ben = (PageSession(tasks, store, name) for name in ("ada", "ben"))
    mine, yours = ada.next_questions(n=24)[0], ben.next_questions(n=24)[0]
    assert len(mine) == len(yours) == 24
    assert not {q.id for q in mine} & {q.id for q in yours}
    # What ada holds is renewed, and what she leaves goes to ben.
    assert ada.next_questions([q.id for q in mine], n=24)[0] == []
    ada.release_held_questions()
    held = [q.id for q in yours]
    got = ben.next_questions(held, n=60)[0]
    assert {q.id for q in mine} <= {q.id for q in got}


def test_a_page_sent_twice_is_stored_once_and_a_changed_one_is_refused(store) -> None:
    session = PageSession(pack(), store, "mira")
    page = [q.id for q in session.next_questions(n=12)[0]]
    given = [(q, "no") for q in page]
    first = session.answer_page("page-000001", given)
    assert session.answer_page("page-000001", given, sent="2026-01-01T10:00:00Z") == first
    with pytest.raises(StoreError, match="another answer"):
        session.answer_page("page-000001", [(q, "yes") for q in page])
    assert len(store) == 12
    # Another page with the same pictures supersedes: two tabs leave one answer a picture.
    session.answer_page("page-000002", [(q, "yes") for q in page])
    assert {row.answer["choice"] for row in store.rows() if row.answer} == {"yes"}


def test_taking_a_page_back_leaves_what_was_answered_since(store) -> None:
    session = PageSession(pack(), store, "mira")
    page = [q.id for q in session.next_questions(n=12)[0]]
    session.answer_page("page-000001", [(q, "no") for q in page])
    session.answer(page[3], "yes", "since-000001")
    assert session.withdraw_page([(q, f"page-000001:{i}") for i, q in enumerate(page)]) == 11
    assert [row.key.rsplit(":", 1)[-1] for row in store.rows()] == ["since-000001"]
    assert {q.id for q in session.next_questions(n=12)[0]} >= set(page) - {page[3]}
    assert session.rater_progress().answered == 1


@pytest.mark.parametrize(
    "case", ["empty", "twice", "two words", "choice", "unknown", "key", "long"]
)
def test_pages_that_cannot_be_are_refused_whole(store, case: str) -> None:
    tasks = pack(asks=60)
    session = PageSession(tasks, store, "mira")
    ids = [q.id for q in tasks.questions if q.word == "snow"]
    other = next(q.id for q in tasks.questions if q.word == "ears")
    answers = {
        "empty": [], "twice": [(ids[0], "no"), (ids[0], "no")],
        "two words": [(ids[0], "no"), (other, "no")], "choice": [(ids[0], "no"), (ids[1], "maybe")],
        "unknown": [(ids[0], "no"), ("nobody", "no")], "key": [(ids[0], "no")],
        "long": [(q, "no") for q in ids[:41]],
    }[case]  # fmt: skip
    with pytest.raises(LabellingError):
        session.answer_page("short" if case == "key" else "page-000001", answers)
    assert len(store) == 0


def test_what_was_set_aside_comes_after_the_last_word(store) -> None:
    tasks = pack(asks=3, golds=0)
    session = PageSession(tasks, store, "mira")
    first = session.next_questions(n=1)[0][0]
    session.set_question_aside(first.id)
    order = session.next_questions(n=12)[0]
    assert order[-1].id == first.id
    assert len(order) == 6


def test_a_screen_that_claims_everything_keeps_nobody_from_it(store) -> None:
    tasks = pack(asks=100, golds=0, words=("snow",))
    greedy = PageSession(tasks, store, "ada")
    greedy.next_questions([q.id for q in tasks.questions], n=12)
    got, _ = PageSession(tasks, store, "ben").next_questions(n=1000)
    assert len(got) == 100 - MOST_HELD_IN_GRID
