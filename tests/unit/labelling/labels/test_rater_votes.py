from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.labelling.labels.label import Labels
from circuitz.labelling.labels.label_model import LabelModel
from circuitz.labelling.labels.rater_votes import (
    class_all_agree_on,
    newest_answer_by_rater_and_item,
    remark_on_case_of_names,
    titles_of_raters,
    votes_by_item,
)
from circuitz.labelling.tasks.shifted_pictures import Picture
from circuitz.store.judgement import Judgement

CLASSES = ("husky", "corgi")


def answer(rater: str, choice: str, item: str = "x", task: str = "t") -> Judgement:
    time = "2026-01-05T10:00:00+00:00"
    return Judgement(
        task, "label", "z", "c", (item,), CLASSES, 0, {"choice": choice}, rater, "person", time,
        time, f"{task}:{rater}:{item}:{choice}", id=f"{task}:{rater}:{item}:{choice}",
    )  # fmt: skip


def test_a_person_votes_once_on_a_picture_whatever_packs_asked() -> None:
    rows = [answer("ada", "husky"), answer("bob", "husky"), answer("ada", "corgi", task="u"),
            answer("ada", "husky", "y"), answer("eve", CANNOT_TELL), answer("joe", DISCARDED)]  # fmt: skip
    newest = newest_answer_by_rater_and_item(rows)
    assert [(r.rater, r.items[0], r.task) for r in newest[:3]] == [
        ("bob", "x", "t"), ("ada", "x", "u"), ("ada", "y", "t"),
    ]  # fmt: skip
    assert votes_by_item(newest) == {"x": {"husky": 1, "corgi": 1}, "y": {"husky": 1}}


@pytest.mark.parametrize(
    ("votes", "agreed"),
    [({}, ""), ({"a": 1}, ""), ({"a": 2}, "a"), ({"a": 3}, "a"), ({"a": 5, "b": 1}, "")],
)
def test_only_several_who_all_say_the_same_agree(votes: dict[str, int], agreed: str) -> None:
    assert class_all_agree_on(votes) == agreed


def test_no_label_differs_from_what_raters_said_without_a_word() -> None:
    votes = [{"corgi": 3}, {"husky": 2, "corgi": 1}, {"corgi": 2, "husky": 1}, {"corgi": 1},
             {"husky": 1, "corgi": 1}, {}, {"husky": 4}]  # fmt: skip
    n = len(votes)
    labels = Labels(
        LabelModel(CLASSES, "z", 1, np.zeros((0, 2)), np.zeros(2), np.zeros(0), np.ones(0), {}, 9),
        tuple(Picture(Path(f"{i}.png"), f"{i}.png", str(i)) for i in range(n)),
        np.tile([0.8, 0.2], (n, 1)), np.array([sum(v.values()) for v in votes]), 0, False,
        tuple(Counter(v) for v in votes),
    )  # fmt: skip
    assert [CLASSES[i] for i in labels.labels] == ["corgi"] + ["husky"] * 6
    rows = list(csv.DictReader(io.StringIO(labels.to_csv().decode("utf-8-sig"))))
    assert [row["remark"] for row in rows] == [
        "all 3 raters said corgi; learned from all answers: husky (0.80)", "",
        "raters said corgi (2), husky (1)", "raters said corgi (1)", "", "", "",
    ]  # fmt: skip
    # The figure beside the label is that of the label.
    assert [row["probability"] for row in rows] == ["0.2000"] + ["0.8000"] * 6
    facts = labels.to_json()
    assert (facts["kept_from_raters"], facts["overruled"]) == (1, 2)
    assert facts["labels"] == {"husky": 6, "corgi": 1}
    assert facts["mean_probability"] == pytest.approx((0.2 + 6 * 0.8) / 7, abs=1e-3)


def test_raters_are_called_by_their_kind_where_two_kinds_bear_one_name():
    raters = [("ada", "person"), ("ada", "model"), ("sim", "simulated")]
    assert titles_of_raters(raters) == {
        ("ada", "person"): "ada", ("ada", "model"): "ada (model)", ("sim", "simulated"): "sim",
    }  # fmt: skip


def test_only_persons_names_are_compared_without_capitals():
    assert remark_on_case_of_names([("Ada", "person"), ("ada", "model")]) == []
    three = [("ÉVA", "person"), ("éva", "person"), ("Éva", "person")]
    (said,) = remark_on_case_of_names(three)
    assert "count as three" in said
