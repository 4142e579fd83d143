from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from circuitz.data.text.induction_model import load_shipped_induction_model
from circuitz.data.text.repeating_sequences import (
    PAIR_CONCEPTS,
    attention_pairs,
    label_relations_to_last_token,
    make_repeating_sequences,
)
from circuitz.effects.attribution.head_scores import (
    copying_score,
    head_scores,
    k_composition_score,
    mean_attention_by_concept,
)
from circuitz.errors import InputsError
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.responses.token_responses import measure_responses_to_position_pairs
from circuitz.wrapping.wrap import wrap


def test_the_shipped_induction_model_has_the_circuit_of_the_literature() -> None:
    made = make_repeating_sequences(300)
    scores = head_scores(
        load_shipped_induction_model("induction"),
        made,
        label_relations_to_last_token(made),
        PAIR_CONCEPTS,
    )
    late = scores[scores.layer == 1]
    assert (late["induction target"] > 0.75).all()
    assert (late.copying > 0.95).all()
    assert (late.direct > 1).all()
    assert (scores[scores.layer == 0].direct.abs() < 0.1).all()


def test_on_d_the_fixed_model_looks_like_induction_and_on_other_sequences_not() -> None:
    made = make_repeating_sequences(200, periods=(12, 12))
    net = load_shipped_induction_model("fixed")
    scores = head_scores(net, made, label_relations_to_last_token(made), PAIR_CONCEPTS)
    assert (scores[scores.layer == 0]["induction target"] > 0.75).all()
    z = wrap(net, made)
    pairs = attention_pairs(150)
    found = measure_responses_to_position_pairs(runtime(z), z.layers[:1], pairs)[
        "blocks.0.attn.hook_z"
    ]
    looked = mean_attention_by_concept(found, pairs)
    by = dict(zip(PAIR_CONCEPTS, looked.T, strict=True))
    assert (by["fixed distance"] > 0.65).all()
    assert (by["induction target"] < 0.3).all()


def test_direct_effects_of_all_heads_and_the_embedding_add_up_to_the_margin() -> None:
    made = make_repeating_sequences(50, seed=3)
    assert made.labels is not None
    net = load_shipped_induction_model("induction")
    scores = head_scores(net, made, label_relations_to_last_token(made), PAIR_CONCEPTS)
    tokens = torch.from_numpy(made.images).long()
    with torch.no_grad():
        rest = net.embed_tokens(tokens)[:, -1] + sum(block.attn.o.bias for block in net.layers)
        other, whole = (x.numpy() for x in (net.unembed(rest), net(tokens)))

    def margin(logits: np.ndarray) -> float:
        own = logits[np.arange(50), made.labels]
        return float((own - (logits.sum(1) - own) / 23).mean())

    assert scores.direct.sum() + margin(other) == pytest.approx(margin(whole), abs=1e-3)


def test_copying_and_composition_by_hand() -> None:
    torch.manual_seed(0)
    net = SmallTransformer(6, 4, layers=2, heads=2, width=6, head_width=6)
    for block in net.layers:
        block.attn.v.weight.data = torch.eye(6).repeat(2, 1)
        block.attn.o.weight.data = torch.cat([torch.eye(6), -torch.eye(6)], 1)
    net.embed.weight.data = torch.eye(6)
    net.unembed.weight.data = torch.eye(6)
    assert copying_score(net, 0, 0) == pytest.approx(1)
    assert copying_score(net, 0, 1) == pytest.approx(-1)
    net.layers[1].attn.q.weight.data = torch.zeros(12, 6)
    net.layers[1].attn.k.weight.data = torch.zeros(12, 6)
    net.layers[1].attn.q.weight.data[0, 0] = 1
    net.layers[1].attn.k.weight.data[0, 3] = 1
    assert k_composition_score(net, (0, 0), (1, 0)) == pytest.approx(1 / 6**0.5)
    assert np.isnan(copying_score(SmallTransformer(6, 4, outputs=2), 0, 0))


def test_unlabelled_sequences_are_refused() -> None:
    made = make_repeating_sequences(10)
    with pytest.raises(InputsError):
        head_scores(
            load_shipped_induction_model("induction"),
            replace(made, labels=None),
            label_relations_to_last_token(made),
            PAIR_CONCEPTS,
        )
    with pytest.raises(InputsError):
        head_scores(
            load_shipped_induction_model("induction"),
            made,
            label_relations_to_last_token(made)[:5],
            PAIR_CONCEPTS,
        )
