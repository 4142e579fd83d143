from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.errors import StoreError
from circuitz.store.in_force import moment_from_iso
from circuitz.store.judgement import Judgement
from circuitz.store.judgement_lines import judgement_lines
from circuitz.store.judgement_rows import (
    SELECTED,
    import_row,
    judgement_from_row,
    with_resent_rows,
)
from circuitz.store.judgements import Judgements
from circuitz.store.sqlite import SCHEMA, create_or_check_tables
from circuitz.store.sqlite_in_force import AnswersInSqlite


def answer(key: str, minute: int = 0, choice: str = "a", **change: object) -> Judgement:
    time = f"2026-01-05T10:{minute:02}:00+00:00"
    row = Judgement(
        "t", "label", "z", "c", ("x",), ("a", "b"), 0, {"choice": choice}, "mira", "person",
        time, time, key,
    )  # fmt: skip
    return replace(row, **change)  # type: ignore[arg-type]


def counting(store: Judgements) -> list[tuple[str, str, str]]:
    """What is in force: rater, item, key."""
    return sorted((row.rater, row.items[0], row.key) for row in store.rows())


def joined(files: list[list[Judgement]]) -> tuple[list[str], list[Judgement]]:
    """Import files one after the other; returns the keys in force, and what would be exported."""
    with closing(sqlite3.connect(":memory:")) as connection:
        create_or_check_tables(connection, Path("memory"))
        for row in itertools.chain(*files):
            import_row(connection, row)
        rows = [
            judgement_from_row(row)
            for row in connection.execute(f"SELECT {SELECTED} FROM judgements ORDER BY n")
        ]
        index = AnswersInSqlite()
        index.read_new_rows(connection)
        counting = [row for row in rows if row.id in index.ids()]
        assert len({(row.rater, row.items) for row in counting}) == len(counting)
        return sorted(row.key for row in counting), with_resent_rows(connection, rows)


def test_the_newest_by_its_own_time_counts(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "a.sqlite")
    newer = store.store_superseding_answer(answer("k10", 10))
    older = store.store_superseding_answer(answer("k5", 5, "b"))
    assert [row.id for row in store.rows()] == [newer]
    assert store.get(older).supersedes == ""
    # The same moment in another zone, and one a little later in a third.
    store.store_superseding_answer(answer("k0", answered="2026-01-05T12:09:00+02:00"))
    assert [row.key for row in store.rows()] == ["k10"]
    store.store_superseding_answer(answer("k11", answered="2026-01-05T05:11:00-05:00"))
    assert [row.key for row in store.rows()] == ["k11"]
    assert [row.key for row in store.rows(current=False)] == ["k10", "k5", "k0", "k11"]


def test_of_one_moment_the_last_that_came_counts(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "a.sqlite")
    keys = [f"k{n}" for n in range(6)]
    for key in keys:
        store.store_superseding_answer(answer(key))
        assert [row.key for row in store.rows()] == [key]
    store.withdraw_answer_on_items(answer(""))
    assert store.rows() == []
    store.store_superseding_answer(answer("after"))
    assert [row.key for row in store.rows()] == ["after"]


def test_a_person_on_two_machines_is_one(tmp_path: Path) -> None:
    desk, train = Judgements(tmp_path / "a.sqlite"), Judgements(tmp_path / "b.sqlite")
    for n in range(4):
        desk.store_superseding_answer(answer(f"d{n}", 10, items=(f"i{n}",)))
        train.store_superseding_answer(answer(f"t{n}", 9 + 2 * (n % 2), "b", items=(f"i{n}",)))
    for store in (desk, train):
        store.export_jsonl(store.path.with_suffix(".jsonl"))
    desk.import_jsonl(tmp_path / "b.jsonl")
    train.import_jsonl(tmp_path / "a.jsonl")
    assert counting(desk) == counting(train)
    assert [key for *_, key in counting(desk)] == ["d0", "t1", "d2", "t3"]
    assert len(desk) == len(train) == 8
    slots = desk.kinds_items_raters_in_force("t")
    assert sorted(slots) == [("label", f"i{n}", "mira") for n in range(4)]


