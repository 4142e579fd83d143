"""The story of the text world on a model whose neurons are word families, put there by hand."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import circuitz as cz
from circuitz.cli import main
from circuitz.data.text.text_words import FAMILIES, NAMES

pytest.importorskip("transformer_lens")


def run(*words: object) -> int:
    before, sys.argv = sys.argv, ["circuitz", *map(str, words)]
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.argv = before
    return 0


def write_families(place: Path) -> Path:
    """Write a GPT-2 of one block whose neuron i is on at words of family i."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from circuitz.data.text.text_model import vocabulary, write_language_model

    words = vocabulary()
    net = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(words), n_positions=48, n_embd=16, n_inner=12, n_layer=1, n_head=2,
            activation_function="relu", bos_token_id=2, eos_token_id=2, pad_token_id=0,
        )
    )  # fmt: skip
    block = net.transformer.h[0]
    with torch.no_grad():
        for name, weight in net.named_parameters():
            weight.copy_(
                torch.ones_like(weight) if "ln_" in name and "weight" in name else 0 * weight
            )
        for i, family in enumerate(NAMES):
            for word in FAMILIES[family]:
                net.transformer.wte.weight[words.index(word), i] = 10.0
        block.mlp.c_fc.weight[:8, :8] = torch.eye(8)
        block.mlp.c_fc.bias.fill_(-1.0)
    return write_language_model(net.eval(), place)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("texts")
    assert run("data", "texts", "--out", root, "--truth", root / "truth.csv", "--n", 800,
               "--concepts", 480, "--shifted", 600) == 0  # fmt: skip
    write_families(root / "lm")
    assert run(
        "new", "--texts", root / "texts.csv", "--lm", root / "lm", "--out", root / "z.z",
        "--lexicon", root / "lexicon.yaml", "--subject", "profession",
    ) == 0  # fmt: skip
    return root


def test_new_names_the_neurons_and_keeps_d_beside(world: Path) -> None:
    z = cz.load(world / "z.z")
    assert z.cut == ("read",)
    words = {u: a.text for u, a in z.effective().items() if u.startswith("read:")}
    assert {u: text for u, text in words.items() if text == "sea words"} == {"read:4": "sea words"}
    assert set(words.values()) == set(NAMES)
    assert z.measurements is not None
    seen = z.measurements.layers["read"]
    assert z.concept_set is not None
    column = z.concept_set.concept_names.index("sea words")
    assert z.concept_set.concepts is not None
    shows = z.concept_set.concepts[:, column] == 1
    assert seen.responses[shows, 4].min() > 0
    assert seen.responses[~shows, 4].max() == 0
    # The largest value at a token, however short its text.
    assert np.allclose(seen.peaks[shows, 4], seen.peaks[shows, 4].max(), rtol=0.1)
    # The map lies on the tokens as they are laid out, and lights a word of the sea.
    row, heat = int(seen.exemplars[4, 0]), seen.exemplar_heat[4, 0].ravel()
    token = z.concept_set.vocabulary[z.concept_set.images[row, heat.argmax()]]
    assert token in FAMILIES["sea words"]


def test_padding_counts_nowhere(world: Path) -> None:
    z = cz.load(world / "z.z")
    known = z.concept_set
    assert known is not None
    longer = np.full((len(known), known.images.shape[1] + 6), known.padding, np.int32)
    longer[:, :-6] = known.images
    from dataclasses import replace

    from circuitz.models.run.open_runtime import runtime
    from circuitz.responses.sweep_layers import sweep

    layer = next(s for s in z.layers if s.name == "blocks.0.attn.hook_z")
    assert z.measurements is not None
    again = sweep(runtime(z), [replace(layer, shape=(longer.shape[1], *layer.shape[1:]))],
                  replace(known, images=longer), relevant=0)  # fmt: skip
    short = z.measurements.layers[layer.name].responses
    assert np.allclose(again[layer.name].responses, short, atol=1e-5)


