from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from circuitz.cli import main
from circuitz.labelling.tasks.pack_io import open_pack
from circuitz.z.bundle.load_save import load
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import LayerMeasurements, Measurements
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
    """Unit 0 answers to bright pictures, the others to nothing; no labels."""
    draw = np.random.default_rng(0)
    n = 240
    images = draw.integers(0, 100, (n, 8, 8, 3), dtype=np.uint8)
    images[::3] += 150
    seen = draw.normal(size=(n, 4)).astype(np.float32)
    seen[:, 0] += images.mean((1, 2, 3)) / 20
    zero = np.zeros
    layer = LayerMeasurements(
        "conv", seen, seen, zero((4, 9), np.int64), zero((4, 9, 4), np.int16),
        zero((4, 9, 2, 2), np.uint8), zero((4, 4), np.int64), zero((4, 5), np.float32),
    )  # fmt: skip
    split = np.repeat(np.array([0, 1, 1, 2], np.uint8), n // 4)
    z = AnnotatedModel(
        "lamps", ("a", "b"), layers=(LayerSpec("conv", 4),), cut=("conv",),
        concept_set=InputSet(images, split=split, role="concepts"),
        measurements=Measurements({"conv": layer}),
    )  # fmt: skip
    return z.annotate("conv:0", "lamp").save(tmp_path / "lamps.z")


def fill(path: Path, tasks: Path, bundle: Path, least: float) -> None:
    pack, images = open_pack(tasks), load(bundle).concept_set.images
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["answer"] = "1" if images[pack.plan[row["question"]]["row"]].mean() > least else "0"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(("least", "verdict", "code"), [(100, "supported", 0), (-1, "flagged", 1)])
def test_a_word_is_tested_through_a_file(
    monkeypatch, capsys, bundle, tmp_path, least, verdict, code
) -> None:
    out = tmp_path / "blind.csv"
    assert run(monkeypatch, "blind", bundle, "conv:0", "--export", out, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert [t["verdict"] for t in first["tests"]] == ["inconclusive"]
    assert first["tests"][0]["open"] == 40
    fill(out, Path(first["tasks"]), bundle, least)
    words = ("blind", bundle, "conv:0", "--answers", out, "--rater", "ana", "--strict")
    assert run(monkeypatch, *words, "--json") == code
    found = json.loads(capsys.readouterr().out)["tests"][0]
    assert (found["unit"], found["word"]) == ("conv:0", "lamp")
    assert found["verdict"] == verdict, found["sentence"]
    assert found["open"] == 0
    assert found["power"] > 0.9
    assert not found["simulated"]
    assert run(monkeypatch, *words) == code
    assert capsys.readouterr().out.startswith(f"{verdict}: 1 rater saw ‘lamp’")


def test_what_cannot_be_tested_is_said(monkeypatch, capsys, bundle) -> None:
    assert run(monkeypatch, "blind", bundle, "conv:1") == 1
    assert "No words stand on conv:1" in capsys.readouterr().err
    z = load(bundle)
    bare = z.with_(measurements=None, concept_set=replace(z.concept_set))
    bare.save(bundle)
    assert run(monkeypatch, "blind", bundle) == 1
    assert "not-measured" in capsys.readouterr().err
