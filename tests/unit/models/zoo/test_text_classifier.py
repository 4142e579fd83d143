"""A transformer with a linear read-out: in plain torch, and bridged, the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from circuitz.errors import BuilderError, InputsError, LayerError, NetworkError
from circuitz.models.adapters.weight_arrays import load_numpy_weights, weights_to_numpy
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.fit_probe import fit_probe, pooled_activations
from circuitz.models.zoo.read_out import ReadOut
from circuitz.z.inputs import PADDING
from circuitz.z.layer import Preprocessing

ARGUMENTS = {
    "vocabulary": 20, "context": 12, "heads": 2, "width": 8, "classes": 3, "neurons": 16,
    "act": "relu", "eps": 1e-5, "padding": 0, "at": "blocks.1.mlp.hook_post",
}  # fmt: skip


def net(**changes: Any) -> Any:
    torch.manual_seed(0)
    return build("text-classifier", ARGUMENTS | changes).eval()


@pytest.fixture
def tokens() -> torch.Tensor:
    made = torch.randint(1, 20, (6, 12), generator=torch.Generator().manual_seed(1))
    made[3:, 7:] = 0
    return made


@pytest.mark.parametrize("pool", ["mean", "last"])
@pytest.mark.parametrize("at", ["blocks.1.mlp.hook_post", "blocks.0.hook_resid_post"])
def test_padding_changes_nothing(pool: str, at: str, tokens: torch.Tensor) -> None:
    some = net(pool=pool, at=at)
    with torch.no_grad():
        whole, short = some(tokens[3:]), some(tokens[3:, :7])
    assert torch.allclose(whole, short, atol=1e-5)


def test_last_is_the_last_token_and_mean_the_mean() -> None:
    tokens = torch.tensor([[5, 6, 7, 0], [5, 0, 0, 0]])
    x = torch.arange(8.0).reshape(2, 4, 1)
    last, mean = ReadOut(1, 2, "last", 0), ReadOut(1, 2, "mean", 0)
    assert last.weigh_positions(x, tokens).mean(1).flatten().tolist() == [2, 4]
    assert mean.weigh_positions(x, tokens).mean(1).flatten().tolist() == pytest.approx([1, 4])


def test_all_paths_cross_what_is_read_and_only_the_end_is_run_again(tokens: torch.Tensor) -> None:
    some = net()
    run = Runtime(some, ["read"], Preprocessing.for_token_sequences(12))
    assert run.resumes_downstream_only("read")
    assert not run.is_bypassed("read")
    act = run.forward_to("read", tokens)
    assert (act[3:, 7:] == 0).all()
    assert torch.allclose(run.resume("read", act), run.forward(tokens), atol=1e-6)
    # Padding is told around the layers before.
    assert run.is_bypassed("blocks.0.hook_resid_post")


def test_the_probe_finds_what_is_there_and_leaves_the_model_alone() -> None:
    some = net(width=32, neurons=128)
    draw = torch.Generator().manual_seed(3)
    many = torch.randint(1, 20, (300, 12), generator=draw).numpy().astype(np.int32)
    labels = (many == 4).any(1).astype(np.int64)
    before = {name: value for name, value in weights_to_numpy(some).items() if "probe" not in name}
    loss = fit_probe(some, pooled_activations(some, many), labels)
    assert loss < 0.5
    with torch.no_grad():
        said = some(torch.from_numpy(many.astype(np.int64))).argmax(1).numpy()
    assert (said == labels).mean() > 0.85
    assert all(
        np.array_equal(weights_to_numpy(some)[name], value) for name, value in before.items()
    )
    with pytest.raises(InputsError, match="labels"):
        fit_probe(some, torch.zeros(3, 16), labels)


def test_arguments_that_cannot_be_are_named() -> None:
    for change in (
        {"at": "ln_final"},
        {"at": "blocks.0.mlp.hook_post", "neurons": 0},
        {"pool": "x"},
    ):
        with pytest.raises(BuilderError):
            net(**change)


def write_folder(place: Path, kind: str) -> Path:
    """Write a small random model with a tokenizer of words."""
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(1)
    if kind == "llama":
        made: Any = transformers.LlamaForCausalLM(
            transformers.LlamaConfig(
                vocab_size=20, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
                num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=12,
                bos_token_id=2, eos_token_id=2,
            )
        )  # fmt: skip
    else:
        made = transformers.GPT2LMHeadModel(
            transformers.GPT2Config(
                vocab_size=20, n_positions=12, n_embd=16, n_layer=2, n_head=2, bos_token_id=2,
                eos_token_id=2,
            )
        )  # fmt: skip
    made.save_pretrained(place)
    words = {"<pad>": 0, "<unk>": 1, "<eos>": 2} | {f"w{i}": i for i in range(3, 18)}
    plain = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", unk_token="<unk>", eos_token="<eos>"
    ).save_pretrained(place)
    return place


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("site", ["mlp.hook_post", "hook_resid_post"])
def test_a_folder_becomes_a_classifier_that_can_be_built_again(
    kind: str, site: str, tokens: torch.Tensor, tmp_path: Path
) -> None:
    pytest.importorskip("transformer_lens")
    from circuitz.models.adapters.bridged_classifier import BridgedClassifier
    from circuitz.models.adapters.text_lm import (
        FolderTokenizer,
        build_text_classifier,
        read_model_config,
    )
    from circuitz.models.adapters.transformer_lens import Lens

    lens = Lens.from_folder(write_folder(tmp_path / "lm", kind))
    words = FolderTokenizer.from_folder(tmp_path / "lm").with_names_for_extra_tokens(20)
    assert len(words.vocabulary) == len(set(words.vocabulary)) == 20
    assert words.vocabulary[words.padding] == PADDING
    assert words.encode(["w3 w5 nothing"]) == [[3, 5, 1]]
    at = f"blocks.1.{site}"
    made = build_text_classifier(
        lens, read_model_config(tmp_path / "lm"), 3, at, "mean", words.padding
    )
    assert isinstance(made, BridgedClassifier) == (kind == "llama")
    # What is read is what TransformerLens reads there.
    theirs, _ = lens.read(tokens[:3], [at])
    with torch.no_grad():
        assert torch.allclose(made.probed_activations(tokens[:3]), theirs[at], atol=1e-4)
        said = made(tokens)
    name, arguments = made.circuitz_builder  # type: ignore[attr-defined]
    again = build(str(name), arguments)  # type: ignore[arg-type]
    load_numpy_weights(again, weights_to_numpy(made))
    with torch.no_grad():
        assert torch.allclose(again.eval()(tokens), said, atol=1e-5)
    run = Runtime(made, ["read"], Preprocessing.for_token_sequences(12))
    assert run.resumes_downstream_only("read")
    assert torch.allclose(run.resume("read", run.forward_to("read", tokens)), said, atol=1e-5)
    # Writing into an early point changes what comes after, as TransformerLens has it.
    point = made.get_submodule("blocks.0.attn.hook_z")
    hook = point.register_forward_hook(lambda _m, _a, out: torch.zeros_like(out))
    with torch.no_grad():
        ours = made.probed_activations(tokens[:3])
    hook.remove()
    heads = {f"blocks.0.attn.hook_z:{h}": 0.0 for h in range(int(lens.config.n_heads))}
    kept: list[torch.Tensor] = []
    lens.bridge.add_hook(at, lambda value, hook: kept.append(value.detach().clone()))
    try:
        lens.write(tokens[:3], heads)
    finally:
        lens.bridge.reset_hooks()
    assert torch.allclose(ours, kept[0], atol=1e-4)


def test_folders_and_layers_that_cannot_be_are_named(tmp_path: Path) -> None:
    pytest.importorskip("transformer_lens")
    from circuitz.models.adapters.text_lm import (
        FolderTokenizer,
        build_text_classifier,
        read_model_config,
    )
    from circuitz.models.adapters.transformer_lens import Lens

    with pytest.raises(NetworkError, match=r"config\.json"):
        FolderTokenizer.from_folder(tmp_path)
    place = write_folder(tmp_path / "lm", "gpt2")
    lens = Lens.from_folder(place)
    with pytest.raises(LayerError, match="0 to 1"):
        build_text_classifier(lens, {}, 2, "blocks.2.mlp.hook_post", "mean", 0)
    (place / "config.json").write_text("[]")
    with pytest.raises(NetworkError, match="no JSON object"):
        read_model_config(place)
    with pytest.raises(NetworkError, match="No model can be built"):
        Lens.from_hugging_face_config({"model_type": "nothing of that name"})
    (place / "tokenizer.json").write_text("{}")
    with pytest.raises(NetworkError, match="cannot be read"):
        FolderTokenizer.from_folder(place)


def test_a_tokenizer_without_padding_or_end_is_refused_by_name(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    from tokenizers import Tokenizer, models

    from circuitz.models.adapters.text_lm import FolderTokenizer

    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    words = {"w0": 0, "w1": 1, "</s>": 2}
    Tokenizer(models.WordLevel(words, unk_token="w0")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(NetworkError, match="neither a padding nor an end token"):
        FolderTokenizer.from_folder(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
    assert FolderTokenizer.from_folder(tmp_path).padding == 2
