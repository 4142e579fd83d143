"""RMS norm, rotary positions, shared keys: measured by running the model, against hooks by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import circuitz as cz
from circuitz.data.text.repeating_sequences import attention_pairs
from circuitz.errors import InputsError, LayerError
from circuitz.models.adapters.bridged import BridgedLM
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.patching.from_cut import class_margins
from circuitz.patching.from_heads import HeadDownstream, HookedHeads
from circuitz.z.inputs import InputSet

pytest.importorskip("transformer_lens")
WORDS = tuple("abcdefghijklmn")
LENGTH = 8


def tokens(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(2, len(WORDS), (n, LENGTH)).astype(np.int32)


def make_data() -> InputSet:
    """What follows is the token at the start, which is an a or a b."""
    rows = tokens(180, 0)
    labels = np.arange(len(rows)) % 2
    rows[:, 0] = labels
    return InputSet(
        rows, labels=labels.astype(np.int64), classes=("a", "b"), vocabulary=WORDS,
        split=(np.arange(len(rows)) % 3).astype(np.uint8),
    )  # fmt: skip


def make_model() -> Any:
    """A Llama with as many queries as two keys have, trained for a few seconds."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    net = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(WORDS), hidden_size=32, intermediate_size=24, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=16,
            bos_token_id=0, eos_token_id=1, pad_token_id=2, attn_implementation="eager",
        )
    )  # fmt: skip
    data = make_data()
    x, y = torch.from_numpy(data.images.astype(np.int64)), torch.from_numpy(data.labels)
    step = torch.optim.Adam(net.parameters(), 5e-3)
    for _ in range(25):
        loss = torch.nn.functional.cross_entropy(net(x).logits[:, -1], y)
        step.zero_grad()
        loss.backward()
        step.step()
    assert float(loss.detach()) < 0.1
    return net.eval()


def make_pairs(n: int = 30) -> InputSet:
    """All queries look back at the start, or at the token before."""
    rows = np.repeat(tokens(n, 5), 2, axis=0)
    key = np.tile([0, LENGTH - 2], n)
    back = np.stack([key == 0, key != 0], 1).astype(np.float32)
    return InputSet(
        rows, vocabulary=WORDS, concepts=back, concept_names=("first token", "previous token"),
        focus=np.stack([np.full(2 * n, LENGTH - 1), key], 1), scene=np.repeat(np.arange(n), 2),
        split=np.repeat(np.arange(n) % 3, 2).astype(np.uint8), role="concepts",
    )  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Any:
    return make_model()


@pytest.fixture(scope="module")
def z(model) -> Any:
    made = cz.wrap(model, make_data(), subject="letter")
    return cz.measure(made, make_pairs(), images=24, donors=1)


def test_a_model_is_wrapped_by_its_heads_and_neurons_and_left_as_it_is(z, model) -> None:
    assert isinstance(z.live, BridgedLM)
    assert z.cut == ("blocks.0.attn.hook_z", "blocks.1.attn.hook_z")
    assert [s.size for s in z.layers] == [4, 24, 4, 24]
    assert z.classes == ("a", "b")
    assert not any("hook" in name for name, _ in model.named_modules())
    x = make_data().images[:5]
    with torch.no_grad():
        theirs = model(torch.from_numpy(x.astype(np.int64))).logits[:, -1, :2]
    assert runtime(z).logits(x) == pytest.approx(theirs.numpy(), abs=1e-5)


def test_responses_are_attention_and_neurons(z, model) -> None:
    known = z.concept_set
    x = torch.from_numpy(known.images.astype(np.int64))
    neurons: dict[int, torch.Tensor] = {}
    hooks = [
        block.mlp.down_proj.register_forward_pre_hook(
            lambda _m, args, i=i: neurons.__setitem__(i, args[0].detach())
        )
        for i, block in enumerate(model.model.layers)
    ]
    with torch.no_grad():
        patterns = model(x, output_attentions=True).attentions
    for hook in hooks:
        hook.remove()
    each, (query, key) = np.arange(len(x)), known.focus.T
    for i in range(2):
        heads = z.measurements.layers[f"blocks.{i}.attn.hook_z"]
        assert np.allclose(heads.responses, patterns[i][each, :, query, key], atol=1e-5)
        found = z.measurements.layers[f"blocks.{i}.mlp.hook_post"]
        assert np.allclose(found.responses, neurons[i][each, query], atol=1e-5)
        assert (heads.exemplars[:, 0] >= 0).all()
        best = heads.responses[heads.exemplars[:, 0], np.arange(4)]
        assert np.allclose(best, heads.responses.max(0))


