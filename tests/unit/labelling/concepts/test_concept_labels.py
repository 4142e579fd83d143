"""From questions about pictures to labels that the check uses, and back."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from circuitz.errors import CircuitzError, LabellingError
from circuitz.labelling.concepts.concept_answers import (
    merge_answers_about_word,
    summarise_answers_by_word,
)
from circuitz.labelling.concepts.concept_csv import (
    read_answers_csv,
    store_new_csv_answers,
    write_questions_csv_and_pictures,
)
from circuitz.labelling.concepts.concept_labels import (
    AppliedAnswers,
    apply_answers_to_concept_set,
    undo_last_labels,
)
from circuitz.labelling.concepts.concept_pack import (
    concept_column_name,
    make_concept_pack,
)
from circuitz.labelling.concepts.concept_questions import choose_pictures_to_ask
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.labelling.tasks.pack_io import open_pack, write_pack
from circuitz.labelling.tasks.session import Session
from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check import check
from circuitz.plausibility.problems import words_with_simulated_labels
from circuitz.store.judgements import Judgements
from circuitz.widgets.labelling import labelling_payload as payload
from circuitz.z.bundle.inputs_io import input_set_fingerprint
from circuitz.z.inputs import SPLITS
from circuitz.z.model import AnnotatedModel
from circuitz.z.pixel_hashes import pixel_hash

LEXICON = Lexicon.load()


def without(z: AnnotatedModel, word: str) -> tuple[AnnotatedModel, np.ndarray]:
    """Take a word's labels away; returns them too."""
    shown = z.concept_set
    assert shown is not None
    assert shown.concepts is not None
    at = shown.concept_names.index(word)
    keep = [i for i in range(len(shown.concept_names)) if i != at]
    new = replace(
        shown,
        concepts=np.ascontiguousarray(shown.concepts[:, keep]),
        concept_names=tuple(shown.concept_names[i] for i in keep),
    )
    measured = replace(z.measurements, concepts_hash=input_set_fingerprint(new))
    return z.with_(concept_set=new, measurements=measured), shown.concepts[:, at].copy()


def answer(pack: TaskPack, store: Judgements, truth: np.ndarray, rater: str = "ana", **odd: str):
    """Answer every question from the truth; ``odd`` says otherwise for ``row_N``."""
    session = Session(pack, store, rater)
    rows = [(q.id, pack.plan[q.id]["row"]) for q in pack.questions]
    store.store_superseding_answers(
        session.answer_as_judgement(
            q, odd.get(f"row_{row}", "yes" if truth[row] else "no"), f"{rater}-key-{q}"
        )
        for q, row in rows
    )


def taken(
    z: AnnotatedModel, pack: TaskPack, store: Judgements, word: str = "snow", **more
) -> AppliedAnswers:
    rows = store.rows(task=pack.task)
    return apply_answers_to_concept_set(
        z,
        word,
        merge_answers_about_word(pack, rows, word),
        pack.plan,
        lexicon=LEXICON,
        task=pack.task,
        **more,
    )


@pytest.fixture
def store(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / "answers.sqlite")


def test_what_decides_is_asked_at_random_and_what_tells_only_where_it_decides_nothing(toy) -> None:
    z, _ = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=120, seed=3)
    assert len(pack.questions) == 120
    why: dict[str, set[str]] = {name: set() for name in SPLITS}
    for q in pack.questions:
        facts = pack.plan[q.id]
        why[SPLITS[int(z.concept_set.split[facts["row"]])]].add(facts["why"])
        assert pixel_hash(z.concept_set.images[facts["row"]]) == q.item
    assert why["test"] == why["audit"] == {"random"}
    assert why["select"] == {"random", "active", "hard", "silent"}


def test_random_pictures_show_a_concept_as_often_as_all_do(toy) -> None:
    z, truth = without(toy(), "snow")
    seen = []
    for seed in range(20):
        asked = choose_pictures_to_ask(z, ("conv:2",), np.zeros(len(truth), bool), 120, seed=seed)
        seen += [truth[ask.row] for ask in asked if ask.why == "random"]
    assert abs(np.mean(seen) - truth.mean()) < 0.05


def test_active_pictures_show_what_the_unit_sees_and_hard_ones_do_not(toy) -> None:
    z, truth = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=120)
    by = {
        w: [truth[f["row"]] for f in pack.plan.values() if f["why"] == w]
        for w in ("active", "hard")
    }
    assert np.mean(by["active"]) == 1
    assert np.mean(by["hard"]) == 0


def test_the_screen_is_told_neither_why_nor_where(toy) -> None:
    z, _ = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=30)
    told, _ = payload.question_payload(pack, pack.questions[0])
    assert told["word"] == "snow"
    assert told["seen"] == []
    assert set(told) == {"id", "word", "type", "heat", "seen"}
    assert payload.task_pack_payload(pack)["card"] == []
    assert pack.z_hash == z.hash
    assert pack.card.is_empty


