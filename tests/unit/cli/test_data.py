from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from circuitz.cli import app
from circuitz.errors import BundleWriteError, InputsError, WeightsError
from circuitz.z.bundle.inputs_io import read_inputs


def call(*words: str | Path) -> str:
    done = CliRunner().invoke(app, ["data", *map(str, words)], catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("world", ["dogs", "birds"])
def test_a_world_is_written_as_a_person_would_bring_it(world: str, tmp_path: Path) -> None:
    call(world, "--n", 2, "--out", tmp_path)
    call(world, "--role", "concepts", "--n", 24, "--out", tmp_path, "--arrays", tmp_path / "set")
    said = call(world, "--role", "D'", "--n", 2, "--out", tmp_path, "--truth", tmp_path / "t.csv")
    assert "12 pictures" in said
    assert len(list((tmp_path / "D").glob("*/*.png"))) == 12
    assert len(list((tmp_path / "concepts").glob("*.png"))) == 24
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 13
    back = read_inputs(tmp_path / "set")
    assert back.masks is not None
    assert back.pairs is not None
    assert np.asarray(back.images).shape == (24, 64, 64, 3)


def test_a_contact_sheet_of_the_birds(tmp_path: Path) -> None:
    call("birds", "--sheet", tmp_path / "sheet.png", "--shortcut", "ring")
    assert (tmp_path / "sheet.png").stat().st_size > 100_000


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--role", "E", "--out", "x"], "role"),
        ([], "Nothing"),
        (["--out", "x", "--truth", "t.csv"], "truth"),
        (["--shortcut", "sun", "--out", "x"], "shortcut"),
    ],
)
def test_wishes_that_do_not_fit_are_named_and_write_nothing(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputsError, match=says):
        call("dogs", "--n", "1", *words)
    assert not list(tmp_path.iterdir())


def test_the_truth_of_a_benchmark_is_written_for_evaluate(tmp_path: Path) -> None:
    folder = tmp_path / "waterbirds"
    folder.mkdir()
    lines = ["img_id,img_filename,y,split,place,place_filename"]
    for i in range(4):
        (folder / f"{i}.jpg").write_bytes(b"")
        lines.append(f"{i},{i}.jpg,{i % 2},2,{i // 2},/o/ocean/1.jpg")
    (folder / "metadata.csv").write_text("\n".join(lines))
    assert "4 pictures" in call("truth", folder, "--out", tmp_path / "truth.csv")
    rows = sorted((tmp_path / "truth.csv").read_text().splitlines()[1:])
    assert rows[0] == "waterbirds/0.jpg,landbird,1,0"
    assert rows[3] == "waterbirds/3.jpg,waterbird,0,1"


def test_a_model_that_continues_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.numpy import load_file

    from circuitz.data.text import induction_model as made

    monkeypatch.setitem(made.RECIPES, "fixed", made.TokenRecipe(periods=(12, 12), steps=2, batch=2))  # pyright: ignore[reportArgumentType]
    place = tmp_path / "new" / "fixed.safetensors"
    assert call("transformer", "--model", "fixed", "--out", place).strip() == str(place)
    assert load_file(place)["embed.weight"].shape == (24, 64)
    with pytest.raises(BundleWriteError, match="there already"):
        call("transformer", "--model", "fixed", "--out", place)
    with pytest.raises(WeightsError, match="no model"):
        call("transformer", "--model", "modular", "--out", tmp_path / "x.safetensors")
