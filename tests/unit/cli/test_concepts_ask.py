from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from circuitz.cli import main
from circuitz.labelling.tasks.pack_io import open_pack
from circuitz.z.bundle.load_save import load
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", "concepts", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A z with pictures that are bright or dark, and no labels."""
    draw = np.random.default_rng(0)
    n = 60
    images = draw.integers(0, 100, (n, 8, 8, 3), dtype=np.uint8)
    images[::3] += 150
    shown = InputSet(images, split=np.arange(n, dtype=np.uint8) % 3, role="concepts")
    z = AnnotatedModel(
        "lamps", ("a", "b"), layers=(LayerSpec("conv", 2),), cut=("conv",), concept_set=shown
    )
    return z.annotate("conv:0", "lamp").save(tmp_path / "lamps.z")


def fill(path: Path, tasks: Path, bundle: Path) -> None:
    pack, images = open_pack(tasks), load(bundle).concept_set.images
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        bright = images[pack.plan[row["question"]]["row"]].mean() > 100
        row["answer"] = "yes" if bright else "no"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_questions_go_out_answers_come_in_and_are_taken_back(
    monkeypatch, capsys, bundle, tmp_path
) -> None:
    assert run(monkeypatch, "ask", bundle, "lamp", "--n", 30, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["words"]["lamp"]["questions"] == 30
    tasks = Path(facts["tasks"])
    assert tasks == tmp_path / "lamps.ask-lamp"
    out = tmp_path / "asks.csv"
    assert run(monkeypatch, "ask", bundle, "lamp", "--export", out) == 0  # the same questions
    fill(out, tasks, bundle)
    assert run(monkeypatch, "ask", bundle, "lamp", "--answers", out, "--json") == 1
    assert "who answered" in capsys.readouterr().err
    assert load(bundle).concept_set.concepts is None
    words = ("ask", bundle, "lamp", "--answers", out, "--rater", "ana", "--json")
    assert run(monkeypatch, *words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["new_answers"] == 30
    assert facts["labels"][0]["written"] == 30
    shown = load(bundle).concept_set
    assert shown.concept_names == ("lamp",)
    known = ~np.isnan(shown.concepts[:, 0])
    assert known.sum() == 30
    assert (shown.concepts[known, 0] == (shown.images[known].mean((1, 2, 3)) > 100)).all()
    assert run(monkeypatch, *words) == 0  # again: nothing new
    assert json.loads(capsys.readouterr().out)["new_answers"] == 0
    assert run(monkeypatch, "ask", bundle, "--undo", "--json") == 0
    assert json.loads(capsys.readouterr().out)["column_removed"] is True
    assert load(bundle).concept_set.concepts is None
    assert run(monkeypatch, "ask", bundle, "lamp", "--take", "--json") == 0  # answers were kept
    assert json.loads(capsys.readouterr().out)["labels"][0]["written"] == 30


def test_in_a_terminal_every_answer_is_kept_and_can_be_taken_back(
    monkeypatch, capsys, bundle
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\nhm\nn\nu\n?\nq\n"))
    words = ("ask", bundle, "lamp", "--n", 9, "--here", "--rater", "ana", "--json")
    assert run(monkeypatch, *words) == 0
    said = capsys.readouterr()
    now = json.loads(said.out)["words"]["lamp"]
    assert (now["answered"], now["yes"], now["no"], now["cannot_tell"]) == (2, 1, 0, 1)
    assert "y, n, ?, x, u or q." in said.err
    assert "▀" in said.err
    # It goes on where it stopped, also when the terminal ends.
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run(monkeypatch, *words) == 0
    assert json.loads(capsys.readouterr().out)["words"]["lamp"]["answered"] == 3


def test_what_is_wrong_is_said_and_nothing_is_left_behind(
    monkeypatch, capsys, bundle, tmp_path
) -> None:
    for words, says in (
        (("ask", bundle), "No word"),
        (("ask", bundle, " "), "cannot be asked"),
        (("ask", bundle, "--undo"), "No labels"),
    ):
        assert run(monkeypatch, *words) == 1
        assert says in capsys.readouterr().err
    assert run(monkeypatch, "ask", bundle, "lamp", "--n", 5) == 0
    place = tmp_path / "lamps.ask-lamp"
    assert run(monkeypatch, "ask", bundle, "tail", "--tasks", place) == 1
    assert "other questions" in capsys.readouterr().err


def test_a_word_the_lexicon_does_not_know_can_be_asked_and_that_is_said(
    monkeypatch, capsys, bundle
) -> None:
    assert run(monkeypatch, "ask", bundle, "[/b] zorgle", "--n", 5) == 0
    said = capsys.readouterr()
    assert "‘[/b] zorgle’: 0 of 5" in said.out
    assert "'[/b] zorgle' --take" in said.out
    assert "does not know ‘[/b] zorgle’" in " ".join(said.err.split())