def test_a_pack_of_concepts_reads_back_as_it_was_written(toy, tmp_path) -> None:
    z, _ = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow", "carpet"], lexicon=LEXICON, n=30)
    write_pack(pack, tmp_path / "asks")
    back = open_pack(tmp_path / "asks")
    assert back.task == pack.task
    assert back.task.startswith("concepts-")
    assert back.words == ("snow", "carpet")
    assert dict(back.plan) == dict(pack.plan)
    assert back.questions == pack.questions


def test_answers_make_a_column_that_the_check_uses(toy, store) -> None:
    z, truth = without(toy(), "snow")
    before = next(f for f in check(z).findings if f.units == ("conv:2",))
    assert before.verdict == "inconclusive"
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=240)
    answer(pack, store, truth)
    made = taken(z, pack, store)
    column = made.z.concept_set.concepts[:, made.column]
    asked = [f["row"] for f in pack.plan.values()]
    assert np.isnan(np.delete(column, asked)).all()
    assert (column[asked] == truth[asked]).all()
    assert made.z.stale == ()
    found = next(f for f in check(made.z).findings if f.units == ("conv:2",))
    assert found.verdict == "supported", found.sentence
    assert taken(made.z, pack, store).written == 0  # twice is once


def test_undo_takes_the_column_back_and_keeps_the_answers(toy, store) -> None:
    z, truth = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=60)
    answer(pack, store, truth)
    made = taken(z, pack, store).z
    back, facts = undo_last_labels(made)
    assert facts == {"word": "snow", "cells": 60, "column_removed": True}
    assert back.concepts_hash == z.concepts_hash
    assert len(store.rows(task=pack.task)) == 60
    with pytest.raises(LabellingError, match="No labels"):
        undo_last_labels(back)
    assert taken(back, pack, store).written == 60


def test_undo_refuses_when_labels_were_changed_by_other_means(toy, store) -> None:
    z, truth = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=60)
    answer(pack, store, truth)
    made = taken(z, pack, store)
    table = made.z.concept_set.concepts.copy()
    row = next(iter(pack.plan.values()))["row"]
    table[row, made.column] = 1 - table[row, made.column]
    edited = made.z.with_(concept_set=replace(made.z.concept_set, concepts=table))
    with pytest.raises(LabellingError, match="other means"):
        undo_last_labels(edited)


def test_several_raters_decide_by_majority_and_a_tie_decides_nothing(toy, store) -> None:
    z, truth = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=40, overlap=3)
    rows = [f["row"] for f in pack.plan.values()]
    wrong = {f"row_{rows[0]}": "no" if truth[rows[0]] else "yes"}
    unsure = {f"row_{rows[1]}": "cannot tell"}
    answer(pack, store, truth, "ana")
    answer(pack, store, truth, "ben", **wrong, **unsure)
    tied = taken(z, pack, store)
    column = tied.z.concept_set.concepts[:, tied.column]
    assert np.isnan(column[rows[0]])
    assert column[rows[1]] == truth[rows[1]]
    answer(pack, store, truth, "cleo")
    settled = taken(tied.z, pack, store)
    assert settled.written == 1
    assert settled.z.concept_set.concepts[rows[0], settled.column] == truth[rows[0]]
    told = summarise_answers_by_word(pack, store.rows(task=pack.task))["snow"]
    assert told["raters"] == ["ana", "ben", "cleo"]
    assert told["agreement"]["estimate"] > 0.8


def test_labels_from_elsewhere_stand_unless_replaced(toy, store) -> None:
    z = toy()
    shown = z.concept_set
    at = shown.concept_names.index("snow")
    table = shown.concepts.copy()
    truth = table[:, at].copy()
    table[::2, at] = np.nan
    z = z.with_(concept_set=replace(shown, concepts=table))
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=60)
    assert all(f["row"] % 2 == 0 for f in pack.plan.values())  # what is known is not asked
    everywhere = make_concept_pack(
        z.with_(concept_set=replace(shown, concepts=None, concept_names=())),
        ["snow"], lexicon=LEXICON, n=60,
    )  # fmt: skip
    answer(everywhere, store, 1 - truth)
    kept = taken(z, everywhere, store)
    odd = sum(f["row"] % 2 for f in everywhere.plan.values())
    assert kept.contradicted == odd > 0
    assert kept.written == 60 - odd
    assert taken(z, everywhere, store, replace_others=True).contradicted == 0