def patched_by_hand(model: Any, x: Any, y: Any, heads: list[tuple[int, int]]) -> torch.Tensor:
    """Logits of a and b on ``x`` when heads gather what they gather on ``y``."""
    width = model.config.hidden_size // model.config.num_attention_heads
    outs = [block.self_attn.o_proj for block in model.model.layers]
    held: dict[int, torch.Tensor] = {}
    keep = [
        o.register_forward_pre_hook(lambda _m, a, i=i: held.__setitem__(i, a[0].clone()))
        for i, o in enumerate(outs)
    ]
    with torch.no_grad():
        model(y)
    for hook in keep:
        hook.remove()

    def write(i: int) -> Any:
        def hook(_module: Any, args: Any) -> Any:
            new = args[0].clone()
            for block, h in heads:
                if block == i:
                    new[..., h * width : (h + 1) * width] = held[i][
                        ..., h * width : (h + 1) * width
                    ]
            return (new,)

        return hook

    hooks = [o.register_forward_pre_hook(write(i)) for i, o in enumerate(outs)]
    with torch.no_grad():
        logits = model(x).logits[:, -1, :2]
    for hook in hooks:
        hook.remove()
    return logits


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("heads", [[(0, 1)], [(1, 3)], [(0, 0), (0, 2), (1, 1)]])
def test_effects_of_heads_are_those_by_hand(z, model, heads, kept, monkeypatch) -> None:
    from circuitz.patching import from_heads as head_effects

    if not kept:
        monkeypatch.setattr(head_effects, "_NUMBERS", 2000)
    rows = make_data().images[:12]
    down = HeadDownstream.for_heads_of_cut(z, runtime(z), rows)
    assert isinstance(down, HookedHeads)
    assert bool(down._head_outputs) == kept
    assert down.head_count == 8
    source, donor = np.arange(12), np.roll(np.arange(12), 1)
    target = np.arange(12) % 2
    found = down.joint_margin_change(source, donor, target, [4 * i + h for i, h in heads])
    x = torch.from_numpy(rows.astype(np.int64))
    with torch.no_grad():
        before = class_margins(model(x).logits[:, -1, :2])
    after = class_margins(patched_by_hand(model, x, x[donor], heads))
    want = (after - before)[source, target]
    assert found == pytest.approx(want.numpy(), abs=1e-5)
    if len(heads) == 1 and kept:
        each = down.margin_change_by_unit(source, donor, target)
        assert each[:, 4 * heads[0][0] + heads[0][1]] == pytest.approx(found, abs=1e-6)
    assert not any(m._forward_hooks for m in runtime(z).module.blocks.modules())


def test_effects_are_measured_for_every_head(z) -> None:
    effects = z.measurements.effects
    assert len(effects.units) == 8
    assert np.isfinite(effects.scale).all()
    assert np.nanmax(np.abs(np.nanmean(effects.sufficiency, 0))) > 0.1


def test_a_plain_model_gives_the_same_either_way() -> None:
    from circuitz.data.text.induction_model import load_shipped_induction_model
    from circuitz.data.text.repeating_sequences import make_repeating_sequences
    from circuitz.models.adapters.transformer_lens import Lens

    plain = load_shipped_induction_model("induction")
    data = make_repeating_sequences(60)
    one = cz.wrap(plain, data)
    bridged = BridgedLM.from_lens(Lens.from_small_transformer(plain))
    two = cz.wrap(bridged, data)
    assert isinstance(one.live, SmallTransformer)
    assert isinstance(two.live, BridgedLM)
    known = attention_pairs(20)
    ours, theirs = (cz.measure(z.with_(data=None), known).measurements for z in (one, two))
    for name, layer in ours.layers.items():
        assert np.allclose(layer.responses, theirs.layers[name].responses, atol=1e-5)
    source, donor, target = np.arange(20), np.roll(np.arange(20), 3), np.arange(20) % 24
    fast, slow = (
        HeadDownstream.for_heads_of_cut(z, runtime(z), data.images[:20]) for z in (one, two)
    )
    assert type(fast) is HeadDownstream
    assert np.allclose(
        fast.margin_change_by_unit(source, donor, target),
        slow.margin_change_by_unit(source, donor, target),
        atol=1e-4,
    )


