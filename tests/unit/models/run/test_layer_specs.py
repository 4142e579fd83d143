"""Unit axes, and receptive fields checked against the pixels that really matter."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from circuitz.errors import LayerError
from circuitz.models.run.layer_specs import describe_layers, flatten_unit_maps
from circuitz.models.run.receptive_field import receptive_field


def seen_pixels(net, layer, size, place):
    """Rows of the input with any influence on one position of the layer's map."""
    found = {}
    module = net.get_submodule(layer)
    handle = module.register_forward_hook(lambda m, a, out: found.update(out=out))
    x = torch.rand(1, 3, size, size, requires_grad=True)
    net.eval()(x)
    handle.remove()
    (grad,) = torch.autograd.grad(found["out"][0, :, place, place].sum(), x)
    rows = torch.nonzero(grad.abs().sum((0, 1, 3)))[:, 0]
    return int(rows.min()), int(rows.max()) + 1


def positive(net):
    """Make every path carry something, so that gradients show the whole field."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.uniform_(module.weight, 0.1, 1)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return net


class Two(nn.Module):
    """A sum and a concatenation of paths with different fields."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, 2, 1)
        self.wide = nn.Conv2d(4, 4, 5, padding=2, dilation=1)
        self.narrow = nn.Conv2d(4, 4, 1)
        self.last = nn.Sequential(nn.Conv2d(8, 4, 3, dilation=2, padding="same"), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = torch.cat([self.wide(x) + x, self.narrow(x)], 1)
        return self.head(self.last(x).mean((2, 3)))


def chain():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2),
        nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "layer"), [(chain, "0"), (chain, "3"), (chain, "4"), (Two, "wide"), (Two, "last")]
)
def test_the_field_is_what_gradients_see(make, layer):
    torch.manual_seed(0)
    net = positive(make())
    size, stride, start = receptive_field(net, layer)
    place = 7
    assert seen_pixels(net, layer, 64, place) == (
        start + place * stride,
        start + place * stride + size,
    )


@pytest.mark.parametrize(
    "odd",
    [
        nn.Conv2d(4, 4, (3, 1)),
        nn.AdaptiveAvgPool2d(3),
        nn.Upsample(scale_factor=2),
        nn.LayerNorm([8, 8]),
    ],
)
def test_what_is_not_known_is_the_whole_input(odd):
    net = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), odd, nn.Conv2d(4, 4, 1))
    assert receptive_field(net, "2") == (0, 0, 0)
    assert receptive_field(net, "0") == (3, 2, -1)


def test_an_untraceable_network_has_unknown_fields():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.conv(x if float(x.sum()) > 0 else -x)

    assert receptive_field(Odd(), "conv") == (0, 0, 0)


def test_specs_of_maps_vectors_tokens_and_signals():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 6, 4, 4)
            self.mix = nn.Linear(6, 7)
            self.line = nn.Conv1d(7, 8, 3)
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            x = self.mix(self.conv(x).flatten(2).transpose(1, 2))
            return self.head(self.line(x.transpose(1, 2)).mean(2))

    net = Tokens()
    conv, mix, line, head = describe_layers(
        net, ["conv", "mix", "line", "head"], torch.rand(2, 3, 16, 16)
    )
    assert (conv.size, conv.spatial_axes, conv.shape, conv.receptive) == (
        6,
        (2, 3),
        (6, 4, 4),
        (4, 4, 0),
    )
    assert (mix.size, mix.unit_axis, mix.token_axes, mix.shape) == (7, 2, (1,), (16, 7))
    assert (line.size, line.unit_axis, line.spatial_axes) == (8, 1, (2,))
    assert (head.size, head.spatial_axes, head.token_axes, head.shape) == (2, (), (), (2,))
    act = torch.arange(2 * 16 * 7.0).reshape(2, 16, 7)
    assert torch.equal(flatten_unit_maps(mix, act), act.transpose(1, 2))
    assert flatten_unit_maps(head, torch.rand(3, 2)).shape == (3, 2, 1)
    assert net.training


def test_a_layer_without_a_unit_axis():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.fold = nn.Unflatten(1, (1, 3))
            self.head = nn.Linear(48, 2)

        def forward(self, x):
            return self.head(self.fold(x).flatten(1))

    with pytest.raises(LayerError, match="unit"):
        describe_layers(Deep(), ["fold"], torch.rand(1, 3, 4, 4))