def test_a_withdrawn_answer_leaves_no_label(toy, store) -> None:
    z, truth = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=40)
    answer(pack, store, truth)
    made = taken(z, pack, store)
    first = pack.questions[0]
    Session(pack, store, "ana").withdraw(first.id)
    again = taken(made.z, pack, store)
    assert again.written == 1
    assert np.isnan(again.z.concept_set.concepts[pack.plan[first.id]["row"], again.column])


def test_no_labels_at_all_is_where_asking_starts(toy, store) -> None:
    z = toy()
    truth = z.concept_set.concepts[:, 2]
    bare = replace(z.concept_set, concepts=None, concept_names=())
    z = z.with_(
        concept_set=bare,
        measurements=replace(z.measurements, concepts_hash=input_set_fingerprint(bare)),
    )
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=200)
    answer(pack, store, truth)
    made = taken(z, pack, store).z
    assert made.concept_set.concept_names == ("snow",)
    assert check(made).of("mislabelled-unit")
    assert undo_last_labels(made)[0].concept_set.concepts is None


def test_answers_about_other_pictures_are_refused(toy, store) -> None:
    z, truth = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=20)
    answer(pack, store, truth)
    with pytest.raises(LabellingError, match="does not hold"):
        taken(without(toy(seed=9), "snow")[0], pack, store)


def test_a_simulated_rater_is_remembered_as_one(toy, store) -> None:
    z, truth = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=20)
    session = Session(pack, store, "sim-0", kind="simulated")
    for i, q in enumerate(pack.questions):
        session.answer(q.id, "yes" if truth[pack.plan[q.id]["row"]] else "no", f"key-{i:08d}")
    kinds = sorted({row.rater_kind for row in store.rows(task=pack.task)})
    assert kinds == ["simulated"]
    assert words_with_simulated_labels(taken(z, pack, store, rater_kinds=kinds).z) == ("snow",)


# -- to a file and back --------------------------------------------------------------------------


def fill(path: Path, pack: TaskPack, truth: np.ndarray, rater: str = "") -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["answer"] = "1" if truth[pack.plan[row["question"]]["row"]] else "No"
        row["rater"] = rater
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def test_a_file_goes_out_and_comes_back(toy, store, tmp_path) -> None:
    z, truth = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=30)
    path = tmp_path / "asks.csv"
    folder = write_questions_csv_and_pictures(pack, path)
    assert len(list(folder.glob("*.png"))) == 30
    assert read_answers_csv(pack, path) == []  # nothing is filled in yet
    fill(path, pack, truth, "dora")
    rows = read_answers_csv(pack, path)
    assert store_new_csv_answers(pack, store, rows) == 30
    assert store_new_csv_answers(pack, store, rows) == 0
    assert taken(z, pack, store).written == 30


def test_a_mind_changed_twice_in_files_ends_where_it_ends(toy, store, tmp_path) -> None:
    z, _ = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=1)
    path = tmp_path / "asks.csv"
    for said in ("yes", "no", "yes"):
        path.write_text(f"question,answer\n{pack.questions[0].id},{said}\n", encoding="utf-8")
        assert store_new_csv_answers(pack, store, read_answers_csv(pack, path, rater="eva")) == 1
        assert store.rows(task=pack.task)[0].answer["choice"] == said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("question,answer\n{id},perhaps\n", "Row 2 .* answers 'perhaps'"),
        ("question,answer\nnobody,yes\n", "Row 2 .* no question of these"),
        ("question,answer,rater\n{id},yes,\n", "who answered"),
        ("question,answer,rater\n{id},yes,a\n{id},no,a\n", "in two ways"),
        ("question,said\n{id},yes\n", "no column ‘answer’"),
        ("path,said\nx,yes\n", "question"),
        ("", "question"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_named_and_nothing_is_kept(toy, tmp_path, text, says) -> None:
    z, _ = without(toy(), "snow")
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=3)
    path = tmp_path / "asks.csv"
    path.write_text(text.replace("{id}", pack.questions[0].id), encoding="utf-8")
    with pytest.raises(CircuitzError, match=says):
        read_answers_csv(pack, path)


# -- what cannot be asked ------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["", "   ", "yes", "x" * 61, "sn\x00ow"])
def test_words_that_cannot_be_asked_about_are_named(word) -> None:
    with pytest.raises(CircuitzError):
        concept_column_name(word)


def test_what_cannot_be_asked_about_is_an_error_that_says_why(toy) -> None:
    z = toy()
    cases = {
        "no pictures": z.with_(concept_set=None),
        "not split": z.with_(concept_set=replace(z.concept_set, split=None)),
        "labelled with ‘snow’ already": z,
    }
    for says, case in cases.items():
        with pytest.raises(LabellingError, match=says):
            make_concept_pack(case, ["snow"], lexicon=LEXICON)
    with pytest.raises(LabellingError, match="No word"):
        make_concept_pack(z, [], lexicon=LEXICON)
