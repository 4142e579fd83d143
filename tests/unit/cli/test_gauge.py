"""``circuitz gauge`` and ``circuitz rewrite``: the same functions, told in words and as JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from circuitz.cards.make_card import card
from circuitz.cli import app
from circuitz.z.bundle.load_save import load


@pytest.fixture
def bundle(caught, tmp_path):
    return caught.save(tmp_path / "husky.z", data=True)


@pytest.fixture
def pictures(shifted, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    inputs, ground = shifted
    lines = ["path,ears,tail,legs,snow,grass,sand"]
    for i in range(0, len(inputs), 3):
        Image.fromarray(np.asarray(inputs.images[i])).save(folder / f"{i}.png")
        parts = {0: "1,1,0", 1: "1,0,1", 2: "0,1,1"}[int(inputs.labels[i])]
        lines.append(
            f"pictures/{i}.png,{parts},{','.join(str(int(ground[i] == g)) for g in range(3))}"
        )
    (tmp_path / "concepts.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_the_gauge_is_kept_in_the_bundle(bundle, pictures):
    run = CliRunner().invoke(app, ["gauge", str(bundle), "--shifted", str(pictures), "--json"])
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout.splitlines()[-1])["ranges"]
    assert [(r["population"], r["target"]) for r in told] == [
        (p, c) for p in ("D", "D'") for c in ("husky", "corgi", "beagle")
    ]
    assert len(load(bundle).ranges) == 6
    run = CliRunner().invoke(app, ["gauge", str(bundle), "--per-class", "20"])
    assert "untested" in run.stdout
    assert "certifies nothing" in " ".join(run.stdout.split())


def test_the_rewrite_is_told_and_kept(bundle, pictures):
    table = str(pictures.parent / "concepts.csv")
    args = ["rewrite", str(bundle), str(pictures), "--labels", table]
    run = CliRunner().invoke(app, [*args, "--json", "--no-keep"])
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout.splitlines()[-1])
    assert told["n"] == 120
    assert {row["way"] for row in told["ways"]} >= {"rewrite", "true activations", "permuted words"}
    assert card(load(bundle)).agreement == ()
    run = CliRunner().invoke(app, args)
    assert "Words at face value on D′" in run.stdout
    (kept,) = card(load(bundle)).agreement
    assert (kept.population, kept.n) == ("D'", 120)


def test_pictures_without_words_are_refused(bundle, pictures):
    run = CliRunner().invoke(app, ["rewrite", str(bundle), str(pictures)])
    assert run.exit_code == 1
    assert "nothing is known" in str(run.exception)
