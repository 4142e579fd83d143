"""Padded texts say what each text says by itself, on either side, or are refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import circuitz as cz
from circuitz.errors import InputsError, LayerError, NetworkWarning
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.text_padding import last_real_positions, padded_sides, real_token_mask
from circuitz.wrapping.name_padding import name_padding
from circuitz.z.inputs import PADDING, InputSet
from circuitz.z.intervention import Intervention

# Networks with random weights know nothing, and are said to.
pytestmark = pytest.mark.filterwarnings("ignore:Accuracy on D")
transformers = pytest.importorskip("transformers")
WORDS, LENGTH, N = 20, 8, 30


def texts(side: str, name: str = PADDING, padding: int = 0, classes=("a", "b", "c")) -> InputSet:
    draw = np.random.default_rng(0)
    tokens = np.full((N, LENGTH), padding, np.int32)
    for row, n in zip(tokens, draw.integers(2, LENGTH + 1, N), strict=True):
        row[slice(n) if side == "right" else slice(LENGTH - n, None)] = draw.integers(3, WORDS, n)
    return InputSet(
        tokens, labels=np.arange(N) % 3, classes=classes,
        vocabulary=tuple(name if i == padding else f"w{i}" for i in range(WORDS)),
        split=(np.arange(N) // 3 % 3).astype(np.uint8),
    )  # fmt: skip


def shaken(net: Any) -> Any:
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return net.eval()


def one_by_one(net: Any, data: InputSet, padding: int = 0) -> np.ndarray:
    with torch.no_grad():
        rows = [torch.from_numpy(row[row != padding].astype(np.int64))[None] for row in data.images]
        return np.concatenate([net(row).logits.numpy() for row in rows if row.numel()])


@pytest.fixture(scope="module")
def bert(threads) -> Any:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
             "intermediate_size": 24, "max_position_embeddings": 16}  # fmt: skip
    config = transformers.BertConfig(vocab_size=WORDS, num_labels=3, pad_token_id=0, **sizes)
    return shaken(transformers.BertForSequenceClassification(config))


@pytest.fixture(scope="module")
def llama(threads) -> Any:
    config = transformers.LlamaConfig(
        vocab_size=WORDS, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=16, bos_token_id=1,
        eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    return shaken(transformers.LlamaForCausalLM(config))


@pytest.mark.parametrize("name", [PADDING, "[PAD]", "<pad>"])
def test_a_classifier_gets_an_attention_mask(bert, name) -> None:
    data = texts("right", name)
    z = cz.wrap(bert, data, layers=["bert.encoder.layer.0.intermediate", "bert.pooler"])
    assert z.preprocessing.padding == 0
    assert z.preprocessing.masking == "mask and positions"
    right = one_by_one(bert, data)
    np.testing.assert_allclose(runtime(z).logits(data.images), right, atol=1e-5)
    # Cut in two, and intervened on, it is masked as well.
    run = runtime(z)
    x = run.prepare(data.images)
    with torch.no_grad():
        stopped = run.forward_to("bert.pooler", x)
        np.testing.assert_allclose(run.resume("bert.pooler", stopped).numpy(), right, atol=1e-5)
    _, same = run.intervene(x, [Intervention("bert.encoder.layer.0.intermediate", (0,), "patch")])
    np.testing.assert_allclose(same.numpy(), right, atol=1e-5)
    assert bert(torch.zeros(1, 2, dtype=torch.long)).logits.shape == (1, 3)  # left as it was


def test_ablation_of_padded_texts_is_that_of_each_by_itself(bert) -> None:
    data = texts("right")
    layer = "bert.encoder.layer.0.intermediate"
    z = cz.wrap(bert, data, layers=[layer, "bert.pooler"])
    found = cz.ablate(z, data.images, layers=[layer])
    found = found[found.unit == f"{layer}:3"].set_index("target").effect.loc[["a", "b", "c"]]

    def without_unit_3(_module: Any, _args: Any, out: torch.Tensor) -> torch.Tensor:
        return out * (torch.arange(out.shape[-1]) != 3)

    before = one_by_one(bert, data)
    handle = bert.get_submodule(layer).register_forward_hook(without_unit_3)
    drop = before - one_by_one(bert, data)
    handle.remove()
    right = drop - (drop.sum(1, keepdims=True) - drop) / 2
    np.testing.assert_allclose(found, right.mean(0), atol=1e-5)


def test_padding_where_a_classifier_cannot_have_it_is_refused(bert) -> None:
    layers = ["bert.encoder.layer.0.intermediate", "bert.pooler"]
    with pytest.raises(InputsError, match=r"padded on the left.*off by") as caught:
        cz.wrap(bert, texts("left"), layers=layers)
    assert "on the right" in caught.value.hint
    z = cz.wrap(bert, texts("right"), layers=layers)
    with pytest.raises(InputsError, match="padded on the left"):
        runtime(z).logits(texts("left").images)
    # An inner layer is no cut: what comes after it looks at where padding stands.
    with pytest.raises(LayerError, match="crossed by every path") as caught_too:
        cz.wrap(bert, texts("right"), layers=["bert.encoder.layer.0"])
    assert "padding" in caught_too.value.hint


def test_padding_is_known_from_the_network_or_asked_for(bert) -> None:
    layers = ["bert.encoder.layer.0.intermediate", "bert.pooler"]
    data = texts("right", "zero")
    with pytest.warns(NetworkWarning, match="pad_token_id"):
        z = cz.wrap(bert, data, layers=layers)
    assert any("config.pad_token_id" in remark for remark in z.remarks)
    assert z.data.vocabulary[0] == PADDING
    np.testing.assert_allclose(runtime(z).logits(data.images), one_by_one(bert, data), atol=1e-5)
    within = replace(
        data, images=np.random.default_rng(1).integers(0, WORDS, (N, LENGTH), np.int32)
    )
    assert "within texts as well" in name_padding(bert, within)[1][0]
    named, said = name_padding(nn.Identity(), data)
    assert named is data
    assert "'zero'" in said[0]
    full = replace(data, images=np.random.default_rng(0).integers(0, WORDS, (N, LENGTH), np.int32))
    assert name_padding(nn.Identity(), full)[1] == ()


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_language_model_is_read_at_the_last_real_token(llama, side, tmp_path) -> None:
    pytest.importorskip("transformer_lens")
    data = texts(side, classes=("w3", "w4", "w5"))
    right = np.concatenate(
        [
            llama(torch.from_numpy(row[row != 0].astype(np.int64))[None])
            .logits[:, -1, [3, 4, 5]].detach().numpy()
            for row in data.images
        ]
    )  # fmt: skip
    z = cz.wrap(llama, data)
    np.testing.assert_allclose(runtime(z).logits(data.images), right, atol=1e-4)
    z.save(tmp_path / "lm.z")
    again = runtime(cz.load(tmp_path / "lm.z"))
    np.testing.assert_allclose(again.logits(data.images), right, atol=1e-4)
    acts, _ = runtime(z).run(runtime(z).prepare(data.images), ["blocks.0.attn.hook_z"])
    assert torch.isfinite(acts["blocks.0.attn.hook_z"]).all()


def test_a_network_that_reads_padding_as_its_own_is_remarked_on() -> None:
    from circuitz.models.zoo.builders import build

    torch.manual_seed(0)
    data = texts("right", classes=("a", "b", "c"))
    net = build("small-transformer", {"vocabulary": WORDS, "context": LENGTH, "outputs": 3})
    with pytest.warns(NetworkWarning, match="off by"):
        z = cz.wrap(net, data)
    assert any("padding is part of what it reads" in remark for remark in z.remarks)


def test_which_tokens_are_real() -> None:
    tokens = torch.tensor([[0, 3, 0, 4, 0], [3, 4, 5, 3, 3], [0, 0, 0, 0, 0]])
    mask = real_token_mask(tokens, 0)
    # Padding within a text is a token like any other.
    assert mask.tolist() == [
        [False, True, True, True, False], [True] * 5, [True, False, False, False, False],
    ]  # fmt: skip
    assert last_real_positions(tokens, 0).tolist() == [3, 4, 0]
    assert padded_sides(tokens.numpy(), 0) == ("right", "left")
    assert padded_sides(tokens[1:].numpy(), 0) == ()


class ReadLast(nn.Module):
    """Passes what a Hugging Face classifier reads of each text through a module of its own."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.base, self.read, self.score = net.base_model, nn.Identity(), net.score

    def forward(self, tokens, attention_mask=None, position_ids=None):
        if attention_mask is None:
            attention_mask = torch.ones_like(tokens)
        out = self.base(tokens, attention_mask=attention_mask, position_ids=position_ids)
        last = (attention_mask * torch.arange(tokens.shape[1])).argmax(1)
        return self.score(self.read(out.last_hidden_state[torch.arange(len(tokens)), last]))


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_classifier_that_reads_the_last_token_needs_a_place_to_be_cut(side, threads) -> None:
    config = transformers.GPT2Config(
        vocab_size=WORDS, num_labels=3, pad_token_id=0, n_embd=16, n_layer=2, n_head=4,
        n_positions=16, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    net, data = shaken(transformers.GPT2ForSequenceClassification(config)), texts(side)
    with pytest.raises(LayerError, match="crossed by every path") as caught:
        cz.wrap(net, data, layers=["score"])
    assert "padding stands" in caught.value.hint
    z = cz.wrap(ReadLast(net), data, layers=["base.h.1", "read"])
    assert z.cut == ("read",)
    right = one_by_one(net, data)
    np.testing.assert_allclose(runtime(z).logits(data.images), right, atol=1e-5)
    net.config.pad_token_id = 5  # it reads the last position then, whatever stands there
    if side == "right":
        with pytest.raises(InputsError) as caught_too:
            cz.wrap(net, data, layers=["score"])
        assert "config.pad_token_id is 5" in caught_too.value.hint
    else:
        assert cz.wrap(net, data, layers=["score"]).preprocessing.padded_at == "left"
