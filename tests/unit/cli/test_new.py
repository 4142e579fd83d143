from __future__ import annotations

import json
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from circuitz.cli import main
from circuitz.errors import BuilderError
from circuitz.models.adapters import imported
from circuitz.models.run.open_runtime import runtime
from circuitz.z.bundle.load_save import load

CODE = """
import torch
from torch import nn

class Own(nn.Module):
    def __init__(self, n, w):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(3, w, 3, 2, 1), nn.ReLU(inplace=True))
        self.b = nn.Sequential(nn.Conv2d(w, 16, 3, 2, 1), nn.ReLU(inplace=True))
        self.head = nn.Linear(16, n)

    def forward(self, x):
        return self.head(self.b(self.a(x)).mean((2, 3)))

def make(n=3, w=8):
    return Own(n, w)

def broken():
    raise RuntimeError("out of paper")

def text():
    return "no network"
"""


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def given(folders: Path, *more: object) -> tuple[object, ...]:
    return (
        "new", "--images", folders / "D", "--concepts", folders / "concepts.csv",
        "--concept-set", folders / "concepts", *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(folders: Path, threads: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle made by the command."""
    place = tmp_path_factory.mktemp("new") / "blocks.z"
    with pytest.MonkeyPatch.context() as patch:
        words = ("--subject", "dog", "--epochs", 6, "--rate", "1e-2", "--no-flip", "--device",
                 "cpu", "--out", place)  # fmt: skip
        assert run(patch, *given(folders, *words)) == 0
    return place


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of the user's own, in which the command is run."""
    (tmp_path / "blocks_net.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(imported, "_trusted", set())
    monkeypatch.delenv("CIRCUITZ_TRUST_CODE", raising=False)
    monkeypatch.delitem(sys.modules, "blocks_net", raising=False)
    return tmp_path


def test_the_check_of_a_new_z_finds_the_shortcut(trained: Path, monkeypatch, capsys) -> None:
    z = load(trained)
    assert z.data is not None
    assert z.data.role == "D"
    assert z.concept_set is not None
    assert z.concept_set.labels is None
    assert z.builder == "small-cnn"
    assert run(monkeypatch, "check", trained, "--json") == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    driven = {
        f["target"]
        for f in found
        if f["kind"] == "implausible-driver" and f["verdict"] == "flagged"
    }
    assert driven == {"output:husky"}


def test_bundle_and_d_can_be_moved_together(trained: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    trained.parent.rename(moved)
    try:
        z = load(moved / "blocks.z")
        assert z.data is not None
        assert len(z.data) == 480
    finally:
        moved.rename(trained.parent)


def test_export_goes_on_from_it(trained: Path, monkeypatch, capsys, tmp_path) -> None:
    assert run(monkeypatch, "export", trained, "--out", tmp_path / "e.z") == 1
    assert "export-refused" in capsys.readouterr().err


def test_accuracy_comes_first_and_chance_is_warned_of(folders, code, monkeypatch, capsys) -> None:
    place = code / "own.z"
    torch.manual_seed(3)
    words = ("--model", "blocks_net:make", "--out", place, "--mean", ".5", "--std", ".25")
    status = run(monkeypatch, *given(folders, *words))
    told = capsys.readouterr()
    assert told.out.startswith("Accuracy on your pictures: ") or status == 1
    assert "no better than always saying the same" in told.err.replace("\n", " ")
    assert "This runs the code of blocks_net:make" in told.err


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
def test_a_network_of_ones_own_is_wrapped_and_opened_again_only_when_told(
    kind, folders, trained, code, monkeypatch, capsys
) -> None:
    sys.path.insert(0, str(code))
    import blocks_net

    sys.path.remove(str(code))
    from circuitz.models.zoo.training import Recipe, fit
    from circuitz.z.layer import Preprocessing

    torch.manual_seed(0)
    net = blocks_net.make(w=12)
    data = load(trained).data
    assert data is not None
    assert data.labels is not None
    how = Preprocessing((0.4,) * 3, (0.3,) * 3, (24, 24))
    recipe = Recipe(epochs=4, rate=2e-2, batch=32, flip=False)
    fit(net, data.images, data.labels, how, recipe)
    if kind == "pt":
        wrapped = {f"module.{k}": v for k, v in net.state_dict().items()}
        torch.save({"epoch": 4, "state_dict": wrapped}, code / "w.pt")
    else:
        save_file(net.state_dict(), code / "w.safetensors")
        (code / "preprocessor_config.json").write_text(
            json.dumps(
                {
                    "image_mean": [0.4] * 3,
                    "image_std": [0.3] * 3,
                    "size": {"height": 24, "width": 24},
                }
            )
        )
    place = code / "own.z"
    words = ["--model", "blocks_net:make", "--weights", code / f"w.{kind}", "--model-args",
             '{"w": 12}', "--out", place, "--subject", "dog", "--json"]  # fmt: skip
    if kind == "pt":
        words += ["--mean", ".4,.4,.4", "--std", ".3,.3,.3"]
    assert run(monkeypatch, *given(folders, *words)) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["preprocessing"]["mean"] == [0.4] * 3
    assert told["accuracy"]["value"] > 0.8
    z = load(place)
    assert z.builder_args == {"function": "blocks_net:make", "args": {"w": 12}}
    assert z.notes["preprocessing"] == ("given" if kind == "pt" else "preprocessor_config.json")
    images = data.images[:6]
    expected = runtime(z).logits(images)
    np.testing.assert_allclose(
        expected, net(torch.from_numpy((images / 255 - 0.4) / 0.3).permute(0, 3, 1, 2).float())
        .detach().numpy(), atol=1e-4,
    )  # fmt: skip
    # Another process, which nobody told to trust the function.
    monkeypatch.setattr(imported, "_trusted", set())
    monkeypatch.setattr("circuitz.models.run.open_runtime._cache", OrderedDict())
    with pytest.raises(BuilderError, match="nobody allowed"):
        runtime(load(place))
    assert run(monkeypatch, "check", place) == 0  # runs no network
    words = ("search", place, "--rounds", "1", "--epochs", "1", "--out", code / "b.z")
    assert run(monkeypatch, *words) == 1
    assert "--trust-code blocks_net:make" in capsys.readouterr().err
    monkeypatch.setenv("CIRCUITZ_TRUST_CODE", "")
    assert run(monkeypatch, *words, "--trust-code", "blocks_net:make") == 0


def test_a_bundle_that_names_any_function_runs_nothing(trained, code, monkeypatch) -> None:
    mark = code / "ran"
    hostile = load(trained).with_(
        builder="import",
        builder_args={"function": "os:system", "args": {"command": f"touch {mark}"}},
    )
    hostile.save(code / "h.z")
    with pytest.raises(BuilderError, match="os:system"):
        runtime(load(code / "h.z"))
    monkeypatch.setenv("CIRCUITZ_TRUST_CODE", "blocks_net:make")
    with pytest.raises(BuilderError, match="os:system"):
        runtime(load(code / "h.z"))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "resnet"), "no model 'resnet'"),
        (("--model", "nowhere.at_all:make"), "nowhere.at_all cannot be imported"),
        (("--model", "blocks_net:none"), "has no none"),
        (("--model", "blocks_net:broken"), "out of paper"),
        (("--model", "blocks_net:text"), "returned a str"),
        (("--model", "blocks net:make"), "names no function"),
        (("--model", "blocks_net:make", "--model-args", "{"), "no JSON"),
        (("--model", "blocks_net:make", "--model-args", "[1]"), "no JSON object"),
        (("--model", "blocks_net:make", "--model-args", '{"q": 1}'), "unexpected keyword"),
        (("--model", "blocks_net:make", "--model-args", '{"n": 7}'), "7 logits"),
        (("--model", "blocks_net:make", "--weights", "none.pt"), "no file none.pt"),
        (("--model", "blocks_net:make", "--mean", "a"), "--mean is 'a'"),
        (("--model", "blocks_net:make", "--classes", "husky,wolf,corgi"), "class 'beagle'"),
        (("--weights", "w.pt"), "for a network of yours"),
        (("--device", "abacus"), "no device 'abacus'"),
        (("--device", "mps"), "has no mps"),
    ],
)
def test_what_cannot_be_is_named_and_nothing_written(
    words, message, folders, code, monkeypatch, capsys
) -> None:
    place = code / "out" / "x.z"
    assert run(monkeypatch, *given(folders, *words, "--out", place)) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert message in told
    assert "Traceback" not in told
    assert not place.parent.exists()


