from __future__ import annotations

import pytest
import torch

from circuitz.data.text.induction_model import (
    TokenRecipe,
    load_shipped_induction_model,
    shipped_weights_path,
    train_induction_model,
)
from circuitz.data.text.repeating_sequences import FIXED, make_repeating_sequences
from circuitz.errors import BuilderError, InputsError, WeightsError
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.z.layer import Preprocessing


def _net(**how: object) -> SmallTransformer:
    torch.manual_seed(0)
    net = build("small-transformer", {"vocabulary": 9, "context": 7, "width": 16, **how})
    assert isinstance(net, SmallTransformer)
    return net.eval()


@pytest.mark.parametrize("how", [{}, {"neurons": 24, "eps": 1e-5}, {"layers": 1, "outputs": 3}])
def test_the_last_position_alone_and_no_position_sees_a_later_one(how: dict[str, object]) -> None:
    net = _net(**how)
    tokens = torch.randint(0, 9, (5, 7))
    other = tokens.clone()
    other[:, 4:] = (other[:, 4:] + 1) % 9
    with torch.no_grad():
        all_of_them = net.logits_everywhere(tokens)
        assert torch.allclose(net(tokens), all_of_them[:, -1], atol=1e-6)
        assert torch.allclose(net.logits_everywhere(other)[:, :4], all_of_them[:, :4], atol=1e-6)
        assert not torch.allclose(
            net.logits_everywhere(other)[:, 4:], all_of_them[:, 4:], atol=1e-3
        )


def test_patterns_are_causal_and_sum_to_one() -> None:
    net = _net()
    seen: list[torch.Tensor] = []
    net.layers[0].attn.hook_pattern.register_forward_hook(lambda _m, _a, out: seen.append(out))
    net(torch.randint(0, 9, (3, 7)))
    assert seen[0].shape == (3, 4, 7, 7)
    assert torch.allclose(seen[0].sum(-1), torch.ones(3, 4, 7), atol=1e-6)
    assert (seen[0].triu(1) == 0).all()


@pytest.mark.parametrize("how", [{"heads": 0}, {"act": "sine"}, {"neurons": -1}, {"depth": 2}])
def test_impossible_shapes_are_named(how: dict[str, object]) -> None:
    with pytest.raises(BuilderError):
        _net(**how)


def test_what_is_no_token_sequence_is_refused() -> None:
    net = _net()
    with pytest.raises(ValueError, match="positions"):
        net(torch.zeros(1, 8, dtype=torch.long))
    runtime = Runtime(net, (), Preprocessing.for_token_sequences(7))
    with pytest.raises(InputsError, match="int32"):
        runtime.logits(torch.zeros(2, 7).numpy())


def test_reading_and_resuming_agree_with_the_whole() -> None:
    net = _net(neurons=24, eps=1e-5)
    runtime = Runtime(
        net,
        ["blocks.0.attn.hook_z", "blocks.0.hook_resid_post"],
        Preprocessing.for_token_sequences(7),
    )
    tokens = torch.randint(0, 9, (4, 7)).int().numpy()
    x = runtime.prepare(tokens)
    for layer in runtime.layers:
        act = runtime.forward_to(layer, x)
        again = runtime.resume(layer, act, x).detach().numpy()
        assert abs(again - runtime.logits(tokens)).max() < 1e-5
    assert runtime.is_bypassed("blocks.0.attn.hook_z")
    assert not runtime.is_bypassed("blocks.0.hook_resid_post")


@pytest.mark.parametrize(
    ("name", "where", "away"), [("induction", 0.98, 0.98), ("fixed", 0.98, 0.4)]
)
def test_the_shipped_models_continue_their_own_d(name: str, where: float, away: float) -> None:
    net = load_shipped_induction_model(name)
    right = {}
    for key, periods in (("home", (FIXED, FIXED)), ("away", (5, 10))):
        made = make_repeating_sequences(400, role="D'", seed=9, periods=periods)
        with torch.no_grad():
            told = net(torch.from_numpy(made.images).long()).argmax(1).numpy()
        right[key] = (told == made.labels).mean()
    assert right["home"] >= where
    assert right["away"] >= away if name == "induction" else right["away"] <= away


def test_shipped_weights_are_small_and_unknown_names_refused() -> None:
    assert shipped_weights_path("induction").stat().st_size < 500_000
    with pytest.raises(WeightsError, match="no weights"):
        load_shipped_induction_model("../induction2")


def test_training_is_the_same_for_the_same_seed_and_learns() -> None:
    recipe = TokenRecipe(steps=3, batch=4)
    one, same = (
        train_induction_model(recipe).state_dict(),
        train_induction_model(recipe).state_dict(),
    )
    assert all(torch.equal(one[k], same[k]) for k in one)
    steps: list[int] = []
    train_induction_model(
        TokenRecipe(steps=2, batch=2, seed=1), lambda done, _n: steps.append(done)
    )
    assert steps == [1, 2]
