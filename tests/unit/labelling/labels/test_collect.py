from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from circuitz.cards.cards_in_store import card_from_store
from circuitz.errors import LabellingError, StoreError
from circuitz.labelling.labels.collect import (
    answers_as_csv,
    collect_answers,
    write_answers_csv_or_jsonl,
)
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.labelling.tasks.session import Session
from circuitz.store.judgement import Judgement
from circuitz.store.judgements import Judgements

MakePack = Callable[..., TaskPack]


@pytest.fixture
def store(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / "answers.sqlite")


def give(pack: TaskPack, store: Judgements, rater: str, choices: list[str]) -> None:
    session = Session(pack, store, rater)
    for n, (question, choice) in enumerate(zip(pack.questions, choices, strict=False)):
        session.answer(question.id, choice, f"key-{n:06d}", seconds=n + 1)


def test_progress_gold_and_agreement(make_pack: MakePack, store: Judgements) -> None:
    pack = make_pack(asks=4, golds=2, again=1)
    give(pack, store, "ada", ["husky", "corgi", "husky", "corgi", "husky", "husky", "husky"])
    give(pack, store, "bob", ["husky", "corgi", "husky", "cannot tell", "husky", "corgi", "corgi"])
    found = collect_answers(store, pack).summary
    assert found["progress"] == {
        "questions": 4, "complete": 4, "begun": 4, "answers": 8, "needed": 8,
    }  # fmt: skip
    assert found["raters"]["ada"]["gold"]["estimate"] == 1
    assert found["raters"]["bob"]["gold"]["estimate"] == 0.5
    assert found["raters"]["ada"]["with_themselves"]["estimate"] == 1
    assert found["raters"]["bob"]["with_themselves"]["estimate"] == 0
    assert found["raters"]["bob"]["cannot_tell"] == 1
    assert found["raters"]["ada"]["seconds"] == 4
    assert found["agreement"]["estimate"] == 1
    assert found["agreement"]["n"] == 3
    json.dumps(found)


def test_withdrawn_answers_do_not_count(make_pack: MakePack, store: Judgements) -> None:
    pack = make_pack()
    give(pack, store, "ada", ["husky", "corgi"])
    Session(pack, store, "ada").withdraw(pack.questions[0].id)
    assert len(collect_answers(store, pack).rows) == 1


def test_one_person_on_two_machines_counts_once(
    make_pack: MakePack, store: Judgements, tmp_path: Path
) -> None:
    pack = make_pack(asks=4, overlap=2)
    give(pack, store, "ada", ["husky", "corgi"])
    other = Judgements(tmp_path / "other.sqlite")
    again = Session(pack, other, " ada\u200b")
    for question, choice in zip(pack.questions, ["husky", "husky", "poodle"], strict=False):
        again.answer(question.id, choice, f"other-{question.id}")
    other.export_jsonl(tmp_path / "other.jsonl")
    store.import_jsonl(tmp_path / "other.jsonl")
    found = collect_answers(store, pack).summary
    assert list(found["raters"]) == ["ada"]
    assert found["answers"] == 3
    assert found["choices"] == {"husky": 2, "poodle": 1}
    assert found["agreement"] is None
    assert found["progress"]["complete"] == 0
    assert found["progress"]["answers"] == 3


def test_an_empty_store_and_a_wrong_pack_are_named(make_pack: MakePack, store: Judgements) -> None:
    with pytest.raises(LabellingError, match="no labels yet"):
        collect_answers(store)
    pack, other = make_pack(), make_pack(seed=3)
    give(pack, store, "ada", ["husky"])
    with pytest.raises(LabellingError, match=r"no answers to this task pack .* 1 to label-"):
        collect_answers(store, other)
    assert len(collect_answers(store).rows) == 1


def test_csv_runs_no_formula_and_jsonl_comes_back(
    make_pack: MakePack, store: Judgements, tmp_path: Path
) -> None:
    pack = make_pack(golds=1)
    evil = ["=cmd()", "+1", "-1", "@x", "'=x"]
    for name in evil:
        give(pack, store, name, ["husky"])
    found = collect_answers(store, pack)
    data = answers_as_csv(found.rows, pack)
    assert data.startswith(b"\xef\xbb\xbfpath,")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert all(row["rater"].startswith("'") for row in rows)
    assert not any(cell[:1] in "=+-@\t\r" for row in rows for cell in row.values() if cell)
    assert rows[0]["path"] == "item-0.png"
    write_answers_csv_or_jsonl(found, tmp_path / "a.jsonl", pack)
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    back = [Judgement.from_dict(json.loads(line)) for line in lines[len(found.shown) :]]
    assert tuple(back) == found.rows
    write_answers_csv_or_jsonl(found, tmp_path / "a.csv", pack)
    assert (tmp_path / "a.csv").read_bytes() == answers_as_csv(found.rows, pack)