def test_pictures_need_concept_labels_somewhere(folders, tmp_path, monkeypatch, capsys) -> None:
    words = ("new", "--images", folders / "D", "--out", tmp_path / "x.z")
    assert run(monkeypatch, *words) == 1
    assert "concept-labels" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_replaced_only_when_told(folders, trained, monkeypatch, capsys) -> None:
    assert run(monkeypatch, *given(folders, "--out", trained)) == 1
    assert "is there already" in capsys.readouterr().err
    assert load(trained).name == "blocks"


def test_pictures_that_show_several_classes(
    folders, block_world, monkeypatch, capsys, tmp_path
) -> None:
    _, concepts = block_world
    table = tmp_path / "classes.csv"
    lines = ["path,class"]
    for i, row in enumerate(concepts.concepts[:, :2] == 1):
        names = "|".join(n for n, yes in zip(("ears", "tail"), row, strict=True) if yes)
        lines.append(f"{folders}/concepts/{i:04}.png,{names}")
    table.write_text("\n".join(lines), encoding="utf-8")
    place = tmp_path / "many.z"
    words = ("new", "--images", folders / "concepts", "--labels", table, "--concepts",
             folders / "concepts.csv", "--concept-set", folders / "concepts", "--epochs", 3,
             "--rate", "1e-2", "--no-flip", "--subject", "dog", "--out", place)  # fmt: skip
    assert run(monkeypatch, *words) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Accuracy on pictures held back in training")
    z = load(place)
    assert z.head == "multi-label"
    assert z.classes == ("ears", "tail")
    assert z.data is not None
    assert (z.data.labels == concepts.concepts[:, :2]).all()
    assert run(monkeypatch, "check", place) == 0
    assert run(monkeypatch, "search", place, "--out", tmp_path / "b.z") == 1
    assert "images may show several" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,kind\nconcepts/0000.png,a\n", "no column ‘class’"),
        ("path,class\nnone/0000.png,a\n", "names no picture"),
        ("path,class\nconcepts/0000.png,a\nconcepts/0000.png,b\n", "twice, in rows 2 and 3"),
        ("path,class\nconcepts/0000.png,a\nconcepts/0001.png,a\n", "one class"),
    ],
)
def test_class_tables_that_cannot_be_used(
    text, message, folders, monkeypatch, capsys, tmp_path
) -> None:
    table = folders / "bad-classes.csv"
    table.write_text(text, encoding="utf-8")
    words = ("new", "--images", folders / "concepts", "--labels", table, "--concepts",
             folders / "concepts.csv", "--out", tmp_path / "x.z")  # fmt: skip
    assert run(monkeypatch, *words) == 1
    assert message in " ".join(capsys.readouterr().err.split())


