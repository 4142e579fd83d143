from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.cards.card import Card, ClassEntry, Cue, UnitExemplars
from circuitz.errors import LabellingError, StoreError
from circuitz.labelling.tasks.pack import Question, Sighting, TaskPack, opaque_question_id
from circuitz.labelling.tasks.pack_io import write_pack
from circuitz.store.judgements import Judgements
from circuitz.widgets.labelling.labelling import (
    Labelling,
    default_store_path,
    labelling_from_environment,
)

EVIL = '"><script>alert(1)</script>'


def png(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (value, 40, 90)).save(buffer, "PNG")
    return buffer.getvalue()


def make(golds: int = 1, asks: int = 6) -> TaskPack:
    cue = Cue(EVIL, (), ("conv:2",), 0.5, (UnitExemplars("conv", "conv:2", (3, 1)),))
    card = Card(
        (ClassEntry("husky", (cue,), (0.1, 0.0, 0.2)), ClassEntry(EVIL, ())), "dog", "z" * 32
    )
    kinds = [("ask", f"item-{i}") for i in range(asks)]
    kinds += [("gold", f"gold-{i}") for i in range(golds)]
    questions = tuple(
        Question(
            opaque_question_id(0, item, kind), item, kind, f"husky/{item}.png", f"pictures/{item}.png",
            (Sighting(EVIL, ("conv:2",), 0.9, 0),),
        )
        for kind, item in kinds
    )  # fmt: skip
    return TaskPack(
        name=EVIL, card=card, questions=questions, seed=0, overlap=1, guidelines=EVIL,
        gold={q.id: "husky" for q in questions if q.kind == "gold"},
        heat=np.full((1, 2, 2), 200, np.uint8),
        pictures={q.picture: png(i) for i, q in enumerate(questions)},
        exemplars={1: png(1), 3: b"\x89PNG\r\n\x1a\n broken"},
    )  # fmt: skip


class Screen:
    """Talks to a widget as its page does."""

    def __init__(self, widget: Labelling) -> None:
        self.widget = widget
        self.replies: list[tuple[dict, list[bytes]]] = []
        widget.send = lambda content, buffers=None: self.replies.append((content, buffers or []))

    def ask(self, action: str, **arguments: object) -> dict:
        self.widget._answer_screen_message(
            None, {"id": f"m{len(self.replies)}", "action": action, **arguments}, []
        )
        return self.replies[-1][0]


@pytest.fixture
def store(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / "a.sqlite")


def test_the_first_screen_needs_no_question_asked(store) -> None:
    widget = Labelling(make(), store, rater="mira")
    first = widget.first
    assert first is not None
    assert first["rater"] == "mira"
    assert len(first["upcoming"]) == 4
    for question in first["upcoming"]:
        assert first["blobs"][f"picture {question['id']}"].startswith(b"\x89PNG")
        assert first["blobs"][f"heat {question['id']}"] == bytes([200] * 4)
    assert sorted(first["options"]) == sorted(widget.pack["card"][i]["name"] for i in (0, 1))


def test_nothing_tells_raters_what_they_may_not_know(store) -> None:
    widget = Labelling(make(), store, rater="mira")
    screen = Screen(widget)
    told = [json.dumps(widget.pack, default=str), json.dumps(widget.first, default=str)]
    held = [q["id"] for q in widget.first["upcoming"]]
    for n in range(7):
        told.append(json.dumps(screen.ask("next", held=held)))
        held += [q["id"] for q in screen.replies[-1][0]["upcoming"]]
        answer = screen.ask("answer", rater="mira", question=held[0], choice="husky",
                            key=f"key-{n:06d}", held=held[1:])  # fmt: skip
        told.append(json.dumps(answer))
        assert answer["ok"], answer
        held = [*held[1:], *(q["id"] for q in answer["upcoming"])]
    text = "".join(told)
    for hidden in ("gold", "item-", "husky/", "pictures/", '"kind"', "seed", "logit", "author"):
        assert hidden not in text
    assert not held
    assert {row.use for row in store.rows()} == {"train", "gold"}


