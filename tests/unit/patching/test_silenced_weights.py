"""Units out of the network for good: constant on any input, and nothing else touched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.errors import LayerError
from circuitz.models.adapters.weight_arrays import load_numpy_weights, weights_to_numpy
from circuitz.models.run.layer_specs import describe_layers, flatten_unit_maps
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.patching.silenced_weights import can_silence_layer, silenced_weights
from circuitz.z.layer import LayerSpec, Preprocessing

PREP = Preprocessing(size=(12, 12))
UNITS = [1, 4]


def images(seed: int, n: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 12, 12, 3), dtype=np.uint8)


class Net(nn.Module):
    """A stem, a layer ``block`` of six units, and a head."""

    def __init__(self, block: nn.Module, pooled: bool = True) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 5, 3, 2, 1)
        self.block = block
        self.head = nn.Linear(6, 3)
        self.pooled = pooled

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.tanh(self.stem(x))
        if self.pooled:
            return self.head(self.block(x).mean((2, 3)))
        tokens = self.block(x.flatten(2).transpose(1, 2))
        return self.head(tokens.mean(1))


class Sum(nn.Module):
    """The residual sum of two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(5, 6, 3, padding=1), nn.Conv2d(5, 6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.one(x) + self.two(x))


class Shares(nn.Module):
    """What each unit has of what all put out."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.abs() / x.abs().sum(1, keepdim=True)


class Twice(nn.Module):
    """Weights of the layer are used a second time."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Conv2d(3, 6, 3, padding=1)
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        own = nn.functional.conv2d(x.flip(2), self.block.weight).mean((2, 3))
        return self.head(self.block(x).mean((2, 3)) + own)


def awake(net: nn.Module) -> nn.Module:
    """Give a network numbers that are not those it starts with, norms above all."""
    draw = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for tensor in net.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(0.3 * torch.rand(tensor.shape, generator=draw))
    return net