def test_one_answer_changed_on_both_machines(tmp_path: Path) -> None:
    desk, train = Judgements(tmp_path / "a.sqlite"), Judgements(tmp_path / "b.sqlite")
    desk.store_superseding_answer(answer("first", 1))
    desk.export_jsonl(tmp_path / "first.jsonl")
    train.import_jsonl(tmp_path / "first.jsonl")
    desk.store_superseding_answer(answer("desk", 3))
    train.store_superseding_answer(answer("train", 2, "b"))
    train.withdraw_answer_on_items(answer(""))
    train.export_jsonl(tmp_path / "train.jsonl")
    # Both supersede the first; what was taken back was the one of the train.
    desk.import_jsonl(tmp_path / "train.jsonl")
    assert [row.key for row in desk.rows()] == ["desk"]


def test_an_answer_sent_to_two_stores_is_one_and_taken_back_in_both(tmp_path: Path) -> None:
    desk, train = Judgements(tmp_path / "a.sqlite"), Judgements(tmp_path / "b.sqlite")
    mine = desk.store_superseding_answer(answer("k", 1))
    other = train.store_superseding_answer(answer("k", 2))
    assert mine != other
    train.withdraw_answer_on_items(answer(""))
    train.export_jsonl(tmp_path / "b.jsonl")
    assert desk.import_jsonl(tmp_path / "b.jsonl") == 2
    assert desk.rows() == []
    assert next(row.id for row in desk.rows(current=False)) == mine
    # The other id goes on with what is exported, so that a third store knows it too.
    desk.export_jsonl(tmp_path / "a.jsonl")
    third = Judgements(tmp_path / "c.sqlite")
    third.import_jsonl(tmp_path / "a.jsonl")
    assert third.rows() == []
    assert third.import_jsonl(tmp_path / "b.jsonl") == 2
    assert len(third) == 2


@st.composite
def files_of_two_stores(draw: st.DrawFn) -> list[list[Judgement]]:
    """What two stores hold after a person answered, changed and took back on both of them."""
    files: list[list[Judgement]] = [[], []]
    for n in range(draw(st.integers(1, 7))):
        rows = files[draw(st.integers(0, 1))]
        what = draw(st.sampled_from(["answer", "answer", "withdraw", "resend"]))
        said = [row for row in rows if not row.withdrawn]
        minute = draw(st.integers(0, 4))
        if what == "answer" or not (files[0] or files[1]):
            item = draw(st.sampled_from("xy"))
            follow = [
                row.id for row in said if row.items == (item,) and row.answered <= time(minute)
            ]
            rows.append(
                answer(f"k{n}", minute, items=(item,), supersedes=(follow or [""])[-1], id=f"id{n}")
            )
        elif what == "withdraw" and said:
            gone = draw(st.sampled_from(said))
            if not any(row.supersedes == gone.id and row.withdrawn for row in rows):
                rows.append(
                    replace(
                        gone, id=f"w{n}", key=f"withdraw:{gone.id}", answer=None,
                        supersedes=gone.id, answered=time(minute),
                    )
                )  # fmt: skip
        elif what == "resend":
            every = [row for row in files[0] + files[1] if not row.withdrawn]
            if every:
                again = draw(st.sampled_from(every))
                if all(row.key != again.key for row in rows):
                    rows.append(replace(again, id=f"id{n}", supersedes="", answered=time(minute)))
    return files


def time(minute: int) -> str:
    return answer("", minute).answered


@settings(max_examples=60, deadline=None)
@given(files=files_of_two_stores(), data=st.data())
def test_stores_joined_in_any_order_agree(
    files: list[list[Judgement]], data: st.DataObject
) -> None:
    found = []
    for order in itertools.permutations(files):
        pieces = [data.draw(st.permutations(list(rows))) for rows in order]
        keys, exported = joined([*pieces, pieces[0]])
        # What one more store is told by this one is the same again.
        found += [keys, joined([exported])[0], joined([data.draw(st.permutations(exported))])[0]]
    assert all(keys == found[0] for keys in found)


