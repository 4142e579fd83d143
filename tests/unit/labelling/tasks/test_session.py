from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest

from circuitz.cards.cards_in_store import card_from_store
from circuitz.errors import LabellingError, StoreError
from circuitz.labelling.labels.collect import collect_answers
from circuitz.labelling.tasks.next_question import upcoming_questions
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.labelling.tasks.session import Session
from circuitz.store.judgements import Judgements
from circuitz.store.leases import TaskSnapshot


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / "answers.sqlite")


def key(n: int) -> str:
    return f"key-{n:08d}"


def work(session: Session, most: int = 1000, choice: str = "husky") -> list[str]:
    """Answer until nothing is left; returns the kinds of questions in order."""
    kinds: list[str] = []
    held: list[str] = []
    while len(kinds) < most:
        more, _ = session.next_questions(held)
        held += [q.id for q in more]
        if not held:
            break
        asked = session.pack.question_by_id(held.pop(0))
        kinds.append(asked.kind)
        session.answer(asked.id, choice, key(len(kinds)))
    return kinds


def test_every_question_gets_as_many_answers_as_wanted_and_no_more(make_pack, store) -> None:
    pack: TaskPack = make_pack(asks=10, overlap=2)
    kinds = {name: work(Session(pack, store, name)) for name in ("ada", "bob", "eve")}
    assert [len(k) for k in kinds.values()] == [10, 10, 0]
    left = Session(pack, store, "eve").rater_progress()
    assert (left.left, left.collected, left.needed) == (0, 20, 20)