def cut(
    net: nn.Module, level: tuple[float, float], layer: str = "block"
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Silence two units; return the layer's output before and after on other images, and logits."""
    net = awake(net)
    spec = describe_layers(net, [layer], torch.zeros(1, 3, 12, 12))[0]
    run = Runtime(net, [spec], PREP)
    held = weights_to_numpy(net)
    net.train()
    made = silenced_weights(run, spec, UNITS, np.float32(level), images(0))
    assert net.training
    assert all(np.array_equal(held[name], array) for name, array in weights_to_numpy(net).items())

    def read() -> tuple[np.ndarray, np.ndarray]:
        acts, logits = run.run(run.prepare(images(1)), [layer])
        return flatten_unit_maps(spec, acts[layer]).numpy(), logits.numpy()

    before, first = read()
    load_numpy_weights(net, made)
    after, second = read()
    load_numpy_weights(net, held)
    return before, after, first, second


def checked(before: np.ndarray, after: np.ndarray, level: tuple[float, float]) -> None:
    for unit, value in zip(UNITS, level, strict=True):
        np.testing.assert_allclose(after[:, unit], value, rtol=2e-5, atol=2e-5)
    others = [u for u in range(before.shape[1]) if u not in UNITS]
    np.testing.assert_allclose(after[:, others], before[:, others], rtol=1e-5, atol=1e-6)
    assert np.ptp(before[:, UNITS]) > 0.01


@pytest.mark.parametrize(
    ("block", "level"),
    [
        (nn.Sequential(nn.Conv2d(5, 6, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU()), (0.4, 1.7)),
        (nn.Sequential(nn.Conv2d(5, 6, 3, padding=1), nn.GELU()), (0.4, -0.1)),
        (nn.Sequential(nn.Conv2d(5, 6, 3), nn.Sigmoid()), (0.7, 0.02)),
        (nn.Sequential(nn.ConvTranspose2d(5, 6, 3), nn.LeakyReLU()), (0.4, -0.2)),
        (nn.Sequential(nn.Conv2d(5, 6, 3), nn.GroupNorm(2, 6), nn.Dropout()), (0.4, -3.0)),
        (nn.Sequential(nn.Conv2d(5, 6, 3), nn.BatchNorm2d(6, affine=False)), (0.4, -0.2)),
        (nn.Sequential(nn.Conv2d(5, 6, 3), nn.MaxPool2d(2), nn.Softplus()), (40.0, 0.2)),
    ],
    ids=["batch-norm", "gelu", "sigmoid", "transposed", "group-norm", "norm-alone", "pooled"],
)
def test_units_put_out_the_level_and_nothing_else_changes(block, level):
    before, after, first, second = cut(Net(block), level)
    checked(before, after, level)
    assert not np.array_equal(first, second)


def test_tokens_have_their_units_last():
    block = nn.Sequential(nn.Linear(5, 9), nn.GELU(), nn.Linear(9, 6), nn.LayerNorm(6), nn.GELU())
    before, after, _, _ = cut(Net(block, pooled=False), (0.3, 1.2))
    checked(before, after, (0.3, 1.2))


class ActFirst(nn.Module):
    """Its activation is registered before what it follows, as in vision transformers."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.GELU()
        self.conv = nn.Conv2d(5, 6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.conv(x))


@pytest.mark.parametrize(
    ("block", "layer"),
    [
        (nn.Sequential(nn.Conv2d(5, 6, 3), nn.BatchNorm2d(6), nn.ReLU()), "block.2"),
        (ActFirst(), "block.act"),
    ],
    ids=["behind", "before"],
)
def test_an_activation_by_itself_is_silenced_by_what_makes_its_input(block, layer):
    before, after, _, _ = cut(Net(block), (0.3, 1.2), layer=layer)
    checked(before, after, (0.3, 1.2))


def test_without_a_bias_the_nearest_is_nothing():
    block = nn.Sequential(nn.Conv2d(5, 6, 3, bias=False), nn.ReLU())
    before, after, _, _ = cut(Net(block), (0.3, 1.2))
    checked(before, after, (0.0, 0.0))


def test_a_level_that_an_activation_never_gives_becomes_the_nearest():
    before, after, _, _ = cut(Net(nn.Sequential(nn.Conv2d(5, 6, 3), nn.ReLU())), (-2.0, 0.5))
    checked(before, after, (0.0, 0.5))


def test_where_padding_follows_nothing_is_put_out():
    block = nn.Sequential(nn.Conv2d(5, 6, 3), nn.AvgPool2d(3, 1, 1))
    before, after, _, _ = cut(Net(block), (0.3, 1.2))
    checked(before, after, (0.0, 0.0))


def test_an_axis_of_inputs_is_not_taken_for_one_of_units():
    """A square transposed convolution has an input axis that is as long as the layer."""
    block = nn.Sequential(nn.Conv2d(5, 6, 1), nn.ConvTranspose2d(6, 6, 3), nn.ReLU())
    before, after, _, _ = cut(Net(block), (0.3, 1.2))
    checked(before, after, (0.3, 1.2))


class Whisper(Sum):
    """A residual sum whose second part hardly speaks, as layer scales begin."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.one(x) + 1e-6 * self.two(x)


@pytest.mark.parametrize(
    ("net", "why"),
    [
        (Net(Whisper()), "something else goes into them"),
        (Net(Sum()), "something else goes into them"),
        (Twice(), "used twice"),
        (Net(nn.Sequential(nn.Conv2d(5, 6, 3), Shares())), "other units"),
        (Net(nn.Sequential(nn.Conv2d(5, 6, 3), nn.Softmax(1))), "still vary"),
    ],
    ids=["whisper", "sum", "twice", "shares", "softmax"],
)
def test_units_that_no_module_makes_are_refused_with_the_reason(net, why):
    with pytest.raises(LayerError, match=why) as refused:
        cut(net, (0.3, 0.2))
    assert "block:1 and 1 more" in refused.value.message
    assert "circuitz search" in refused.value.hint


def test_heads_of_attention_are_refused_and_neurons_are_not():
    net = build("small-transformer", {"vocabulary": 9, "context": 6, "width": 16, "neurons": 24})
    tokens = np.random.default_rng(0).integers(0, 9, (8, 6)).astype(np.int32)
    heads = LayerSpec("blocks.0.attn.hook_z", 4, unit_axis=2, token_axes=(1,))
    neurons = LayerSpec("blocks.1.mlp.hook_post", 24, unit_axis=2, token_axes=(1,))
    run = Runtime(net, [heads, neurons], Preprocessing.for_token_sequences(6))
    with pytest.raises(LayerError, match="one slice of weights for each"):
        silenced_weights(run, heads, [1], np.float32([0.1]), tokens)
    made = silenced_weights(run, neurons, UNITS, np.float32([0.1, 0.2]), tokens)
    load_numpy_weights(net, made)
    acts, _ = run.run(run.prepare(tokens), [neurons.name])
    np.testing.assert_allclose(acts[neurons.name][..., UNITS].amax((0, 1)), [0.1, 0.2], atol=1e-4)
    np.testing.assert_allclose(acts[neurons.name][..., UNITS].amin((0, 1)), [0.1, 0.2], atol=1e-4)


@pytest.mark.parametrize(
    ("block", "possible"),
    [
        (nn.Sequential(nn.Conv2d(5, 6, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU()), True),
        (ActFirst(), True),
        (nn.Sequential(nn.Conv2d(5, 6, 3), nn.AvgPool2d(3, 1, 1)), True),
        (Sum(), False),
        (nn.Sequential(nn.Conv2d(5, 6, 3), Shares()), False),
    ],
    ids=["batch-norm", "activation", "padded", "sum", "shares"],
)
def test_it_is_told_beforehand_where_a_cut_can_be_made(block, possible):
    net = awake(Net(block))
    spec = describe_layers(net, ["block"], torch.zeros(1, 3, 12, 12))[0]
    held = weights_to_numpy(net)
    run = Runtime(net, [spec], PREP)
    assert can_silence_layer(run, spec, images(0, 4)) is possible
    assert all(np.array_equal(held[name], array) for name, array in weights_to_numpy(net).items())
    if possible:
        silenced_weights(run, spec, [1], np.float32([0.3]), images(0))
    else:
        with pytest.raises(LayerError):
            silenced_weights(run, spec, [1], np.float32([0.3]), images(0))
