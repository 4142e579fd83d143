from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from circuitz.errors import StoreError
from circuitz.store.address import open_store, path_from_store_address
from circuitz.store.judgement import Judgement
from circuitz.store.judgements import Judgements
from circuitz.store.leases import QuestionLeases, TaskSnapshot

TIME = "2026-01-01T00:00:00+00:00"


def judgement(key: str, choice: str = "a", rater: str = "ada", item: str = "x") -> Judgement:
    return Judgement(
        "t", "label", "z", "c", (item,), ("a", "b"), 0, {"choice": choice}, rater, "person",
        TIME, TIME, key,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / "a.sqlite")


def test_an_answer_supersedes_the_same_raters_last_one(store) -> None:
    first = store.store_superseding_answer(judgement("k1"))
    second = store.store_superseding_answer(judgement("k2", "b"))
    assert store.store_superseding_answer(judgement("k1")) == first
    assert store.store_superseding_answer(judgement("k2", "b")) == second
    store.store_superseding_answer(judgement("k3", rater="bob"))
    store.store_superseding_answer(judgement("k4", item="y"))
    assert [(r.rater, r.items[0], r.key) for r in store.rows()] == [
        ("ada", "x", "k2"), ("bob", "x", "k3"), ("ada", "y", "k4"),
    ]  # fmt: skip
    assert sorted(store.kinds_items_raters_in_force("t")) == [
        ("label", "x", "ada"), ("label", "x", "bob"), ("label", "y", "ada"),
    ]  # fmt: skip
    assert store.kinds_items_raters_in_force("other") == []


def test_taking_back_names_what_is_meant(store) -> None:
    assert store.withdraw_answer_on_items(judgement("")) == ""
    store.store_superseding_answer(judgement("k1"))
    assert store.withdraw_answer_on_items(judgement(""), "k0") == ""
    assert store.withdraw_answer_on_items(judgement(""), "k1") != ""
    assert store.withdraw_answer_on_items(judgement(""), "k1") == ""
    assert store.rows() == []
    # An answer after a withdrawal goes on in the same chain.
    store.store_superseding_answer(judgement("k2"))
    rows = store.rows(current=False)
    assert [r.supersedes for r in rows] == ["", rows[0].id, rows[1].id]


def test_a_key_used_for_something_else_is_refused(store) -> None:
    store.store_superseding_answer(judgement("k1"))
    with pytest.raises(StoreError, match="another answer"):
        store.store_superseding_answer(judgement("k1", "b"))
    with pytest.raises(StoreError, match="no rater"):
        store.store_superseding_answer(replace(judgement("k2"), rater=""))
    assert len(store) == 1


def test_leases_come_and_go(store) -> None:
    now = [100.0]
    turns = QuestionLeases(store, "t", clock=lambda: now[0])
    turns.choose_and_lease_questions("ada", ["q1"], lambda _: ["q2"], 10)
    assert turns.snapshot("bob").leased == {"q1": {"ada": 110.0}, "q2": {"ada": 110.0}}
    # What is no longer held is given back; another task's leases are its own.
    turns.choose_and_lease_questions("ada", ["q2"], lambda _: [], 10)
    assert set(turns.snapshot("bob").leased) == {"q2"}
    assert QuestionLeases(store, "u").snapshot("bob").leased == {}
    now[0] = 111.0
    assert turns.snapshot("bob").leased == {}


def test_choosing_sees_what_stands_and_leaves_nothing_when_it_fails(store) -> None:
    turns = QuestionLeases(store, "t")
    store.store_superseding_answer(judgement("k1"))
    seen: list[TaskSnapshot] = []

    def fail(board: TaskSnapshot) -> list[str]:
        seen.append(board)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        turns.choose_and_lease_questions("bob", ["q1"], fail, 10)
    assert seen[0].answered == {("label", "x"): {"ada"}}
    assert turns.snapshot("ada").leased == {}


def test_setting_aside_is_each_raters_own(store) -> None:
    turns = QuestionLeases(store, "t")
    turns.set_aside_or_bring_back("ada", "q1")
    turns.set_aside_or_bring_back("ada", "q1")
    turns.set_aside_or_bring_back("ada", "q2")
    assert turns.snapshot("ada").aside == ("q1", "q2")
    assert turns.snapshot("bob").aside == ()
    turns.set_aside_or_bring_back("ada", "q1", later=False)
    assert turns.snapshot("ada").aside == ("q2",)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("a.sqlite", "a.sqlite"), ("sqlite:///a.sqlite", "a.sqlite"),
        ("sqlite:////tmp/a%20b.sqlite", "/tmp/a b.sqlite"), (" /x/y.db ", "/x/y.db"),
    ],
)  # fmt: skip
def test_addresses(address: str, path: str) -> None:
    assert path_from_store_address(address) == Path(path)


@pytest.mark.parametrize(
    "address", ["", " ", "postgresql://ada:secret@host/db", "sqlite://host/a", "http://x/y"]
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(address)
    assert "secret" not in str(caught.value)