def test_what_only_looks_like_an_answer_of_the_store_is_refused(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "a.sqlite")
    store.append(answer("k", id="one"))
    for forged, said in (
        (answer("k", choice="b", id="two"), "key 'k' is already used"),
        (answer("other", id="one"), "id 'one' is already used"),
    ):
        (tmp_path / "x.jsonl").write_bytes(judgement_lines([answer("new", id="new"), forged]))
        with pytest.raises(StoreError, match=said):
            store.import_jsonl(tmp_path / "x.jsonl")
    assert len(store) == 1


def test_times_without_a_zone_are_utc() -> None:
    assert moment_from_iso("2026-01-05T10:00:00") == moment_from_iso("2026-01-05T11:00:00+01:00")
    assert moment_from_iso("soon") is None


def test_a_store_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = Judgements(path)
    first = store.store_superseding_answer(answer("k10", 10))
    with sqlite3.connect(path) as connection:
        # As the first version left it: one row superseded once, by order of arrival; names as typed.
        for statement in (
            "DROP INDEX by_superseded", "DROP INDEX by_question", "DROP TABLE resent",
            "DROP TABLE shown",
            "CREATE UNIQUE INDEX superseded_once ON judgements (supersedes) WHERE supersedes <> ''",
            "CREATE TABLE leases (task TEXT, question TEXT, rater TEXT, until REAL)",
            "INSERT INTO leases VALUES ('t', 'held', 'ada', 1300), ('t', 'far', 'ada', 4e9)",
            "PRAGMA user_version = 1",
        ):  # fmt: skip
            connection.execute(statement)
        connection.execute(
            "INSERT INTO judgements SELECT 99, 'late', task, kind, z_hash, card_hash, items, "
            "options, seed, answer, 'mi\u200bra ', rater_kind, shown, '2026-01-05T09:00:00+00:00', "
            "'late', instructions, id, use FROM judgements"
        )
    before = path.read_bytes()
    old = Judgements(path, read_only=True)
    assert [row.id for row in old.rows()] == [first]
    assert [row.id for row in old.rows(rater="mira")] == [first]
    assert {row.rater for row in old.rows(current=False)} == {"mira"}
    assert path.read_bytes() == before
    now = Judgements(path)
    assert [row.id for row in now.rows()] == [first]
    now.store_superseding_answer(answer("k11", 11))
    assert [row.key for row in now.rows()] == ["k11"]
    # Leases go on, but for those that a wrong clock gave for years to come.
    leases = now.leases("t", clock=lambda: 1000.0)
    assert leases.snapshot("bob").leased == {"held": {"ada": 1300.0}}
    with sqlite3.connect(path) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    assert {"resent", "by_question", "shown"} <= tables
    assert tables.isdisjoint({"leases", "superseded_once"})


@pytest.mark.parametrize("other", ["model", "simulated"])
def test_answers_of_another_kind_of_rater_replace_none_of_a_persons(
    tmp_path: Path, other: str
) -> None:
    store = Judgements(tmp_path / "a.sqlite")
    store.store_superseding_answer(answer("k1", 1))
    store.store_superseding_answer(answer("k2", 2, "b", rater_kind=other))
    assert counting(store) == [("mira", "x", "k1"), ("mira", "x", "k2")]
    assert [row.supersedes for row in store.rows()] == ["", ""]
    # Earlier versions let it name the person's answer as superseded: that stands again.
    older = Judgements(tmp_path / "b.sqlite")
    (first,) = older.append(answer("k1", 1))
    older.append(answer("k2", 2, "b", rater_kind=other, supersedes=first))
    assert counting(older) == counting(store)
    store.store_superseding_answer(answer("k3", 3, "b"))
    assert counting(store) == [("mira", "x", "k2"), ("mira", "x", "k3")]