def test_the_check_flags_where_nurses_live(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", world / "z.z", "--lexicon", world / "lexicon.yaml") in (0, 1)
    told = " ".join(capsys.readouterr().out.split())
    assert "‘sea words’ (read:4)" in told
    assert "surroundings do not make a profession a nurse" in told


def test_shift_scores_without_what_is_flagged(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("shift", world / "z.z", "--truth", world / "truth.csv", "--json")
    capsys.readouterr()
    assert run(*words, "--lexicon", world / "lexicon.yaml") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["units"] == ["read:4"]
    score = {name: scores["accuracy"]["value"] for name, scores in found["scores"].items()}
    assert score["as it is"] < 0.75
    assert score["without the units"] > score["as it is"] + 0.03
    assert score["erased and fitted again"] > score["as it is"] + 0.05
    assert score["erased and fitted again"] == pytest.approx(score["oracle"], abs=0.06)
    assert score["its own concepts erased and fitted again (control)"] < score["as it is"]
    assert len(found["chance"]) == 5
    # The same twice: nothing is left in the network.
    assert run(*words, "--lexicon", world / "lexicon.yaml") == 0
    assert json.loads(capsys.readouterr().out) == found


def test_shift_takes_directions_and_the_layer_s_own_name(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    z = cz.load(world / "z.z")
    size = next(s.size for s in z.layers if s.name == "read")
    same = cz.directions(z, "read", np.eye(size)[[4, 0]] * 2, name="two")
    place = same.with_(data=z.data).save(tmp_path / "z.z")
    shutil.copytree(world / "z.D", tmp_path / "z.D")
    told = []
    for unit in ("read:4", "blocks.0.mlp.hook_post:4", "read@two:0"):
        capsys.readouterr()
        assert run("shift", place, "--truth", world / "truth.csv", "--json", "--unit", unit,
                   "--lexicon", world / "lexicon.yaml") == 0  # fmt: skip
        told.append(json.loads(capsys.readouterr().out)["scores"])
    for name in ("as it is", "without the units", "and fitted again"):
        assert told[0][name] == told[1][name]
        ours, theirs = (t[name]["accuracy"]["value"] for t in (told[0], told[2]))
        assert theirs == pytest.approx(ours, abs=0.005), name
    assert told[0]["without the units"] != told[0]["as it is"]
    for unit, said in (
        ("blocks.0.attn.hook_z:1", "not of the layer that the probe reads, read (blocks.0.mlp"),
        ("read@two:2", "no unit read@two:2"),
        ("read@none:0", "no layer 'read@none'"),
        ("read:9999", "no unit read:9999"),
    ):
        assert run("shift", place, "--truth", world / "truth.csv", "--unit", unit) == 1
        assert said in " ".join(capsys.readouterr().err.split())


def test_a_cluster_that_is_not_there_is_told_of_before_anything_is_read(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--texts", world / "texts.csv", "--lm", world / "lm", "--out", world / "no.z")
    assert run("new", *words, "--cluster", "nowhere") == 1
    told = capsys.readouterr()
    assert "cluster" in told.err
    assert "Accuracy" not in told.out + told.err
    assert not (world / "no.z").exists()


def test_the_other_commands_work_on_it(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    z = world / "z.z"
    assert run("measure", z, "--lexicon", world / "lexicon.yaml") == 0
    capsys.readouterr()
    assert run("ablate", z, "--class", "nurse", "--images", 24, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert "read:4" in {row["unit"] for row in rows[:6]}
    assert {row["method"] for row in rows} == {"exact"}
    assert run("graph", z, "--class", "nurse", "--images", 16, "--json") == 0
    assert "output:nurse" in capsys.readouterr().out
    effect = cz.effect(cz.load(z), "read:4", "nurse", images=60)
    assert effect.estimate > 0.1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--texts", "texts.csv"), "go together"),
        (("--lm", "lm"), "go together"),
        ((), "No data was named"),
        (("--texts", "texts.csv", "--lm", "nothing"), "config.json"),
        (("--texts", "texts.csv", "--lm", "lm", "--layer", "blocks.7.mlp.hook_post"), "0 to 0"),
        (("--texts", "texts.csv", "--lm", "lm", "--layer", "ln_final"), "no layer to read"),
        (("--texts", "texts.csv", "--lm", "lm", "--pool", "sum"), "no pool"),
        (("--texts", "truth.csv", "--lm", "nowords"), "tokenizer.json"),
        (("--texts", "texts.csv", "--lm", "pickled"), "safetensors"),
        (("--texts", "lexicon.yaml", "--lm", "lm"), "no column ‘text’"),
    ],
)
def test_what_cannot_be_is_named(
    world: Path, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(world)
    for name, gone in (("nowords", "tokenizer.json"), ("pickled", "model.safetensors")):
        if not Path(name).exists():
            shutil.copytree("lm", name)
            Path(name, gone).unlink()
    assert run("new", *options, "--out", "other.z") != 0
    told = capsys.readouterr()
    assert said in " ".join((told.err + told.out).split())
    assert not Path("other.z").exists()
