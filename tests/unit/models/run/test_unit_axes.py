"""Which axis counts units: against zeroing a channel by a hook of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.effects.ablation.ablate import ablate
from circuitz.errors import LayerError
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import find_unit_axes
from circuitz.z.layer import Preprocessing


class Do(nn.Module):
    """Any function as a module without a kind of its own."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, *x: torch.Tensor) -> torch.Tensor:
        return self.function(*x)


class Residual(nn.Module):
    """A block of linear layers over the last axis, around which the input runs."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.up, self.down = (
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.down(self.up(self.norm(x)).relu())


class Grow(nn.Module):
    """A dense block: what it is given, and four channels more."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.conv(x)], 1)


class NormFirst(nn.LayerNorm):
    """Normalises channels that come first, as LayerNorm2d of timm and torchvision does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def last(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1)


def mean_over(*axes: int) -> nn.Module:
    return Do(lambda x: x.mean(axes))


# Network, shape of an input, and by layer the axis of its units.
NETS: dict[str, tuple[Any, tuple[int, ...], dict[str, int]]] = {
    # As many rows as channels: nothing can be told by size.
    "channels last": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 2, 2), Do(last), Residual(4), nn.ReLU(),
                              mean_over(1, 2), nn.Linear(4, 3)),
        (3, 8, 8), {"0": 1, "1": 3, "2": 3, "2.up": 3, "3": 3, "4": 1},
    ),
    "channels first": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 2, 2), NormFirst(4), nn.ReLU(), Grow(),
                              nn.AvgPool2d(2), mean_over(2, 3), nn.Linear(8, 3)),
        (3, 8, 8), {"1": 1, "2": 1, "3": 1, "4": 1},
    ),
    "one dimension": (
        lambda: nn.Sequential(nn.Conv1d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2),
                              nn.Sequential(nn.Conv1d(6, 6, 1), nn.GELU()), nn.Flatten(),
                              nn.Linear(36, 3)),
        (3, 12), {"0": 1, "1": 1, "2": 1, "3": 1, "4": 1},
    ),
    "three dimensions": (
        lambda: nn.Sequential(nn.Conv3d(2, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(),
                              nn.AdaptiveAvgPool3d(4), mean_over(2, 3, 4), nn.Linear(4, 3)),
        (2, 4, 8, 8), {"0": 1, "1": 1, "2": 1, "3": 1},
    ),
    "tokens": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 4, 4), Do(lambda x: x.flatten(2).transpose(1, 2)),
                              nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), Residual(8),
                              Do(lambda x: x * 2), mean_over(1), nn.Linear(8, 3)),
        (3, 8, 16), {"1": 2, "2": 2, "3": 2, "4": 2},
    ),
    "recurrent": (
        lambda: nn.Sequential(Do(lambda x: x.flatten(1, 2).transpose(1, 2)),
                              nn.GRU(6, 5, batch_first=True), Do(lambda out: out[0]),
                              mean_over(1), nn.Linear(5, 3)),
        (3, 2, 5), {"2": 2},
    ),
    # Nothing of a kind before it: what follows looks along one axis.
    "function first": (
        lambda: nn.Sequential(Do(lambda x: x.permute(0, 2, 3, 1) * 2), nn.Linear(3, 5),
                              mean_over(1, 2), nn.Linear(5, 3)),
        (3, 3, 3), {"0": 3, "1": 3},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_units_are_what_a_hook_on_a_channel_zeroes(name: str) -> None:
    make, shape, axes = NETS[name]
    torch.manual_seed(0)
    net, x = make().eval(), torch.randn(3, *shape)
    table = ablate(net, x, layers=list(axes))
    with torch.no_grad():
        whole = net(x)
        for layer, axis in axes.items():
            mine = table[table["layer"] == layer].pivot(
                index="index", columns="target", values="effect"
            )
            for unit in mine.index:
                right = margins(whole - without(net, x, layer, axis, unit)).mean(0)
                assert np.allclose(mine.loc[unit], right, atol=1e-5), (layer, unit)
            runtime = Runtime(net, [], Preprocessing(), like=x)
            assert find_unit_axes(runtime, [layer])[layer].axis == axis
            assert len(mine) == runtime.run(x, [layer])[0][layer].shape[axis]


def margins(out: torch.Tensor) -> torch.Tensor:
    return out - (out.sum(1, keepdim=True) - out) / (out.shape[1] - 1)


def without(net: nn.Module, x: torch.Tensor, layer: str, axis: int, unit: int) -> torch.Tensor:
    def zero_unit(_module: nn.Module, _args: Any, out: torch.Tensor) -> torch.Tensor:
        out = out.clone()
        out.select(axis, unit).zero_()
        return out

    handle = net.get_submodule(layer).register_forward_hook(zero_unit)
    try:
        return net(x)
    finally:
        handle.remove()


def pixels_as_features() -> nn.Module:
    return nn.Sequential(Do(lambda x: x * 2), nn.Flatten(), nn.Linear(48, 3))


def test_what_cannot_be_established_is_asked_for_and_can_be_said() -> None:
    torch.manual_seed(0)
    net, x = pixels_as_features().eval(), torch.randn(2, 3, 4, 4)
    with pytest.raises(LayerError, match="could not be established") as caught:
        ablate(net, x, layers="0")
    assert "'axis'" in caught.value.hint
    table = ablate(net, x, layers={"0": {"axis": 1}})
    assert sorted(set(table["index"])) == [0, 1, 2]
    right = margins(net(x) - without(net, x, "0", 1, 2)).mean(0).detach()
    mine = table[table["index"] == 2].sort_values("target")["effect"]
    assert np.allclose(mine, right, atol=1e-5)
    assert len(set(ablate(net, x, layers={"0": {"axis": -1}})["index"])) == 4
    for wrong in ({"0": {"axis": 0}}, {"0": {"axis": 7}}, {"0": {"unit": 1}}, [3]):
        with pytest.raises(LayerError):
            ablate(net, x, layers=wrong)


def test_specs_say_where_positions_are() -> None:
    make, shape, _ = NETS["channels last"]
    spec = describe_layers(make().eval(), ["2"], torch.randn(2, *shape))[0]
    assert (spec.size, spec.unit_axis, spec.spatial_axes, spec.token_axes) == (4, 3, (1, 2), ())
