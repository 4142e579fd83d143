"""What every store of judgements promises, whatever it keeps them in.

A further database joins ``STORES`` and is held to all of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import pytest

from circuitz.errors import StoreError
from circuitz.store.judgement import COLUMNS, Judgement
from circuitz.store.judgement_lines import judgement_lines
from circuitz.store.judgement_store import JudgementStore
from circuitz.store.judgements import Judgements
from circuitz.store.leases import TaskSnapshot
from circuitz.store.memory_judgements import JudgementsInMemory
from circuitz.store.shown_record import ShownRecord

STORES: dict[str, Callable[[Path], JudgementStore]] = {
    "sqlite": lambda path: Judgements(path / "store.sqlite"),
    "memory": lambda _: JudgementsInMemory(),
}
Fresh = Callable[[str], JudgementStore]


@pytest.fixture(params=STORES)
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Fresh:
    """Opens an empty store of this name."""
    return lambda name: STORES[request.param](tmp_path / name)


@pytest.fixture
def store(fresh: Fresh) -> JudgementStore:
    return fresh("one")


def said(key: str, minute: int = 0, choice: str = "a", **change: object) -> Judgement:
    time = f"2026-01-05T10:{minute:02}:00+00:00"
    row = Judgement(
        "t", "label", "z", "c", ("x",), ("a", "b"), 0, {"choice": choice}, "mira", "person",
        time, time, key,
    )  # fmt: skip
    return replace(row, **change)  # type: ignore[arg-type]


def keys(store: JudgementStore) -> list[str]:
    return sorted(row.key for row in store.rows())


CARD = ShownRecord("c1", "card", {"hash": "c1", "classes": [{"name": "Zoë", "cues": []}]})


# -- adding and reading ---------------------------------------------------------------------


def test_a_batch_is_stored_once_and_wholly(store: JudgementStore) -> None:
    first = store.append([said("1"), said("2", items=("é", "x'; DROP TABLE judgements;--"))])
    assert (
        store.append([said("1", 3), said("2", 3, items=("é", "x'; DROP TABLE judgements;--"))])
        == first
    )
    assert [row.id for row in store.rows(current=False)] == first
    for bad in (said("1", choice="b"), said("3", supersedes="nobody"), said("3", rater="")):
        with pytest.raises(StoreError):
            store.append([said("new"), bad])
        with pytest.raises(StoreError):
            store.store_superseding_answers(
                [said("new"), replace(bad, key=bad.key[:1], answer={"choice": "c"}, rater="")]
            )
    assert len(store) == 2
    assert store.get(first[0]) == replace(said("1"), id=first[0])
    with pytest.raises(StoreError, match="No judgement has the id"):
        store.get("nobody")
    # What failed has left nothing behind that a later call would stumble over.
    assert len(store.append([said("new")])) == 1


def test_the_newest_by_its_own_time_is_in_force(store: JudgementStore) -> None:
    newer = store.store_superseding_answer(said("k10", 10))
    store.store_superseding_answer(said("k5", 5, "b"))
    assert [row.id for row in store.rows()] == [newer]
    store.store_superseding_answers([said("k11", 11, "b"), said("y", 0, items=("y",))])
    assert keys(store) == ["k11", "y"]
    assert store.store_superseding_answer(said("k10", 10)) == newer
    # Another kind of rater of that name is another rater, and so is another name.
    store.store_superseding_answer(said("m", 12, rater_kind="model"))
    store.store_superseding_answer(said("b", 0, rater="ben"))
    assert keys(store) == ["b", "k11", "m", "y"]
    assert sorted(store.kinds_items_raters_in_force("t")) == [
        ("label", "x", "ben"), ("label", "x", "mira"), ("label", "x", "mira"), ("label", "y", "mira"),
    ]  # fmt: skip
    assert store.kinds_items_raters_in_force("u") == []


def test_taking_back_is_a_further_row(store: JudgementStore) -> None:
    assert store.withdraw_answer_on_items(said("")) == ""
    first = store.store_superseding_answer(said("k1"))
    assert store.withdraw_answer_on_items(said(""), "k0") == ""
    with pytest.raises(StoreError, match="mira's, not ben's"):
        store.withdraw(first, rater="ben")
    gone = store.withdraw_answer_on_items(said(""), "k1")
    assert store.get(gone).withdrawn
    assert store.rows() == []
    assert store.withdraw(first) == gone
    with pytest.raises(StoreError, match="already superseded"):
        store.append(said("k2", supersedes=first))
    # A later answer goes on in the same chain.
    second = store.store_superseding_answer(said("k2", 2))
    assert [row.supersedes for row in store.rows(current=False)] == ["", first, gone]
    assert store.get(store.withdraw(second)).supersedes == second


def test_a_page_of_answers_is_taken_back_at_once(store: JudgementStore) -> None:
    page = [said(f"k{n}", items=(f"i{n}",)) for n in range(5)]
    store.store_superseding_answers(page)
    # One was answered anew since: that answer stays.
    store.store_superseding_answer(said("again", 1, "b", items=("i3",)))
    ids = store.withdraw_answers_on_items([(row, row.key) for row in page])
    assert [bool(i) for i in ids] == [True, True, True, False, True]
    assert keys(store) == ["again"]


def test_rows_are_found_by_task_and_rater(store: JudgementStore) -> None:
    store.append([said("1"), said("2", rater="Zo\u00eb"), said("3", task="u", items=("y",))])
    assert [row.key for row in store.rows(task="t")] == ["1", "2"]
    assert [row.key for row in store.rows(rater="Zoe\u0308 ")] == ["2"]
    assert list(store.frame.columns) == list(COLUMNS)
    assert list(store.filtered_frame(task="u")["key"]) == ["3"]
    assert store.address
    assert not store.read_only


# -- what was shown -------------------------------------------------------------------------


def test_what_was_shown_is_kept_once(store: JudgementStore) -> None:
    other = ShownRecord("p1", "page", {"pictures": [1, 2]})
    store.keep_shown([CARD, other])
    store.keep_shown([CARD])
    back = store.shown_record("c1")
    assert (back.kind, dict(back.record)) == ("card", dict(CARD.record))
    assert store.shown_hashes() == {"c1", "p1"}
    assert store.shown_hashes("card") == {"c1"}
    for absent in ("c2", ""):
        with pytest.raises(StoreError, match="is not in this store"):
            store.shown_record(absent)


@pytest.mark.parametrize(
    "bad",
    [
        ShownRecord("", "card", {}),
        ShownRecord("n", "", {}),
        ShownRecord("n", "card", {"x": float("nan")}),
        ShownRecord("n", "card", {"x": object()}),
        ShownRecord("n", "card", {"x": "\ud800"}),
        ShownRecord("n", "card", [1]),  # type: ignore[arg-type]
        ShownRecord("n", "card", {"hash": "another"}),
        ShownRecord("c1", "page", {}),
    ],
)
def test_what_cannot_have_been_shown_is_refused_with_its_batch(
    store: JudgementStore, bad: ShownRecord
) -> None:
    store.keep_shown([CARD])
    with pytest.raises(StoreError):
        store.keep_shown([ShownRecord("fresh", "card", {}), bad])
    assert store.shown_hashes() == {"c1"}


# -- files ----------------------------------------------------------------------------------


def test_everything_travels_through_a_file(fresh: Fresh, tmp_path: Path) -> None:
    one, two = fresh("one"), fresh("two")
    one.keep_shown([CARD, ShownRecord("unused", "card", {})])
    one.append([said("1", card_hash="c1"), said("2", rater="ben", items=("c1", "c2"))])
    one.withdraw_answer_on_items(said(""))
    assert one.export_jsonl(tmp_path / "all.jsonl") == 3
    assert two.import_jsonl(tmp_path / "all.jsonl") == 3
    assert two.import_jsonl(tmp_path / "all.jsonl") == 3
    assert two.rows(current=False) == one.rows(current=False)
    assert two.shown_hashes() == {"c1", "unused"}
    assert dict(two.shown_record("c1").record) == dict(CARD.record)
    # What is asked for alone takes along what it names, and nothing else.
    assert one.export_jsonl(tmp_path / "ben.jsonl", rater="ben") == 1
    three = fresh("three")
    three.import_jsonl(tmp_path / "ben.jsonl")
    assert three.shown_hashes() == {"c1"}
    assert keys(three) == ["2"]


def test_an_answer_sent_to_two_stores_is_one(fresh: Fresh, tmp_path: Path) -> None:
    desk, train, third = fresh("desk"), fresh("train"), fresh("third")
    mine = desk.store_superseding_answer(said("k", 1))
    train.store_superseding_answer(said("k", 2))
    train.withdraw_answer_on_items(said(""))
    train.export_jsonl(tmp_path / "b.jsonl")
    assert desk.import_jsonl(tmp_path / "b.jsonl") == 2
    assert desk.rows() == []
    assert next(row.id for row in desk.rows(current=False)) == mine
    # The other id goes on with what is exported, so that a third store knows it too.
    desk.export_jsonl(tmp_path / "a.jsonl")
    third.import_jsonl(tmp_path / "a.jsonl")
    assert third.rows() == []
    assert third.import_jsonl(tmp_path / "b.jsonl") == 2
    assert len(third) == 2


@pytest.mark.parametrize(
    "line",
    [
        b"[1]", b"{", b'{"hash": "n", "kind": "card"}', b'{"hash": "n", "kind": "card", "record": 1}',
        b'{"hash": "n", "kind": "card", "record": {"hash": "m"}}',
        b'{"hash": "n", "kind": "card", "record": {}, "more": 1}',
        b'{"hash": "c1", "kind": "page", "record": {}}',
        judgement_lines([said("k", choice="c", id="i")]),
        judgement_lines([said("k", choice="b", id="i")]),
    ],
)  # fmt: skip
def test_a_bad_line_leaves_nothing_of_its_file(
    store: JudgementStore, tmp_path: Path, line: bytes
) -> None:
    store.append(said("k"))
    store.keep_shown([CARD])
    good = judgement_lines([said("new", id="new")], [ShownRecord("new", "card", {})])
    (tmp_path / "x.jsonl").write_bytes(good + line)
    with pytest.raises(StoreError):
        store.import_jsonl(tmp_path / "x.jsonl")
    assert len(store) == 1
    assert store.shown_hashes() == {"c1"}


# -- leases ---------------------------------------------------------------------------------


def test_leases_come_and_go(store: JudgementStore) -> None:
    now = [100.0]
    turns = store.leases("t", clock=lambda: now[0])
    turns.choose_and_lease_questions("ada", ["q1"], lambda _: ["q2"], 10)
    assert turns.snapshot("ben").leased == {"q1": {"ada": 110.0}, "q2": {"ada": 110.0}}
    # What is no longer held is given back; another task's leases are its own.
    turns.choose_and_lease_questions("ada", ["q2"], lambda _: [], 10)
    assert set(store.leases("t", clock=lambda: now[0]).snapshot("ben").leased) == {"q2"}
    assert store.leases("u", clock=lambda: now[0]).snapshot("ben").leased == {}
    now[0] = 111.0
    assert turns.snapshot("ben").leased == {}


def test_a_clock_that_was_wrong_keeps_nobody_away(store: JudgementStore) -> None:
    ahead = store.leases("t", clock=lambda: 4.0e9)
    ahead.choose_and_lease_questions("ada", ["q1"], lambda _: [], 10)
    assert store.leases("t", clock=lambda: 100.0).snapshot("ben").leased == {}


def test_choosing_sees_what_stands_and_leaves_nothing_when_it_fails(store: JudgementStore) -> None:
    turns = store.leases("t")
    store.store_superseding_answers([said("k1"), said("m", rater_kind="model")])
    boards: list[TaskSnapshot] = []

    def fail(board: TaskSnapshot) -> list[str]:
        boards.append(board)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        turns.choose_and_lease_questions("ben", ["q1"], fail, 10)
    assert boards[0].answered == {("label", "x"): {"mira", "mira\tmodel"}}
    assert turns.snapshot("ada").leased == {}
    store.withdraw_answer_on_items(said(""))
    assert turns.snapshot("ada").answered == {("label", "x"): {"mira\tmodel"}}


def test_setting_aside_is_each_raters_own(store: JudgementStore) -> None:
    now = [1.0]
    turns = store.leases("t", clock=lambda: now[0])
    for question in ("q2", "q1", "q2"):
        turns.set_aside("ada", question)
        now[0] += 1
    assert turns.snapshot("ada").aside == ("q2", "q1")
    assert turns.snapshot("ben").aside == ()
    turns.bring_back("ada", ("q2", "never aside"))
    assert turns.snapshot("ada").aside == ("q1",)


# -- many, and two at once ------------------------------------------------------------------


def test_two_people_at_once_lose_nothing_among_ten_thousand(store: JudgementStore) -> None:
    store.append([said(f"k{n}", items=(f"i{n}",)) for n in range(10_000)])
    start, errors = Barrier(2), list[Exception]()

    def work(rater: str) -> None:
        try:
            start.wait()
            turns = store.leases("t")
            for page in range(10):
                rows = [
                    said(f"{rater}{n}", page, items=(f"i{n}",), rater=rater)
                    for n in range(12 * page, 12 * page + 12)
                ]
                turns.choose_and_lease_questions(
                    rater, [r.items[0] for r in rows], lambda _: [], 60
                )
                store.store_superseding_answers(rows)
                store.store_superseding_answers(rows)  # the reply was lost: sent again
            last = [(row, row.key) for row in rows]
            store.withdraw_answers_on_items(last)
        except Exception as error:
            errors.append(error)

    people = [Thread(target=work, args=(name,)) for name in ("ada", "ben")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert errors == []
    assert len(store) == 10_000 + 2 * (120 + 12)
    assert [len(store.rows(rater=name)) for name in ("mira", "ada", "ben")] == [10_000, 108, 108]
    assert len(store.leases("t").snapshot("cleo").answered) == 10_000


def test_a_file_of_one_is_that_of_the_other(tmp_path: Path) -> None:
    files = []
    for name, make in STORES.items():
        store = make(tmp_path / name)
        store.keep_shown([CARD])
        store.append([said("1", id="a"), said("2", 1, "b", id="b", supersedes="a")])
        store.export_jsonl(tmp_path / f"{name}.jsonl")
        files.append((tmp_path / f"{name}.jsonl").read_bytes())
    assert files[0] == files[1]
    assert json.loads(files[0].splitlines()[0]) == CARD.to_dict()
