from __future__ import annotations

import json
import sys

import pytest

import circuitz as cz
from circuitz.cli import main


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_basis_is_fitted_measured_and_written(caught, monkeypatch, capsys, tmp_path) -> None:
    bundle = caught.save(tmp_path / "caught.z")
    layer = caught.cut[0]
    words = ("directions", bundle, "--layer", layer, "--how", "pca", "--count", 3, "--json")
    assert run(monkeypatch, *words) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["place"], told["directions"], told["how"]) == (f"{layer}@pca", 3, "pca")
    assert 0 < told["explained"] <= 1
    z = cz.load(bundle)
    assert z.hash == told["hash"] != caught.hash
    assert z.measurements.layers[f"{layer}@pca"].exemplars.shape == (3, 9)
    assert z.measurements.effects is not None
    assert run(monkeypatch, "directions", bundle, "--layer", layer, "--how", "pca", "--name", "two",
               "--out", tmp_path / "other.z") == 0  # fmt: skip
    assert "directions explain" in capsys.readouterr().out
    assert f"{layer}@two" not in cz.load(bundle).bases
    assert f"{layer}@two" in cz.load(tmp_path / "other.z").bases


def test_what_cannot_be_is_named(caught, monkeypatch, capsys, tmp_path) -> None:
    bundle = caught.save(tmp_path / "caught.z")
    for words, match in (
        (("--layer", "conv99"), "conv99"),
        (("--layer", caught.cut[0], "--how", "nowhere"), "no way 'nowhere'"),
        (("--layer", caught.cut[0], "--how", "pca", "--count", 10**6), "cannot be fitted"),
    ):
        assert run(monkeypatch, "directions", bundle, *words) == 1
        assert match in " ".join(capsys.readouterr().err.split())
    assert cz.load(bundle).hash == caught.hash
