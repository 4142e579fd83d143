from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import circuitz as cz
from circuitz.cli import main
from circuitz.models.run.basis import Basis
from circuitz.z.bases import arrays_with_basis_replaced
from circuitz.z.bundle.inputs_io import write_inputs


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", "edges", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture(scope="module")
def known(caught):
    first = caught.layers[0]
    rows = np.eye(first.size, dtype=np.float32)[:1]
    return caught.with_(
        bases=arrays_with_basis_replaced({}, f"{first.name}@one", Basis.from_rows(rows).to_arrays())
    )


@pytest.fixture(scope="module")
def bundle(known, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edges")
    write_inputs(folder / "D", known.data)
    return known.save(folder / "known.z")


def test_edges_of_units_and_directions_are_told(bundle, known, monkeypatch, capsys) -> None:
    first, last = known.layers[0].name, known.cut[0]
    for source in (first, f"{first}@one"):
        words = (bundle, "--from", source, "--to", last, "--class", "husky", "--images", 12)
        assert run(monkeypatch, *words, "--unit", 0, "--json") == 0
        found = json.loads(capsys.readouterr().out)
        frame = cz.edges(known, source, last, "husky", units=[0], images=12).frame
        assert [row["source"] for row in found["edges"]] == list(frame["source"])
        shares = [np.nan if row["direct"] is None else row["direct"] for row in found["edges"]]
        assert np.allclose(shares, frame["direct"], atol=1e-5, equal_nan=True)
        assert run(monkeypatch, *words) == 0
        assert "edges on" in capsys.readouterr().out
    assert f"{first}@one:rest" in {row["source"] for row in found["edges"]}


def test_what_cannot_be_told_says_why(bundle, known, monkeypatch, capsys) -> None:
    first, last = known.layers[0].name, known.cut[0]
    frame = cz.edges(known, first, last, "husky", images=12, both=True).frame
    words = (bundle, "--from", first, "--to", last, "--class", "husky", "--images", 12, "--both")
    assert run(monkeypatch, *words, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["reason"] for row in told["edges"]] == list(frame["reason"])
    assert all(row["reason"] for row in told["edges"] if row["direct"] is None)
    assert {row["target"] for row in told["sums"]} == set(frame["target"])
    dead = [t for t, some in frame.groupby("target") if some["total"].isna().all()]
    assert dead, "no unit of this network is at rest: choose one at which some are"
    assert run(monkeypatch, *words, "--unit", dead[0].partition(":")[2]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "No edge can be told on" in said
    assert f"{dead[0]}: hardly moves, if at all, when all of {first} is exchanged." in said


def test_wrong_questions_are_named(bundle, known, monkeypatch, capsys) -> None:
    first, last = known.layers[0].name, known.cut[0]
    assert run(monkeypatch, bundle, "--from", last, "--to", first, "--class", "husky") == 1
    assert "does not come after" in capsys.readouterr().err
    assert run(monkeypatch, bundle, "--from", f"{first}@x", "--to", last, "--class", "husky") == 1
    assert f"{first}@one" in capsys.readouterr().err
