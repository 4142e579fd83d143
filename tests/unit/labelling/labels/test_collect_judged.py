from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.judged.questions_to_ask import hypotheses_to_ask
from circuitz.errors import LabellingError
from circuitz.labelling.labels.collect import collect_answers
from circuitz.labelling.labels.collect_judged import collect_judged, judged_as_csv, write_judged
from circuitz.labelling.labels.hypothesis_annotations import with_hypotheses
from circuitz.labelling.tasks.make_judging_pack import make_compare_pack
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.labelling.tasks.pack_of_asked import pack_of_asked_questions
from circuitz.labelling.tasks.session import Session
from circuitz.store.judgements import Judgements
from circuitz.store.memory_judgements import JudgementsInMemory


def card(*words: str) -> Card:
    cues = tuple(Cue(w, (w,), (f"conv:{w}",), 0.3) for w in words)
    return Card((ClassEntry("husky", cues), ClassEntry("corgi", ())), "dog")


POOL = [card(), card("snow"), card("snow", "ears"), card("=1+1", "ears"), card("tail")]


@pytest.fixture
def store() -> JudgementsInMemory:
    return JudgementsInMemory()


def compare(store, answers: dict[str, str], **more) -> TaskPack:
    """Have every rater answer every pair in their one way."""
    pack = make_compare_pack(POOL, n=10, overlap=len(answers), seed=1, **more)
    for name, choice in answers.items():
        session = Session(pack, store, name)
        while found := session.next_questions(n=1)[0]:
            session.answer(found[0].id, choice, f"key-{found[0].id}")
    return pack


def test_who_always_takes_the_left_one_disagrees_with_themselves(store) -> None:
    gold = [(POOL[2].hash, POOL[0].hash), (POOL[4].hash, POOL[3].hash)]
    pack = compare(store, {"mira": "a", "jon": "equal"}, gold=gold)
    found = collect_judged(store, "compare", pack)
    asked = pack.count_questions_by_kind()
    assert asked["again"] >= 1
    facts = found.summary["raters"]
    assert facts["mira"]["with_themselves"]["estimate"] == 0
    assert facts["jon"]["with_themselves"]["estimate"] == 1
    assert facts["mira"]["gold"]["n"] == asked["gold"]
    assert found.summary["agreement"]["estimate"] == 0
    assert (found.summary["cards"], found.summary["groups"]) == (5, 1)
    assert found.summary["outcomes"] == {
        "a": asked["ask"] + asked["gold"], "equal": asked["ask"] + asked["gold"],
    }  # fmt: skip
    assert any("the other way round" in remark for remark in found.summary["remarks"])


def test_what_cannot_rank_is_said(store) -> None:
    compare(store, {"mira": "equal"})
    remarks = " ".join(collect_judged(store, "compare").summary["remarks"])
    assert "nothing ranks them" in remarks
    assert "One rater alone" in remarks


def test_cards_that_no_pair_joins_are_counted(store) -> None:
    for pool in (POOL[:2], POOL[2:4]):
        pack = make_compare_pack(pool, n=1, overlap=1)
        session = Session(pack, store, "mira")
        session.answer(pack.questions[0].id, "a", "key-00000")
    summary = collect_judged(store, "compare").summary
    assert summary["groups"] == 2
    assert any("no common scale" in remark for remark in summary["remarks"])


def test_comparisons_are_written_with_formulas_escaped_and_read_back(store, tmp_path: Path) -> None:
    pack = make_compare_pack([POOL[2], POOL[3]], n=1, overlap=1)
    side = "a" if pack.questions[0].item == POOL[3].hash else "b"
    reason = {"side": side, "class": "husky", "words": "=1+1", "part": "words"}
    Session(pack, store, "=mira").answer(
        pack.questions[0].id, "a", "key-00000", details={"reasons": [reason], "note": "=2"}
    )
    found = collect_judged(store, "compare", pack)
    (row,) = csv.DictReader(io.StringIO(judged_as_csv(found).decode("utf-8-sig")))
    assert (row["rater"], row["note"]) == ("'=mira", "'=2")
    assert row["reasons"] == f"{side}: husky: =1+1 (words)"
    assert row["preferred"] == pack.questions[0].item
    write_judged(found, tmp_path / "a.jsonl")
    other = Judgements(tmp_path / "other.sqlite")
    other.import_jsonl(tmp_path / "a.jsonl")
    assert [r.answer for r in other.rows()] == [r.answer for r in store.rows()]
    with pytest.raises(LabellingError, match="neither CSV"):
        write_judged(found, tmp_path / "a.txt")


def hypotheses(store, z, said: dict[str, dict[str, list[str]]]) -> TaskPack:
    targets = ["output:husky", "conv:2"]
    pictures = {t: np.zeros((4, 4, 3), np.uint8) for t in targets}
    pack = pack_of_asked_questions(
        hypotheses_to_ask(targets, ["snow", "grass"], z_hash=z.hash, pictures=pictures, raters=3)
    )
    for name, words in said.items():
        for q in pack.questions:
            if q.item in words:
                Session(pack, store, name).answer(
                    q.id, "written", f"key-{q.id}", details={"words": words[q.item]}
                )
    return pack


def test_hypotheses_become_peoples_annotations(store, toy) -> None:
    z = toy()
    pack = hypotheses(
        store, z, {"mira": {"conv:2": ["snow"], "output:husky": ["grass"]}, "jon": {"conv:2": ["snow", "grass"]}}
    )  # fmt: skip
    found = collect_judged(store, "hypothesis", pack)
    assert found.summary["targets"] == {
        "conv:2": {"snow": 2, "grass": 1},
        "output:husky": {"grass": 1},
    }
    new, left_out = with_hypotheses(z, found.read.hypotheses)
    assert not left_out
    written = [a for a in new.log if a.author_kind == "person"]
    assert [(a.target, a.author, a.text, a.confidence) for a in written if a.target == "conv:2"] == [
        ("conv:2", "mira", "snow", 1.0), ("conv:2", "jon", "snow; grass", 1.0),
    ]  # fmt: skip
    assert set(written[-1].concepts) == {"snow", "grass"}
    assert new.effective()["output:husky"].author == "mira"


def test_what_was_said_of_another_z_or_of_no_unit_is_left_out_by_name(store, toy) -> None:
    z = toy()
    hypotheses(store, z, {"mira": {"conv:2": ["snow"]}})
    told = collect_judged(store, "hypothesis").read.hypotheses
    later = z.annotate("conv:0", "floppy ears").annotate("conv:1", "pointed ears")
    other, left_out = with_hypotheses(later, told)
    assert len(left_out) == 1
    assert "another z" in left_out[0]
    assert other.log == later.log


def test_nothing_collected_is_said(store, make_pack) -> None:
    for kind in ("compare", "hypothesis"):
        with pytest.raises(LabellingError, match=f"no answers of kind {kind}"):
            collect_judged(store, kind)
    with pytest.raises(LabellingError, match="no labels"):
        collect_answers(store, hidden=True)