def test_two_at_once_do_not_get_more_than_wanted(make_pack, store) -> None:
    pack = make_pack(asks=12, overlap=1)
    done: dict[str, list[str]] = {}

    def run(name: str) -> None:
        done[name] = work(Session(pack, store, name))

    threads = [Thread(target=run, args=(name,)) for name in ("ada", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    rows = store.rows(task=pack.task)
    assert len(rows) == 12
    assert len({row.items for row in rows}) == 12


def test_a_lease_keeps_others_away_until_it_runs_out(make_pack, store) -> None:
    clock = Clock()
    pack = make_pack(asks=3, overlap=1, lease=600.0)
    ada, bob = (Session(pack, store, name, clock=clock) for name in ("ada", "bob"))
    mine, _ = ada.next_questions()
    assert len(mine) == 3
    theirs, left = bob.next_questions()
    assert theirs == []
    assert (left.left, left.elsewhere, left.returns) == (0, 3, clock.now + 600)
    clock.now += 300
    ada.next_questions([q.id for q in mine])
    clock.now += 400
    assert bob.next_questions()[0] == []
    clock.now += 300
    assert [q.id for q in bob.next_questions()[0]] == [q.id for q in mine]
    # Whoever comes back late is heard all the same.
    ada.answer(mine[0].id, "corgi", key(1))
    assert len(store.rows(task=pack.task)) == 1


def test_leaving_gives_questions_back_at_once(make_pack, store) -> None:
    pack = make_pack(asks=3, overlap=1)
    ada, bob = Session(pack, store, "ada"), Session(pack, store, "bob")
    ada.next_questions()
    assert bob.next_questions()[0] == []
    ada.release_held_questions()
    assert len(bob.next_questions()[0]) == 3


def test_gold_is_spread_over_the_questions_and_all_of_it_comes(make_pack, store) -> None:
    pack = make_pack(asks=20, golds=4)
    kinds = work(Session(pack, store, "ada"))
    assert kinds.count("gold") == 4
    places = [i for i, kind in enumerate(kinds) if kind == "gold"]
    assert all(b - a > 1 for a, b in pairwise(places))
    assert {row.use for row in store.rows()} == {"train", "gold"}
    first = {
        next(
            i
            for i, q in enumerate(upcoming_questions(pack, TaskSnapshot(), name, (), 20))
            if q.kind == "gold"
        )
        for name in ("bob", "eve", "joe", "ann", "kim", "lea")
    }
    assert len(first) > 1


def test_repeats_come_later_and_only_of_what_was_seen(make_pack, store) -> None:
    pack = make_pack(asks=12, again=2)
    session = Session(pack, store, "ada")
    seen: list[tuple[str, str]] = []
    held: list[str] = []
    for n in range(100):
        more, _ = session.next_questions(held)
        held += [q.id for q in more]
        if not held:
            break
        asked = pack.question_by_id(held.pop(0))
        seen.append((asked.kind, asked.item))
        session.answer(asked.id, "husky", key(n))
    assert sum(kind == "again" for kind, _ in seen) == 2
    for i, (kind, item) in enumerate(seen):
        if kind == "again":
            first = seen.index(("ask", item))
            assert i - first > 5
    assert session.rater_progress().left == 0
    held_out = [row for row in store.rows() if row.use == "held-out"]
    assert {row.kind for row in held_out} == {"label-again"}


def test_what_is_set_aside_comes_last(make_pack, store) -> None:
    pack = make_pack(asks=4)
    session = Session(pack, store, "ada")
    first = session.next_questions()[0][0]
    session.set_question_aside(first.id)
    assert session.rater_progress().aside == 1
    assert session.rater_progress().left == 4
    order = []
    while more := session.next_questions(n=1)[0]:
        order.append(more[0].id)
        session.answer(more[0].id, "husky", key(len(order)))
    assert order[-1] == first.id
    assert session.rater_progress().aside == 0


def test_an_answer_is_stored_with_all_that_was_shown(make_pack, store) -> None:
    pack = make_pack()
    session = Session(pack, store, " mira ")
    asked = session.next_questions()[0][0]
    session.answer(
        asked.id, "corgi", key(1), seconds=2.5,
        shown="2026-01-01T10:00:00.000Z", answered="2026-01-01T10:00:02.500Z",
    )  # fmt: skip
    (row,) = store.rows()
    assert (row.task, row.kind, row.rater, row.rater_kind) == (pack.task, "label", "mira", "person")
    assert (row.z_hash, row.card_hash) == (pack.z_hash, pack.card.hash)
    assert card_from_store(store, row.card_hash) == pack.card
    assert row.items == (asked.item,)
    assert (row.options, row.seed) == pack.options("mira")
    assert row.answer == {"choice": "corgi", "seconds": 2.5}
    assert row.instructions == pack.instructions
    assert row.shown == "2026-01-01T10:00:00.000+00:00"
    assert row.answered == "2026-01-01T10:00:02.500+00:00"


def test_the_same_key_is_stored_once_and_a_new_one_supersedes(make_pack, store) -> None:
    session = Session(make_pack(), store, "mira")
    asked = session.next_questions()[0][0].id
    first = session.answer(asked, "husky", key(1))
    assert session.answer(asked, "husky", key(1)) == first
    session.answer(asked, "corgi", key(2))
    # A late repetition of the first changes nothing.
    assert session.answer(asked, "husky", key(1)) == first
    (row,) = store.rows()
    assert row.answer is not None
    assert row.answer["choice"] == "corgi"
    assert row.supersedes == first
    assert len(store) == 2
    with pytest.raises(StoreError, match="already used"):
        session.answer(asked, "poodle", key(2))


def test_undo_is_a_row_and_the_question_comes_back(make_pack, store) -> None:
    session = Session(make_pack(), store, "mira")
    asked = session.next_questions()[0][0].id
    session.answer(asked, "husky", key(1))
    assert session.recent_answers() == [{"id": asked, "choice": "husky", "key": key(1)}]
    assert session.withdraw(asked, key(9)) is False
    assert session.withdraw(asked, key(1)) is True
    assert session.withdraw(asked, key(1)) is False
    assert session.recent_answers() == []
    assert session.next_questions()[0][0].id == asked
    session.answer(asked, "corgi", key(2))
    assert session.withdraw(asked, key(1)) is False
    rows = store.rows(current=False)
    assert [row.withdrawn for row in rows] == [False, True, False]
    assert [row.supersedes for row in rows] == ["", rows[0].id, rows[1].id]


def test_a_name_goes_on_where_it_stopped_and_others_are_not_seen(make_pack, store) -> None:
    pack = make_pack(asks=6)
    work(Session(pack, store, "mira"), most=3)
    back = Session(pack, store, "mira")
    assert back.rater_progress().answered == 3
    assert len(back.recent_answers()) == 3
    assert {q.id for q in back.next_questions()[0]}.isdisjoint(
        r["id"] for r in back.recent_answers()
    )
    other = Session(pack, store, "Mira")
    assert other.recent_answers() == []
    assert other.rater_progress().answered == 0


def test_one_rater_in_two_tabs_leaves_one_answer(make_pack, store) -> None:
    pack = make_pack()
    asked = Session(pack, store, "mira").next_questions()[0][0].id
    threads = [
        Thread(target=Session(pack, store, "mira").answer, args=(asked, "husky", key(n)))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(store.rows()) == 1
    assert len(store) == 6


@pytest.mark.parametrize(
    "name", ["", "  ", "\u200b\u00a0", "a\nb", "a\tb", "a\x00", "x" * 500, "\u202eevil", "a\u2067b"]
)
def test_names_that_are_none_are_refused(make_pack, store, name: str) -> None:
    with pytest.raises(LabellingError):
        Session(make_pack(), store, name)


def test_odd_requests_are_refused_by_name(make_pack, store) -> None:
    session = Session(make_pack(), store, "mira")
    asked = session.next_questions()[0][0].id
    for question, choice, sent in (
        ("nothing", "husky", key(1)), (asked, "cat", key(1)), (asked, "husky", "short"),
        (asked, "husky", "k" * 200), (asked, "husky", "bad\nkey\x00xx"),
    ):  # fmt: skip
        with pytest.raises(LabellingError):
            session.answer(question, choice, sent)
    session.answer(asked, "husky", key(1), seconds=float("nan"), shown="soon", answered="")
    session.answer(asked, "cannot tell", key(2), seconds=1e99)
    # How long somebody looked is not known then, and no figure is made up.
    assert store.rows()[0].answer == {"choice": "cannot tell", "seconds": None}


def test_a_store_for_reading_is_no_place_to_answer(make_pack, store) -> None:
    with pytest.raises(StoreError, match="reading only"):
        Session(make_pack(), Judgements(store.path, read_only=True), "mira")


def test_keys_of_raters_never_meet_whatever_their_names(make_pack, store) -> None:
    pack = make_pack()
    first, second = Session(pack, store, "ada"), Session(pack, store, "ada:bob-1")
    question = pack.questions[0].id
    first.answer(question, "husky", "bob-1:12345678")
    second.answer(question, "corgi", "12345678")
    assert {row.rater: row.answer["choice"] for row in store.rows()} == {
        "ada": "husky", "ada:bob-1": "corgi",
    }  # fmt: skip
    assert second.recent_answers()[0]["key"] == "12345678"


@pytest.mark.parametrize(
    ("shown", "answered"),
    [
        ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:01+23:59"),
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59-12:00"),
        ("2999-01-01T00:00:00+00:00", "2999-01-01T00:00:05+00:00"),
        ("soon", "later"),
    ],
)
def test_times_that_cannot_be_are_the_stores_own(make_pack, store, shown, answered) -> None:
    pack = make_pack()
    session = Session(pack, store, "ada")
    session.answer(pack.questions[0].id, "husky", "12345678", shown=shown, answered=answered)
    (row,) = store.rows()
    assert row.answered[:4] not in ("0001", "9999", "2999")


def told(hour: int, second: int = 5) -> dict[str, str]:
    return {
        "shown": f"2026-01-05T{hour:02}:00:00Z", "answered": f"2026-01-05T{hour:02}:00:{second:02}Z",
    }  # fmt: skip


def test_an_answer_that_arrives_late_replaces_no_newer_one(make_pack, store) -> None:
    pack = make_pack()
    asked = pack.questions[0].id
    desk, train = Session(pack, store, "mira"), Session(pack, store, "mira")
    desk.answer(asked, "corgi", "desk-10h00", **told(10))
    train.answer(asked, "husky", "train-9h00", **told(9))
    assert [row.answer["choice"] for row in store.rows()] == ["corgi"]
    assert len(store) == 2
    assert desk.recent_answers() == [{"id": asked, "choice": "corgi", "key": "desk-10h00"}]
    # What was taken back on the train was the answer of the train.
    assert train.withdraw(asked, "train-9h00") is False
    assert len(store.rows()) == 1
    # Nor does an older one come back when the newest is taken back.
    assert desk.withdraw(asked, "desk-10h00") is True
    train.answer(asked, "poodle", "train-9h30", **told(9, 30))
    assert store.rows() == []
    train.answer(asked, "poodle", "train-11h0", **told(11))
    assert [row.answer["choice"] for row in store.rows()] == ["poodle"]


def test_a_clock_that_is_wrong_is_told_by_when_it_sends(make_pack, store) -> None:
    pack = make_pack()
    asked = pack.questions[0].id
    session = Session(pack, store, "mira")
    session.answer(asked, "corgi", key(1))
    # A device five years behind: what it sends now was answered now.
    behind = "2021-03-01T08:00:07Z"
    session.answer(
        asked, "husky", key(2), shown="2021-03-01T08:00:00Z", answered=behind, sent=behind
    )
    (row,) = store.rows()
    assert row.answer is not None
    assert row.answer["choice"] == "husky"
    shown, answered = (datetime.fromisoformat(t) for t in (row.shown, row.answered))
    assert answered - shown == timedelta(seconds=7)
    assert abs(datetime.now(UTC) - answered) < timedelta(minutes=5)
    # Kept for an hour by a right clock, it was answered an hour ago.
    now = datetime.now(UTC)
    old = (now - timedelta(hours=1)).isoformat()
    session.answer(asked, "poodle", key(3), shown=old, answered=old, sent=now.isoformat())
    assert [row.answer["choice"] for row in store.rows()] == ["husky"]


def test_an_answer_to_come_is_one_of_now(make_pack, store) -> None:
    pack = make_pack()
    asked = pack.questions[0].id
    session = Session(pack, store, "mira")
    session.answer(
        asked, "husky", key(1), shown="2999-01-01T00:00:00Z", answered="2999-01-01T00:00:04Z"
    )
    (row,) = store.rows()
    answered = datetime.fromisoformat(row.answered)
    assert answered <= datetime.now(UTC)
    assert answered - datetime.fromisoformat(row.shown) == timedelta(seconds=4)
    # So the next answer is newer.
    session.answer(asked, "corgi", key(2))
    assert [row.answer["choice"] for row in store.rows()] == ["corgi"]


def test_a_time_shown_that_is_none_does_not_make_an_old_answer_new(make_pack, store) -> None:
    pack = make_pack()
    asked = pack.questions[0].id
    session = Session(pack, store, "mira")
    session.answer(asked, "corgi", key(1), **told(10))
    session.answer(asked, "husky", key(2), shown="garbage", answered=told(9)["answered"])
    session.answer(asked, "husky", key(3), shown=told(11)["shown"], answered=told(9)["answered"])
    assert [row.answer["choice"] for row in store.rows()] == ["corgi"]
    # Without a zone it is UTC, wherever the server stands.
    session.answer(asked, "poodle", key(4), answered="2026-01-05T10:00:06")
    assert store.rows()[0].answered == "2026-01-05T10:00:06.000+00:00"


@pytest.mark.parametrize("seconds", [None, float("nan"), float("inf"), -float("inf"), -5.0, 1e9])
def test_how_long_nobody_looked_is_not_made_up(make_pack, store, seconds: float | None) -> None:
    pack = make_pack()
    Session(pack, store, "mira").answer(pack.questions[0].id, "husky", key(1), seconds=seconds)
    assert store.rows()[0].answer == {"choice": "husky", "seconds": None}
    assert collect_answers(store, pack).summary["raters"]["mira"]["seconds"] is None
    Session(pack, store, "ada").answer(pack.questions[0].id, "husky", key(1), seconds=5)
    (row,) = store.rows(rater="ada")
    assert row.answer is not None
    assert isinstance(row.answer["seconds"], float)


@pytest.mark.parametrize(
    "spelling", ["Zo\u00eb", "Zoe\u0308", " Zo\u00eb\u00a0", "Zo\u200b\u00eb", "\ufeffZo\u00eb", "Z\u00ado\u00eb\u2060"]
)  # fmt: skip
def test_one_person_is_one_however_the_name_is_typed(make_pack, store, spelling: str) -> None:
    pack = make_pack(overlap=2)
    Session(pack, store, "Zo\u00eb").answer(pack.questions[0].id, "husky", key(1))
    again = Session(pack, store, spelling)
    assert again.rater == "Zo\u00eb"
    assert again.options == Session(pack, store, "Zo\u00eb").options
    assert pack.questions[0].id not in [q.id for q in again.next_questions(n=8)[0]]
    again.answer(pack.questions[0].id, "corgi", key(2))
    (row,) = store.rows()
    assert row.rater == "Zo\u00eb"
    assert collect_answers(store, pack).summary["progress"]["complete"] == 0


def test_a_clock_set_back_locks_no_question_away(make_pack, store) -> None:
    clock = Clock()
    pack = make_pack(asks=3, overlap=1, lease=600.0)
    ada, bob = (Session(pack, store, name, clock=clock) for name in ("ada", "bob"))
    clock.now += 5 * 365 * 86400
    assert len(ada.next_questions()[0]) == 3
    clock.now -= 5 * 365 * 86400
    mine, left = bob.next_questions()
    assert len(mine) == 3
    assert left.elsewhere == 0
    # A clock a few seconds behind the one that gave the lease still keeps it.
    clock.now -= 5
    assert ada.next_questions()[0] == []


def test_repeats_keep_their_distance_in_a_pack_of_thousands(make_pack, store) -> None:
    # Looked through after every answer, so it must not take the square of its questions.
    asks = 3000
    pack = make_pack(asks=asks, again=300, overlap=1)
    done = {("label", f"item-{i}"): {"ada"} for i in range(asks - 3)}
    calls = 0

    class Counting(dict):
        def get(self, *args):
            nonlocal calls
            calls += 1
            return super().get(*args)

    board = TaskSnapshot(answered=Counting(done))
    found = upcoming_questions(pack, board, "ada", (), 4)
    assert [q.kind for q in found].count("ask") == 3
    assert calls < 20 * asks


def test_a_page_that_claims_everything_keeps_nobody_from_it(make_pack, store) -> None:
    pack = make_pack(asks=20, overlap=1)
    Session(pack, store, "eve").next_questions([q.id for q in pack.questions])
    found, _ = Session(pack, store, "ada").next_questions(n=20)
    assert len(found) >= 12
