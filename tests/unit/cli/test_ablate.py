from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

import circuitz as cz
from circuitz.cli import main
from circuitz.z.bundle.inputs_io import write_inputs


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture(scope="module")
def bundle(caught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ablate")
    write_inputs(folder / "D", caught.data)
    return caught.save(folder / "caught.z")


def test_the_table_is_that_of_the_verb(bundle, caught, monkeypatch, capsys, tmp_path) -> None:
    csv = tmp_path / "effects.csv"
    words = ("ablate", bundle, "--images", 20, "--class", "husky", "--top", 3, "--csv", csv)
    assert run(monkeypatch, *words, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    table = cz.ablate(caught, classes=["husky"], images=20)
    assert [row["unit"] for row in found] == table["unit"].head(3).tolist()
    assert found[0]["effect"] == pytest.approx(table["effect"][0], abs=1e-6)
    assert len(pd.read_csv(csv)) == len(table) == 16 + 24


def test_layers_z_does_not_list_and_a_shortlist(bundle, monkeypatch, capsys) -> None:
    words = ("ablate", bundle, "--layer", "conv1", "--layer", "conv2.0", "--shortlist", 0.25)
    assert run(monkeypatch, *words, "--images", 8, "--top", 5) == 0
    said = capsys.readouterr().out
    assert "conv" in said
    assert f"… {(8 + 16) * 3 - 5} more" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--layer", "conv9"), "no layer 'conv9'"),
        (("--class", "wolf"), "'wolf' is not a class"),
        (("--fill", "noise"), "no fill 'noise'"),
    ],
)
def test_what_does_not_exist_is_told_in_words(bundle, monkeypatch, capsys, words, says) -> None:
    assert run(monkeypatch, "ablate", bundle, *words) == 1
    assert says in capsys.readouterr().err
