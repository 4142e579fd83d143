"""Where heads look, and what heads and neurons write straight to the logits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.data.text.induction_model import load_shipped_induction_model
from circuitz.data.text.repeating_sequences import attention_pairs, make_repeating_sequences
from circuitz.effects.attribution.attention_patterns import attention
from circuitz.effects.attribution.direct_effect import direct_effect
from circuitz.errors import InputsError, LayerError, UnitError
from circuitz.measurement.measure import measure
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.builders import build
from circuitz.wrapping.wrap import wrap
from circuitz.z.model import AnnotatedModel


@pytest.fixture(scope="module")
def z() -> AnnotatedModel:
    made = wrap(
        load_shipped_induction_model("induction"),
        make_repeating_sequences(300),
        subject="letter",
        name="induction",
    )
    return measure(made, attention_pairs(40), images=24, donors=1)


def test_a_pattern_is_causal_sums_to_one_and_holds_what_was_measured(z):
    known = z.concept_set
    unit = "blocks.1.attn.hook_z:2"
    rows = np.array([0, 7, 30])
    pattern = attention(z, unit, known.images[rows])
    length = known.images.shape[1]
    assert pattern.shape == (3, length, length)
    assert pattern.sum(2) == pytest.approx(1, abs=1e-5)
    assert np.triu(pattern, 1).max() == 0
    measured = z.measurements.layers["blocks.1.attn.hook_z"].responses[rows, 2]
    query, key = known.focus[rows].T
    assert pattern[np.arange(3), query, key] == pytest.approx(measured, abs=1e-5)


def without(z, unit, rows):
    """Logits at the rows' queries, centred, as they are and with a unit's own output at zero."""
    net = runtime(z).module
    known = z.concept_set
    tokens = torch.from_numpy(known.images[rows].astype(np.int64))
    query = torch.from_numpy(known.focus[rows, 0].astype(np.int64))
    layer, index = unit.split(":")
    found = []
    for off in (False, True):

        def silence(_module, _args, out, off=off):
            out = out.clone()
            if off:
                out[:, :, int(index)] = 0
            return out

        handle = net.get_submodule(layer).register_forward_hook(silence)
        with torch.no_grad():
            logits = net.logits_everywhere(tokens)[torch.arange(len(rows)), query]
        handle.remove()
        found.append((logits - logits.mean(1, keepdim=True)).numpy())
    return found[0] - found[1]


def test_in_the_last_block_the_direct_effect_is_the_whole_effect(z):
    # Nothing is behind it but the unembedding, which is linear where there is no norm.
    unit = "blocks.1.attn.hook_z:1"
    everything = np.arange(len(z.concept_set))[:512]
    usually = np.unique(np.linspace(0, len(z.concept_set) - 1, min(512, len(z.concept_set))))
    usual = without(z, unit, usually.astype(int)).mean(0)
    rows = everything[[3, 50]]
    found = direct_effect(z, unit, rows.tolist())
    assert found.values == pytest.approx(without(z, unit, rows).mean(0) - usual, abs=1e-4)
    assert found.inputs == 2
    assert found.frame["change"].is_monotonic_decreasing
    best = direct_effect(z, unit)
    assert best.inputs == (z.measurements.layers["blocks.1.attn.hook_z"].exemplars[1] >= 0).sum()


def test_neurons_write_too_with_a_norm_behind_them():
    torch.manual_seed(0)
    shape = {"vocabulary": 24, "context": 32, "layers": 1, "heads": 2, "width": 16}
    net = build("small-transformer", {**shape, "neurons": 12, "eps": 1e-5})
    z = wrap(net, make_repeating_sequences(60), subject="letter").with_(
        concept_set=attention_pairs(10)
    )
    found = direct_effect(z, "blocks.0.mlp.hook_post:5", [0, 1, 2])
    assert found.values.sum() == pytest.approx(0, abs=1e-4)
    assert np.abs(found.values).max() > 0
    # By hand: the neuron's own column, scaled as the norm scales the whole stream.
    known = z.concept_set
    tokens = torch.from_numpy(known.images.astype(np.int64))
    kept = {}
    hooks = [
        net.get_submodule(name).register_forward_hook(
            lambda m, a, out, name=name: kept.update({name: out})
        )
        for name in ("blocks.0.mlp.hook_post", "blocks.0.hook_resid_post")
    ]
    with torch.no_grad():
        net.logits_everywhere(tokens)
        each, query = (
            torch.arange(len(tokens)),
            torch.from_numpy(known.focus[:, 0].astype(np.int64)),
        )
        value = kept["blocks.0.mlp.hook_post"][each, query, 5]
        stream = kept["blocks.0.hook_resid_post"][each, query]
        column = net.blocks[0].mlp.outer.weight[:, 5]
        added = (column - column.mean())[None] * value[:, None]
        added = added / (stream.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        logits = net.unembed(added * net.ln_final.weight)
        logits = (logits - logits.mean(1, keepdim=True)).numpy()
    for hook in hooks:
        hook.remove()
    usually = np.unique(np.linspace(0, len(known) - 1, min(512, len(known))).astype(int))
    by_hand = logits[[0, 1, 2]].mean(0) - logits[usually].mean(0)
    assert found.values == pytest.approx(by_hand, abs=1e-4)


def test_what_does_not_fit_is_named(z):
    with pytest.raises(UnitError):
        attention(z, "blocks.1.attn.hook_z:9", z.concept_set.images[:1])
    with pytest.raises(UnitError):
        direct_effect(z, "blocks.7.attn.hook_z:0")
    with pytest.raises(InputsError, match="rows"):
        direct_effect(z, "blocks.1.attn.hook_z:0", [10**6])
    with pytest.raises(InputsError, match="pairs"):
        direct_effect(z.with_(concept_set=None), "blocks.1.attn.hook_z:0")
    with pytest.raises(LayerError, match="no attention head"):
        attention(z, "output:letter a", z.concept_set.images[:1])