def test_the_card_goes_with_the_answers_into_json_lines(
    make_pack: MakePack, store: Judgements, tmp_path: Path
) -> None:
    """Whoever has the file alone can learn from it: the card under its hash, then the answers."""
    pack = make_pack()
    give(pack, store, "ada", ["husky", "corgi"])
    found = collect_answers(store, pack)
    write_answers_csv_or_jsonl(found, tmp_path / "a.jsonl", pack)
    other = Judgements(tmp_path / "other.sqlite")
    assert other.import_jsonl(tmp_path / "a.jsonl") == 2
    named = {row.card_hash for row in found.rows}
    assert named == {pack.card.hash}
    assert card_from_store(other, pack.card.hash) == pack.card


def test_no_cell_of_the_csv_is_taken_for_a_number_or_a_day(
    make_pack: MakePack, store: Judgements
) -> None:
    pack = make_pack()
    give(pack, store, "1e5", ["husky"])
    (first,) = store.rows()
    odd = {
        "items": ("00123",),
        "z_hash": "1" * 32,
        "card_hash": "12e34",
        "instructions": "20260105",
    }
    store.append(replace(first, id="8" * 32, key="odd", rater="2026-01-05", **odd))
    text = answers_as_csv(store.rows(), pack).decode("utf-8-sig")
    for row in csv.DictReader(io.StringIO(text)):
        for name in ("item", "rater", "task", "z", "card", "instructions", "id"):
            assert not row[name][:1].isdigit() or not row[name].replace("e", "").isdigit()
            with pytest.raises(ValueError, match="convert"):
                float(row[name])
    assert [row["rater"] for row in csv.DictReader(io.StringIO(text))] == ["'1e5", "'2026-01-05"]


def test_files_that_cannot_be_written_are_named(
    make_pack: MakePack, store: Judgements, tmp_path: Path
) -> None:
    give(make_pack(), store, "ada", ["husky"])
    found = collect_answers(store)
    with pytest.raises(LabellingError, match="neither CSV"):
        write_answers_csv_or_jsonl(found, tmp_path / "a.xls")
    with pytest.raises(StoreError):
        write_answers_csv_or_jsonl(found, tmp_path / "none" / "a.csv")


def test_seconds_that_are_none_do_not_count(make_pack: MakePack, store: Judgements) -> None:
    pack = make_pack()
    give(pack, store, "ada", ["husky", "corgi"])
    first = store.rows()[0]
    for n, odd in enumerate(("fast", True, None, [1], float("inf"))):
        row = replace(
            first, id="", key=f"odd-{n}", rater="eve", items=(f"item-{n}",),
            answer={"choice": "husky", "seconds": odd},
        )  # fmt: skip
        if odd == float("inf"):
            with pytest.raises(StoreError, match="not JSON"):
                store.append(row)
        else:
            store.append(row)
    found = collect_answers(store, pack)
    assert found.summary["raters"]["eve"]["seconds"] is None
    json.dumps(found.summary, allow_nan=False)
    assert answers_as_csv(found.rows, pack).count(b"fast") == 0


def test_names_that_differ_in_capitals_only_are_remarked_on(
    make_pack: MakePack, store: Judgements
) -> None:
    pack = make_pack(asks=3)
    for rater in ("Nora", "nora", "Emil"):
        give(pack, store, rater, ["husky", "corgi"])
    (said,) = collect_answers(store, pack).summary["remarks"]
    assert said.startswith("Nora and nora count as two")
    assert "Emil" not in said


def test_names_of_two_tasks_are_not_compared(make_pack: MakePack, store: Judgements) -> None:
    for rater, seed in (("Nora", 0), ("nora", 1)):
        give(make_pack(seed=seed, asks=2), store, rater, ["husky"])
    found = collect_answers(store).summary
    assert len(found["tasks"]) == 2
    assert found["remarks"] == []


def test_a_model_and_a_person_of_one_name_are_two_raters(
    make_pack: MakePack, store: Judgements
) -> None:
    pack = make_pack(asks=2)
    give(pack, store, "ada", ["husky", "husky"])
    model = Session(pack, store, "ada", kind="model")
    assert model.rater_progress().answered == 0
    model.answer(pack.questions[0].id, "corgi", "key-of-model")
    found = collect_answers(store, pack)
    assert {name: some["answers"] for name, some in found.summary["raters"].items()} == {
        "ada": 2, "ada (model)": 1,
    }  # fmt: skip
    assert found.summary["progress"]["complete"] == 1
    assert [past["choice"] for past in Session(pack, store, "ada").recent_answers()] == [
        "husky"
    ] * 2
    assert model.withdraw(pack.questions[0].id)
    assert [row.rater_kind for row in collect_answers(store, pack).rows] == ["person"] * 2


def test_a_stored_choice_that_was_never_offered_is_set_aside_and_counted(
    make_pack: MakePack, store: Judgements
) -> None:
    pack = make_pack(asks=2)
    give(pack, store, "ada", ["husky", "cannot tell"])
    row = store.rows()[0]
    store.append(replace(row, id="", rater="bob", key="by-hand", answer={"choice": "heron"}))
    found = collect_answers(store, pack)
    assert {r.rater for r in found.rows} == {"ada"}
    assert found.summary["set_aside"] == 1
    assert "heron" not in found.summary["choices"]
    assert found.summary["remarks"] == [
        "1 answer chooses none of their question's options: left out."
    ]