def test_an_answer_is_stored_before_its_reply_and_once(store) -> None:
    screen = Screen(Labelling(make(), store, rater="mira"))
    asked = screen.widget.first["upcoming"][0]["id"]
    same = {"rater": "mira", "question": asked, "choice": "husky", "key": "k" * 16, "seconds": 1.5}
    assert screen.ask("answer", **same)["ok"]
    assert len(store) == 1
    assert screen.ask("answer", **same)["ok"]
    assert len(store) == 1
    assert screen.ask("withdraw", rater="mira", question=asked, of="k" * 16)["ok"]
    assert store.rows() == []
    assert screen.ask("aside", rater="mira", question=asked, later=True)["standing"]["aside"] == 1


def test_a_page_says_when_it_answers_and_what_its_clock_says(store) -> None:
    screen = Screen(Labelling(make(), store, rater="Zo\u00eb"))
    asked = screen.widget.first["upcoming"][0]["id"]
    # The name as an earlier version kept it with answers that were not sent yet.
    sent = {"rater": "Zoe\u0308 ", "question": asked}
    wrong = "2021-05-01T10:00:00.000Z"
    assert screen.ask("answer", **sent, choice="cannot tell", key="a" * 16)["ok"]
    late = {"shown": "2026-01-05T09:00:00.000Z", "answered": "2026-01-05T09:00:03.000Z"}
    assert screen.ask("answer", **sent, choice="husky", key="b" * 16, **late)["ok"]
    assert [row.answer["choice"] for row in store.rows()] == ["cannot tell"]
    by_wrong_clock = {"shown": wrong, "answered": wrong, "sent": wrong}
    assert screen.ask("answer", **sent, choice="husky", key="c" * 16, **by_wrong_clock)["ok"]
    assert [row.answer["choice"] for row in store.rows()] == ["husky"]
    assert {row.rater for row in store.rows(current=False)} == {"Zo\u00eb"}


def test_a_name_is_asked_when_none_was_given_and_another_may_come(store) -> None:
    screen = Screen(Labelling(make(), store))
    assert screen.widget.first is None
    assert screen.ask("next")["code"] == "labelling"
    assert screen.ask("enter", rater="  ")["code"] == "labelling"
    reply = screen.ask("enter", rater="ada")
    assert reply["rater"] == screen.widget.rater == "ada"
    asked = reply["upcoming"][0]["id"]
    refused = screen.ask("answer", rater="bob", question=asked, choice="husky", key="k" * 16)
    assert refused["code"] == "labelling"
    assert len(store) == 0
    assert screen.ask("leave")["ok"]
    assert screen.widget.rater == ""


@pytest.mark.parametrize(
    "message",
    [
        {"action": "answer"}, {"action": "answer", "rater": 1, "question": [], "choice": {}, "key": 3},
        {"action": "enter", "rater": "x" * 999}, {"action": "shutdown"}, {"action": None},
        {"action": "next", "held": "abc"}, {"action": "next", "held": 5},
        {"action": "begin", "surprise": 1},
    ],
)  # fmt: skip
def test_odd_messages_are_answered_by_name_and_store_nothing(store, message) -> None:
    screen = Screen(Labelling(make(), store, rater="mira"))
    reply = screen.ask(**message)
    assert reply["ok"] or reply["code"] in {"labelling", "malformed", "unknown-action"}
    assert len(store) == 0
    screen.widget._answer_screen_message(None, "nothing", [])
    screen.widget._answer_screen_message(None, {"id": 5}, [])
    assert len(screen.replies) == 1


def test_a_store_that_fails_says_so_and_the_screen_lives_on(store) -> None:
    screen = Screen(Labelling(make(), store, rater="mira"))
    asked = screen.widget.first["upcoming"][0]["id"]
    said = {"rater": "mira", "question": asked, "choice": "husky", "key": "k" * 16}
    store.path.rename(store.path.with_suffix(".away"))
    store.path.mkdir()
    assert screen.ask("answer", **said)["code"] == "store"
    store.path.rmdir()
    store.path.with_suffix(".away").rename(store.path)
    assert screen.ask("answer", **said)["ok"]
    assert len(store) == 1


