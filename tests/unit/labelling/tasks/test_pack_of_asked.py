"""Packs of comparisons, class questions without pictures, and hypotheses, from end to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.cards_in_store import activity_from_store, card_from_store
from circuitz.cards.cue_levels import activities_from_levels
from circuitz.cards.judged.plan_pairs import plan_pairs
from circuitz.cards.judged.questions_to_ask import (
    class_questions_to_ask,
    comparisons_to_ask,
    hypotheses_to_ask,
)
from circuitz.cards.judged.read_back import read_judged_answers
from circuitz.disk.json_io import loads
from circuitz.errors import BundleError, CardError, LabellingError
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.labelling.tasks.pack_io import MANIFEST, open_pack, write_pack
from circuitz.labelling.tasks.pack_of_asked import pack_of_asked_questions
from circuitz.labelling.tasks.session import Session
from circuitz.store.judgements import Judgements

WORDS = ("snow", "pointed ears", "curled tail", "fluffy coat")


def card(*words: str) -> Card:
    husky = tuple(Cue(w, (w,), (f"conv:{WORDS.index(w)}",), 0.3) for w in words)
    corgi = (Cue("short legs", ("short legs",), ("conv:9",), 0.4),)
    return Card((ClassEntry("husky", husky), ClassEntry("corgi", corgi)), "dog", "z" * 32)


POOL = [card(), *(card(*WORDS[:n]) for n in range(1, 5)), card("snow", "fluffy coat")]


def comparisons(n: int = 25, gold: bool = True) -> TaskPack:
    known = [(POOL[2].hash, POOL[4].hash)] if gold else []
    pairs = plan_pairs(POOL, n, gold=known, seed=1)
    answers = {(p.a_hash, p.b_hash): p.answer for p in pairs if p.answer}
    return pack_of_asked_questions(comparisons_to_ask(pairs, POOL), gold=answers, seed=4)


def hidden(arm: str = "hidden") -> TaskPack:
    held = card("snow", "pointed ears")
    levels = np.array([[0.8, -0.4, 0.0], [-0.8, 0.4, 0.2], [0.0, 0.0, 0.0]])
    shown = activities_from_levels(held, levels)
    pictures = [np.full((8, 8, 3), 40 * i, np.uint8) for i in range(3)]
    asked = class_questions_to_ask(
        held, ["p0", "p1", "p2"], shown, arm=arm, pictures=pictures, raters=2
    )
    return pack_of_asked_questions(asked)


def hypotheses() -> TaskPack:
    pictures = {t: np.zeros((8, 8, 3), np.uint8) for t in ("output:husky", "conv:3")}
    return pack_of_asked_questions(
        hypotheses_to_ask(list(pictures), WORDS, z_hash="z" * 32, pictures=pictures)
    )


KINDS = {"compare": comparisons, "hidden": hidden, "hypothesis": hypotheses}


@pytest.fixture
def store(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / "answers.sqlite")


def work(session: Session, choice: str, details: dict[str, Any] | None = None) -> list[str]:
    """Answer until nothing is left; returns the ids of the questions in order."""
    order: list[str] = []
    while found := session.next_questions(n=1)[0]:
        order.append(found[0].id)
        session.answer(found[0].id, choice, f"key-{len(order):06d}", details=details)
    return order


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a.tasks", "a.tasks.zip"])
def test_every_kind_comes_back_as_it_was(kind: str, name: str, tmp_path: Path) -> None:
    made = KINDS[kind]()
    write_pack(made, tmp_path / name)
    back = open_pack(tmp_path / name)
    assert (back.hash, back.task) == (made.hash, made.task)
    assert back.task.startswith({"hidden": "label"}.get(kind, kind))
    assert back.questions == made.questions
    assert dict(back.cards) == dict(made.cards)
    assert dict(back.activities) == dict(made.activities)
    assert (back.chips, back.gold) == (made.chips, dict(made.gold))


def test_a_pack_of_an_earlier_kind_is_written_as_it_was(make_pack, tmp_path: Path) -> None:
    made = make_pack(golds=2, again=1)
    assert not made.is_of_newer_kind
    write_pack(made, tmp_path / "old.tasks")
    document = loads((tmp_path / "old.tasks" / MANIFEST).read_bytes(), MANIFEST)
    assert document["schema"] == 1
    assert not {"asks", "chips"} & set(document)
    assert not {"judged_as", "further", "seed", "use"} & set(document["questions"][0])
    # As version 0.1 computed it: answers in a store are found by it.
    assert made.task == "label-d090459a2e2e29d7"
    write_pack(comparisons(), tmp_path / "new.tasks")
    assert loads((tmp_path / "new.tasks" / MANIFEST).read_bytes(), MANIFEST)["schema"] == 2


def test_a_changed_card_of_a_pack_is_refused(tmp_path: Path) -> None:
    write_pack(comparisons(), tmp_path / "a.tasks")
    file = tmp_path / "a.tasks" / "cards.json"
    file.write_bytes(file.read_bytes().replace(b"snow", b"hair"))
    with pytest.raises(BundleError):
        open_pack(tmp_path / "a.tasks")


def test_comparisons_are_answered_mirrored_later_and_read_back(store: Judgements) -> None:
    pack = comparisons()
    counts = pack.count_questions_by_kind()
    assert counts["again"] == 2
    assert counts["gold"] == 1
    order = work(Session(pack, store, "mira"), "a")
    assert sorted(order) == sorted(q.id for q in pack.questions)
    place = {frozenset(pack.question_by_id(i).items): n for n, i in enumerate(order)}
    for q in pack.questions:
        if q.kind == "again":
            first = next(p for p in pack.questions if p.kind == "ask" and p.items[::-1] == q.items)
            assert order.index(q.id) == place[frozenset(q.items)] > order.index(first.id)
    found = read_judged_answers(store.rows(), pack.cards.values())
    assert len(found.comparisons) == len(pack.questions)
    assert sum(bool(one.repeat_of) for one in found.comparisons) == counts["again"]
    # Always the left one: every repeat contradicts.
    assert [p.kind for p in found.problems] == ["contradiction"] * counts["again"]
    uses = {one.use for one in found.comparisons}
    assert uses == {"train", "held-out", "gold"}
    rows = store.rows()
    assert all(row.options == ("a", "b", "equal", "both implausible") for row in rows)
    seeds = {q.items: q.seed for q in pack.questions}
    assert all(row.seed == seeds[row.items] for row in rows)
    assert len({row.instructions for row in rows}) == 1
    assert all(card_from_store(store, item) in POOL for row in rows for item in row.items)
    left = Session(pack, store, "jon").rater_progress()
    assert (left.collected, left.needed) == (counts["ask"], 2 * counts["ask"])


def test_two_comparisons_with_one_card_on_the_left_are_two_questions(store: Judgements) -> None:
    pack = comparisons(gold=False)
    session = Session(pack, store, "mira")
    lefts = [q for q in pack.questions if q.item == pack.questions[0].item]
    assert len(lefts) > 1
    session.answer(lefts[0].id, "a", "key-00000")
    assert session.rater_progress().answered == 1
    assert [r["id"] for r in session.recent_answers()] == [lefts[0].id]
    assert session.withdraw(lefts[0].id)
    assert session.rater_progress().answered == 0


def test_reasons_point_at_what_is_shown(store: Judgements) -> None:
    pack = comparisons()
    session = Session(pack, store, "mira")
    q = next(q for q in pack.questions if "snow" in pack.cards[q.items[1]].concepts)
    reason = {"side": "b", "class": "husky", "words": "snow", "part": "arrow"}
    session.answer(
        q.id, "a", "key-00000", details={"reasons": [reason, reason], "note": " not\nthe ground "}
    )
    (row,) = store.rows()
    assert row.answer["reasons"] == [reason]
    assert row.answer["note"] == "not\nthe ground"
    assert session.recent_answers()[0]["details"] == {
        "reasons": [reason],
        "note": "not\nthe ground",
    }
    for bad in (
        {"reasons": [{**reason, "words": "beard"}]}, {"reasons": [{**reason, "side": "left"}]},
        {"reasons": "snow"}, {"reasons": [reason] * 21}, {"note": "\u202e"}, {"note": "x" * 2001},
        {"note": 3},
    ):  # fmt: skip
        with pytest.raises(LabellingError):
            session.answer(q.id, "b", "key-00001", details=bad)
    with pytest.raises(LabellingError, match="no answer"):
        session.answer(q.id, "not usable", "key-00002")
    assert len(store.rows(current=False)) == 1


def test_an_input_without_its_picture_is_answered_by_its_activity(store: Judgements) -> None:
    pack = hidden()
    assert pack.hidden
    assert not pack.pictures
    work(Session(pack, store, "mira"), "corgi")
    found = read_judged_answers(store.rows(), [pack.card])
    assert {one.arm for one in found.class_answers} == {"hidden"}
    assert {one.item for one in found.class_answers} == {"p0", "p1", "p2"}
    shown = {activity_from_store(store, one.activity_hash) for one in found.class_answers}
    assert shown == set(pack.activities.values())
    assert all(set(one.options) == {"husky", "corgi"} for one in found.class_answers)


def test_the_shown_arm_has_pictures_and_its_answers_teach_labels(store: Judgements) -> None:
    from circuitz.labelling.labels.collect import collect_answers

    pack = hidden("shown")
    assert not pack.hidden
    assert len(pack.pictures) == 3
    work(Session(pack, store, "mira"), "husky")
    assert {row.kind for row in store.rows()} == {"label: shown"}
    assert collect_answers(store, pack).summary["answers"] == 3


def test_hypotheses_are_words_of_the_pack_and_what_was_written(store: Judgements) -> None:
    pack = hypotheses()
    session = Session(pack, store, "mira")
    husky, unit = pack.questions
    session.answer(
        husky.id, "written", "key-00000", details={"words": ["snow", "snow"], "text": "blue eyes"}
    )
    session.answer(unit.id, "cannot tell", "key-00001")
    for bad in ({}, {"words": ["beard"]}, {"words": "snow"}, {"text": "  \n"}):
        with pytest.raises(LabellingError):
            session.answer(unit.id, "written", "key-00002", details=bad)
    found = read_judged_answers(store.rows())
    assert [(one.target, one.phrases) for one in found.hypotheses] == [
        ("output:husky", ("snow", "blue eyes")), ("conv:3", ()),
    ]  # fmt: skip
    assert {one.z_hash for one in found.hypotheses} == {"z" * 32}


def test_what_no_screen_could_ask_is_refused() -> None:
    asked = comparisons_to_ask(plan_pairs(POOL, 12), POOL)
    with pytest.raises(LabellingError, match="nothing to ask"):
        pack_of_asked_questions([])
    with pytest.raises(LabellingError, match="several kinds"):
        pack_of_asked_questions([*asked, *hypotheses_to_ask(["conv:1"], WORDS)])
    with pytest.raises(LabellingError, match="two cards"):
        pack_of_asked_questions([replace(asked[0], shown={})])
    with pytest.raises(LabellingError, match="known answer"):
        pack_of_asked_questions([replace(asked[0], use="gold")])
    with pytest.raises(LabellingError, match="no picture"):
        pack_of_asked_questions(hypotheses_to_ask(["conv:1"], WORDS))
    with pytest.raises(LabellingError, match="cannot be a word"):
        pack_of_asked_questions(hypotheses_to_ask(["conv:1"], ["cannot tell"]))


def test_an_activity_of_another_card_is_refused() -> None:
    made = hidden()
    with pytest.raises(LabellingError, match="activity"):
        replace(made, card=card("snow"))
    activities = tuple(made.activities.values())
    with pytest.raises(CardError, match="another card"):
        class_questions_to_ask(card("snow"), ["a", "b", "c"], activities)
