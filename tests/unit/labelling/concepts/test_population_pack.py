from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.errors import LabellingError
from circuitz.labelling.concepts.population_pack import (
    WORD_TEST,
    make_population_pack,
    populations_of_pack,
)
from circuitz.labelling.tasks.pack_io import open_pack, write_pack
from circuitz.store.asking import AskedQuestion
from circuitz.store.judgement import Use
from circuitz.widgets.labelling import labelling_payload as payload
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel
from circuitz.z.pixel_hashes import pixel_hash
from circuitz.z.word_match import Population

IMAGES = np.random.default_rng(0).integers(0, 255, (6, 40, 40, 3), dtype=np.uint8)


def model() -> AnnotatedModel:
    return AnnotatedModel(
        "m", ("a", "b"), layers=(LayerSpec("conv", 2),), cut=("conv",), data=InputSet(IMAGES)
    )


def asked(
    row: int, population: Population = "D'", use: Use = "train", word: str = "snow"
) -> AskedQuestion:
    return AskedQuestion(
        "shows", (pixel_hash(IMAGES[row]),), ("yes", "no"), word=word, use=use,
        shown={"picture": IMAGES[row], "row": row, "population": population},
    )  # fmt: skip


def test_a_pack_hides_why_a_picture_was_chosen_and_asks_once(tmp_path: Path) -> None:
    questions = [
        asked(0),
        asked(1),
        asked(0, "D"),
        asked(2, "concepts", "gold"),
        asked(0, word="ears"),
    ]
    gold = {("snow", pixel_hash(IMAGES[2])): True}
    pack = make_population_pack(model(), questions, gold, seed=3)
    assert [q.word for q in pack.questions] == ["snow"] * 3 + ["ears"]
    assert pack.count_questions_by_kind() == {"ask": 3, "gold": 1, "again": 0}
    assert list(pack.gold.values()) == ["yes"]
    assert populations_of_pack(pack) == {"D'", "concepts"}
    assert {facts["why"] for facts in pack.plan.values()} == {WORD_TEST}
    write_pack(pack, tmp_path / "pack")
    again = open_pack(tmp_path / "pack")
    assert again.task == pack.task
    assert again.plan == pack.plan
    # Nothing a screen gets tells population, gold or why.
    sent = repr(
        [payload.task_pack_payload(again), *payload.questions_payload(again, again.questions)]
    )
    assert all(word not in sent for word in (WORD_TEST, "population", "gold"))
    assert populations_of_pack(make_population_pack(model(), [asked(0, "D")], {})) == {"D"}


def test_pictures_are_shown_alike_wherever_they_come_from() -> None:
    questions = [asked(1), asked(4, "D"), asked(2, "concepts", "gold")]
    pack = make_population_pack(model(), questions, {("snow", pixel_hash(IMAGES[2])): False})
    shown = {Image.open(io.BytesIO(data)).size for data in pack.pictures.values()}
    assert shown == {(240, 240)}, "sharper ones would tell which are gold"


def test_nothing_to_ask_is_said() -> None:
    with pytest.raises(LabellingError, match="nothing to ask"):
        make_population_pack(model(), [], {})