def some_of(folders: Path, place: Path, each: int) -> Path:
    """Copy a few pictures of each class."""
    for kind in sorted((folders / "D").iterdir()):
        (place / kind.name).mkdir(parents=True)
        for file in sorted(kind.iterdir())[:each]:
            (place / kind.name / file.name).write_bytes(file.read_bytes())
    return place


def test_too_few_pictures_are_refused_before_anything_is_trained(
    folders, monkeypatch, capsys, tmp_path
) -> None:
    def train_small(*_: object) -> None:
        raise AssertionError("trained in vain")

    monkeypatch.setattr("circuitz.wrapping.load_network.train_small_cnn", train_small)
    few = some_of(folders, tmp_path / "few", 4)
    words = ("new", "--images", few, "--concept-set", folders / "concepts", "--concepts",
             folders / "concepts.csv", "--out", tmp_path / "few.z")  # fmt: skip
    assert run(monkeypatch, *words) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "D has 4 pictures of" in told
    assert "20 pictures a class" in told
    assert sorted(p.name for p in tmp_path.iterdir()) == ["few"]


@pytest.mark.parametrize("contradict", [False, True])
def test_columns_of_one_concept_are_joined_or_refused(
    contradict, folders, threads, monkeypatch, capsys, tmp_path
) -> None:
    table = folders / "double.csv"
    lines = (folders / "concepts.csv").read_text(encoding="utf-8").splitlines()
    at = lines[0].split(",").index("snow")
    said = {"1": "0", "0": "1"} if contradict else {"1": "1", "0": "0"}
    rows = [",".join((line, said.get(line.split(",")[at], ""))) for line in lines[1:]]
    table.write_text("\n".join([f"{lines[0]},snowy", *rows]), encoding="utf-8")
    # The pictures' own classes, from a table with one empty cell among them.
    shown = sorted(p.relative_to(folders).as_posix() for p in (folders / "D").rglob("*.png"))
    classes = folders / "double-classes.csv"
    named = [f"{name},{'' if i == 7 else name.split('/')[1]}" for i, name in enumerate(shown)]
    classes.write_text("\n".join(["path,class", *named]), encoding="utf-8")
    place = tmp_path / "double.z"
    words = ("--epochs", 1, "--device", "cpu", "--out", place, "--json", "--labels", classes)
    status = run(
        monkeypatch, "new", "--images", folders / "D", "--concepts", table, "--concept-set",
        folders / "concepts", *words,
    )  # fmt: skip
    told = capsys.readouterr()
    if contradict:
        assert status == 1
        assert (
            "The columns ‘snow’ and ‘snowy’ are synonyms in the shipped lexicon, and agree on"
            in " ".join(told.err.split())
        )
        assert not place.exists()
        return
    assert status == 0
    made = json.loads(told.out)
    assert made["concepts"].count("snow") == 1
    assert "snowy" not in made["concepts"]
    assert any("taken together as snow" in remark for remark in made["remarks"])
    assert any("1 picture has no class" in remark for remark in made["remarks"])
    assert told.err.count("1 picture has no class") == 1
    z = load(place)
    assert z.data is not None
    assert z.head != "multi-label"
    assert len(z.data) == len(shown) - 1


def test_workers_measure_what_is_measured_here(folders, tmp_path, monkeypatch, capsys) -> None:
    from distributed import LocalCluster

    words = given(folders, "--epochs", 1, "--out")
    assert run(monkeypatch, *words, tmp_path / "a.z", "--cluster", "nowhere") == 1
    assert "No Dask scheduler answers" in capsys.readouterr().err
    assert not (tmp_path / "a.z").exists()
    with LocalCluster(
        host="127.0.0.1", protocol="tcp://", dashboard_address="127.0.0.1:0", n_workers=1,
        threads_per_worker=1, processes=False,
    ) as cluster:  # fmt: skip
        address = cluster.scheduler_address
        assert run(monkeypatch, *words, tmp_path / "a.z", "--cluster", address) == 0
    assert run(monkeypatch, *words, tmp_path / "b.z") == 0
    there, here = (load(tmp_path / name).measurements for name in ("a.z", "b.z"))
    assert there.effects.sufficiency.tobytes() == here.effects.sufficiency.tobytes()
    assert there.effects.group_necessity.tobytes() == here.effects.group_necessity.tobytes()
    for name, layer in here.layers.items():
        assert there.layers[name].responses.tobytes() == layer.responses.tobytes()