def test_the_environment_opens_a_screen_or_says_why_not(monkeypatch, tmp_path) -> None:
    for name in ("CIRCUITZ_TASKS", "CIRCUITZ_STORE", "CIRCUITZ_RATER"):
        monkeypatch.delenv(name, raising=False)
    closed = labelling_from_environment()
    assert closed.pack["problem"]["code"] == "labelling"
    assert "No labelling screen" in repr(closed)
    place = write_pack(make(), tmp_path / "a.tasks")
    monkeypatch.setenv("CIRCUITZ_TASKS", str(tmp_path / "none"))
    assert "no task pack" in labelling_from_environment().pack["problem"]["message"]
    monkeypatch.setenv("CIRCUITZ_TASKS", str(place))
    monkeypatch.setenv("CIRCUITZ_RATER", "mira")
    widget = labelling_from_environment()
    assert widget.pack["problem"] is None
    assert widget.rater == "mira"
    assert Path(default_store_path(place)) == tmp_path / "a.tasks.sqlite"
    assert (tmp_path / "a.tasks.sqlite").is_file()
    monkeypatch.setenv("CIRCUITZ_STORE", "redis://x/y")
    assert labelling_from_environment().pack["problem"]["code"] == "store"
    assert Screen(labelling_from_environment()).ask("next")["code"] == "labelling"


def test_what_cannot_be_opened_raises_in_python(tmp_path) -> None:
    with pytest.raises(LabellingError):
        Labelling(tmp_path / "none", tmp_path / "a.sqlite")
    with pytest.raises(StoreError):
        Labelling(make(), "ftp://x")


def test_without_a_front_end_it_says_what_it_is(store) -> None:
    said = repr(Labelling(make(), store))
    assert "6 pictures, 2 classes, 1 answers each" in said
    assert str(store.path) in said


def about_words() -> TaskPack:
    questions = tuple(
        Question(
            opaque_question_id(0, f"{w} {i}", "ask", w), f"{w} {i}", "ask", "", "p.png", word=w
        )
        for w in ("snow", "ears")
        for i in range(20)
    )
    return TaskPack(
        name="What do these pictures show?", card=Card((ClassEntry("yes", ()), ClassEntry("no", ()))),
        questions=questions, seed=0, overlap=1, guidelines="Look.", pictures={"p.png": png(1)},
        plan={q.id: {"population": "D'", "row": 3} for q in questions},
    )  # fmt: skip


def test_a_page_of_pictures_is_stored_before_its_reply_and_taken_back_whole(store) -> None:
    widget = Labelling(about_words(), store, rater="mira")
    assert widget.pack["grid"]
    screen = Screen(widget)
    assert widget.first is not None
    page = [q["id"] for q in widget.first["upcoming"]]
    assert len(page) == 12
    told = screen.ask("next", held=page, n=24)
    held = [q["id"] for q in told["upcoming"]]
    assert len(held) == 12
    answers = [[q, "yes" if i == 3 else "no"] for i, q in enumerate(page)]
    sent = {
        "rater": "mira",
        "page": "p" * 16,
        "answers": answers,
        "seconds": 12.0,
        "held": held,
        "n": 24,
    }
    for _ in range(2):
        reply = screen.ask("answer_page", **sent)
        assert reply["ok"], reply
        assert len(store) == 12
    assert reply["standing"]["answered"] == 12
    assert "population" not in json.dumps([widget.pack, widget.first, screen.replies], default=str)
    # A page opened anew can still take the whole last page back.
    again = Screen(Labelling(about_words(), store, rater="mira"))
    recent = again.widget.first["recent"]
    assert {r["key"].split(":")[0] for r in recent} == {"p" * 16}
    reply = again.ask("withdraw_page", rater="mira", answers=[[r["id"], r["key"]] for r in recent])
    assert reply["standing"]["answered"] == 0
    assert store.rows() == []
    for wrong in (
        {"answers": [["nobody", "no"]]},
        {"answers": [["x"]]},
        {"answers": 7},
        {"rater": "ben"},
    ):
        assert not screen.ask("answer_page", **{**sent, "page": "q" * 16, **wrong})["ok"]
    assert store.rows() == []
