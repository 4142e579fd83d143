from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import circuitz as cz
from circuitz.cli import main
from circuitz.z.bundle.inputs_io import write_inputs


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", "effect", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture(scope="module")
def bundle(caught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("effect")
    write_inputs(folder / "D", caught.data)
    return caught.save(folder / "caught.z")


def names(z):
    first, last = z.layers[0].name, z.cut[0]
    return f"{first}:1", f"{last}:0", f"{last}:2"


def test_an_effect_alone_and_with_supports_held(bundle, caught, monkeypatch, capsys) -> None:
    _, unit, support = names(caught)
    words = (bundle, "--unit", unit, "--class", "husky", "--images", 12, "--json")
    assert run(monkeypatch, *words) == 0
    alone = json.loads(capsys.readouterr().out)["effect"]
    assert alone["estimate"] == pytest.approx(cz.effect(caught, unit, "husky", images=12).estimate)
    assert run(monkeypatch, *words, "--held", support, "--held-as", "with") == 0
    held = json.loads(capsys.readouterr().out)["effect"]
    known = cz.effect(caught, unit, "husky", held=support, held_as="with", images=12)
    assert held["estimate"] == pytest.approx(known.estimate)
    assert held["held"] == f"{support} as on inputs of husky"
    assert run(monkeypatch, *words, "--held", "rest") == 0
    assert (
        json.loads(capsys.readouterr().out)["effect"]["held"]
        == "rest of the cut as on inputs of other classes"
    )


def test_parts_of_an_effect_through_a_unit(bundle, caught, monkeypatch, capsys) -> None:
    source, unit, _ = names(caught)
    words = (bundle, "--unit", source, "--class", "husky", "--images", 12, "--through", unit)
    assert run(monkeypatch, *words, "--how", "necessity", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    known = cz.path_effect(caught, source, "husky", unit, intervention="necessity", images=12)
    assert list(found) == ["total", "through", "around", "rest"]
    assert found["through"]["estimate"] == pytest.approx(known.through.estimate)
    assert run(monkeypatch, *words, "--direct") == 0
    said = capsys.readouterr().out
    assert f"{source} on output:husky, sufficiency:" in said
    assert "through" in said
    assert f"{unit} held" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--unit", "conv9:0", "--class", "husky"), "no layer 'conv9'"),
        (("--unit", "{0}", "--class", "wolf"), "'wolf' is not a class"),
        (("--unit", "{0}", "--class", "husky", "--how", "magic"), "no effect 'magic'"),
        (("--unit", "{1}", "--class", "husky", "--direct"), "--direct is about --through"),
        (("--unit", "{1}", "--class", "husky", "--through", "{0}"), "does not come after"),
    ],
)
def test_what_does_not_exist_is_told_in_words(
    bundle, caught, monkeypatch, capsys, words, says
) -> None:
    words = [word.format(*names(caught)) for word in words]
    assert run(monkeypatch, bundle, *words, "--images", 12) == 1
    assert says in capsys.readouterr().err