@pytest.mark.parametrize(
    "more",
    [
        {"normalization_type": "RMS"},
        {"positional_embedding_type": "rotary"},
        {"n_key_value_heads": 2},
        {"normalization_type": "RMS", "positional_embedding_type": "rotary", "gated_mlp": True,
         "n_key_value_heads": 2, "act_fn": "silu"},
    ],
)  # fmt: skip
def test_native_models_are_wrapped_saved_and_built_again(more, tmp_path) -> None:
    from circuitz.models.adapters.transformer_lens import Lens

    config = {
        "n_layers": 2, "n_heads": 4, "d_model": 16, "d_head": 4, "n_ctx": 12, "d_mlp": 10,
        "d_vocab": len(WORDS), "act_fn": "relu", "seed": 0,
    }  # fmt: skip
    lens = Lens.native(config | more)
    z = cz.wrap(lens, make_data())
    assert isinstance(z.live, BridgedLM)
    z = cz.measure(z.with_(data=None), make_pairs(6))
    again = cz.load(z.save(tmp_path / "m.z")).with_(measurements=None)
    assert again.live is None
    again = cz.measure(again)
    for name, layer in z.measurements.layers.items():
        assert np.array_equal(layer.responses, again.measurements.layers[name].responses)
    heads = lens.read(torch.from_numpy(make_pairs(6).images.astype(np.int64)), [z.cut[0]])[0]
    acts, _ = runtime(z).run(runtime(z).prepare(make_pairs(6).images), [z.cut[0]])
    assert torch.allclose(acts[z.cut[0]], heads[z.cut[0]], atol=1e-6)


def test_other_verbs_take_language_models(z, model) -> None:
    from circuitz.models.adapters.transformer_lens import Lens

    x = torch.from_numpy(make_data().images[:6].astype(np.int64))
    bridge = Lens.from_hugging_face_model(model).bridge
    found = cz.ablate(bridge, x, classes=["0", "1"])
    assert set(found["layer"]) == {s.name for s in z.layers}
    row = found[(found["unit"] == "blocks.1.attn.hook_z:2") & (found["target"] == "0")]["effect"]
    unit = {"blocks.1.attn.hook_z:2": 0.0}
    lens = Lens(bridge)
    before, after = (class_margins(lens.write(x, done)[:, -1])[:, 0] for done in ({}, unit))
    assert row.item() == pytest.approx(float((before - after).mean()), abs=1e-5)
    same = cz.ablate(z, make_data().images[:6], layers=["blocks.1.attn.hook_z"], classes=["a"])
    assert np.isfinite(same["effect"]).all()
    edges = cz.edges(
        z, "blocks.0.attn.hook_z", "blocks.1.mlp.hook_post", "a", units=[0, 1], images=12
    )
    assert np.isfinite(edges.frame["total"]).any()
    shown = cz.effect(z, "blocks.0.attn.hook_z:1", "a")
    assert np.isfinite(shown.estimate)


def test_what_does_not_fit_is_named(model) -> None:
    from circuitz.effects.attribution.direct_effect import direct_effect
    from circuitz.models.adapters.transformer_lens import Lens

    data = make_data()
    with pytest.raises(InputsError, match="2 class names but the model has 14 logits"):
        cz.wrap(model, InputSet(data.images, labels=data.labels, classes=("x", "y"),
                                vocabulary=WORDS))  # fmt: skip
    for what in (
        model,
        Lens.from_hugging_face_model(model),
        Lens.from_hugging_face_model(model).bridge,
    ):
        with pytest.raises(InputsError, match=r"is a language model.*token"):
            cz.wrap(what)
    bridge = Lens.from_hugging_face_model(model).bridge
    for tokens_, said in (
        (torch.zeros(2, 99, dtype=torch.long), "99 tokens are too long"),
        (torch.full((2, 5), 77), "77 to 77; the model knows 0 to 13"),
        (torch.rand(2, 5), "float32"),
    ):
        with pytest.raises(InputsError, match=said):
            cz.ablate(bridge, tokens_)
    z = cz.wrap(model, data)
    with pytest.raises(LayerError, match="small transformer"):
        direct_effect(z.with_(concept_set=make_pairs()), "blocks.0.attn.hook_z:0", [0])
    with pytest.raises(LayerError, match=r"at every position.*Lens\.of_model"):
        cz.ablate(model, torch.from_numpy(data.images[:2].astype(np.int64)))


def test_its_circuit_is_drawn_by_hooks(z) -> None:
    found = cz.graph(z, "a", images=60, resamples=30)
    assert {"unit", "class", "unexplained"} <= {n.kind for n in found.nodes}
    assert found.layers == z.cut
    assert found.scores["recovered"] > 0.5
    direct = {e.source: e.share for e in found.edges if e.target == "output:a"}
    assert sum(share for name, share in direct.items() if "hook_z" in name) > 0.5
    heads = [n.id for n in found.nodes if n.kind == "unit"]
    assert found.scores["recovered"] == cz.effect(z, heads, "a", images=60).estimate
