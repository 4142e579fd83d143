"""Ablation of every unit: the shortcut, the plain way and captum agree, on networks of all kinds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerFeatureAblation
from torch import nn
from torch.nn import functional

from circuitz.effects.ablation.exact_ablation import ablate_each_unit
from circuitz.errors import InputsError, LayerError, UnitError
from circuitz.models.run.runtime import Runtime
from circuitz.z.layer import Preprocessing

PREP = Preprocessing((0.0,) * 3, (1.0,) * 3, (16, 16))


def conv(i: int, o: int, **how: int) -> nn.Conv2d:
    return nn.Conv2d(i, o, 3, padding=1, **how)


def plain() -> nn.Module:
    return nn.Sequential(
        conv(3, 5), nn.BatchNorm2d(5), nn.ReLU(inplace=True), nn.MaxPool2d(2), conv(5, 7, stride=2),
        nn.BatchNorm2d(7), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(7 * 16, 9), nn.ReLU(),
        nn.Linear(9, 4),
    )  # fmt: skip


class Block(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(width, out, stride=2), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = conv(out, out), nn.BatchNorm2d(out)
        self.down = nn.Sequential(nn.Conv2d(width, out, 1, 2), nn.BatchNorm2d(out))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += self.down(x)
        return self.relu(y)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 4)
        self.block1, self.block2 = Block(4, 6), Block(6, 8)
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.block2(self.block1(functional.relu(self.stem(x), inplace=True)))
        return self.head(torch.flatten(self.pool(x), 1))


class Dense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 4)
        self.grow = nn.ModuleList([conv(4 + 3 * i, 3) for i in range(3)])
        self.norm = nn.BatchNorm2d(13)
        self.head = nn.Linear(13, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for layer in self.grow:
            x = torch.cat([x, layer(torch.relu(x))], 1)
        return self.head(torch.relu(self.norm(x)).mean((2, 3)))


class Gated(nn.Module):
    """Depthwise convolution, squeeze-and-excite gate, an average over tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 6)
        self.deep = conv(6, 6, groups=6)
        self.grouped = conv(6, 6, groups=2)
        self.squeeze, self.excite = nn.Conv2d(6, 2, 1), nn.Conv2d(2, 6, 1)
        self.head = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.grouped(functional.silu(self.deep(self.stem(x))))
        gate = torch.sigmoid(self.excite(torch.relu(self.squeeze(x.mean((2, 3), keepdim=True)))))
        return self.head((x * gate).mean((2, 3)) * 2 - 0.5)


class Patches(nn.Module):
    """A small vision transformer: patch tokens, a class token, attention, an MLP."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.places = nn.Parameter(torch.randn(1, 17, 8))
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.up, self.down = nn.Linear(8, 12), nn.Linear(12, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        y = self.norm1(x)
        x = x + self.attend(y, y, y, need_weights=False)[0]
        x = x + self.down(functional.gelu(self.up(self.norm2(x))))
        return self.head(x[:, 0])


class Odd(nn.Module):
    """Overwrites what it reads again, so that the order of its steps matters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = conv(3, 5), nn.Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        y = torch.relu_(x)
        return self.head((x + y).mean((2, 3)))


class Branching(nn.Module):
    """Decides by values, which cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = conv(3, 5), nn.Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        if float(x.detach().sum()) == float("inf"):
            x = -x
        return self.head(torch.relu(x).mean((2, 3)))


class Views(nn.Module):
    """A view of a result that is then changed by a step of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.after = conv(3, 5), conv(5, 2)
        self.head, self.other = nn.Linear(2 * 256, 4), nn.Linear(2 * 256, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.after(self.conv(x))
        flat = torch.flatten(x, 1)
        bent = torch.relu(x)
        return self.head(flat) + self.other(torch.flatten(bent, 1))


class EarlyView(nn.Module):
    """The same before the layer, where only the view is needed later on."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.after = conv(3, 5), conv(5, 2)
        self.head, self.other = nn.Linear(2 * 256, 4), nn.Linear(5 * 256, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        flat = torch.flatten(x, 1)
        late = self.after(torch.relu(x))
        return self.head(torch.flatten(late, 1)) + self.other(flat)


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(768, 9), nn.ReLU(), nn.Linear(9, 6), nn.GELU(), nn.Linear(6, 4)
    )


NETS = {
    "plain": (plain, ("0", "2", "3", "4", "6", "8", "9"), ()),
    "residual": (
        Residual,
        ("stem", "block1", "block1.conv1", "block1.conv2", "block1.down", "block2.conv2", "pool"),
        (),
    ),
    "dense": (Dense, ("stem", "grow.0", "grow.2", "norm"), ()),
    "gated": (Gated, ("stem", "deep", "grouped", "squeeze"), ()),
    "patches": (Patches, ("patch", "norm1", "up", "down"), ()),
    "odd": (Odd, ("conv",), ("conv",)),
    "branching": (Branching, ("conv",), ("conv",)),
    "views": (Views, ("conv", "after"), ()),
    "early view": (EarlyView, ("after",), ()),
    "mlp": (mlp, ("1", "2", "3", "4"), ()),
}  # fmt: skip


@pytest.fixture(params=sorted(NETS))
def case(request, threads) -> tuple[Runtime, tuple[str, ...], tuple[str, ...], torch.Tensor]:
    torch.manual_seed(0)
    make, layers, slow = NETS[request.param]
    net = make()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, -1, 1)
            nn.init.normal_(module.bias)
    return Runtime(net, layers, PREP), layers, slow, torch.randn(5, 3, 16, 16)


def test_the_shortcut_is_taken_where_it_can_be_and_equals_the_plain_way(case) -> None:
    runtime, layers, slow, x = case
    fast = list(ablate_each_unit(runtime, x, batch=3))
    same = list(ablate_each_unit(runtime, x, shortcut=False))
    for one, two in zip(fast, same, strict=True):
        assert one.layer == two.layer
        # Where steps overwrite what is read again, only the plain way is right.
        assert one.method == ("resumed" if one.layer in slow else "propagated"), one.layer
        assert two.method == "resumed"
        assert one.drop.shape == two.drop.shape
        np.testing.assert_allclose(one.drop, two.drop, atol=2e-6, rtol=1e-5)
        assert np.abs(one.drop).max() > 1e-4
    assert [a.layer for a in fast] == list(layers)


def test_it_equals_captum(case) -> None:
    runtime, _layers, _slow, x = case
    for found in ablate_each_unit(runtime, x):
        module = runtime.module.get_submodule(found.layer)
        act = runtime.run(x, [found.layer])[0][found.layer]
        size = [1] * act.ndim
        axis = 2 if act.ndim == 3 else 1
        size[axis] = act.shape[axis]
        mask = torch.arange(act.shape[axis]).view(size).expand(1, *act.shape[1:])
        for k in range(4):
            theirs = LayerFeatureAblation(runtime.forward, module).attribute(
                x, target=k, layer_mask=mask, perturbations_per_eval=4
            )
            per_unit = theirs.movedim(axis, 1).flatten(2)[:, :, 0] if act.ndim > 2 else theirs
            np.testing.assert_allclose(found.drop[:, :, k], per_unit.numpy(), atol=1e-5)


@pytest.mark.parametrize("fill", ["mean", "resample"])
def test_other_values_than_zero(case, fill) -> None:
    runtime, layers, _slow, x = case
    donors = x.flip(0) if fill == "resample" else None
    fast = ablate_each_unit(runtime, x, fill=fill, donors=donors, batch=2)
    for one, two in zip(
        fast, ablate_each_unit(runtime, x, fill=fill, donors=donors, shortcut=False), strict=True
    ):
        np.testing.assert_allclose(one.drop, two.drop, atol=2e-6, rtol=1e-5)
    act = runtime.run(x, [layers[0]])[0][layers[0]]
    lent = act.flip(0) if fill == "resample" else act.mean(0, keepdim=True).expand_as(act)
    patched = act.clone()
    axis = 1 if act.ndim != 3 else 2
    patched.select(axis, 1).copy_(lent.select(axis, 1))
    by_hand = runtime.forward(x) - runtime.resume(layers[0], patched, x)
    first = next(ablate_each_unit(runtime, x, layers[:1], fill=fill, donors=donors))
    np.testing.assert_allclose(first.drop[:, 1], by_hand.detach().numpy(), atol=2e-6)


def test_one_channel_and_oblong_inputs(threads) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(conv(1, 4), nn.ReLU(), conv(4, 6, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))  # fmt: skip
    runtime = Runtime(net, ["0", "2"], Preprocessing((0.5,), (0.5,), (10, 23), "L"))
    x = torch.randn(3, 1, 10, 23)
    for one, two in zip(
        ablate_each_unit(runtime, x), ablate_each_unit(runtime, x, shortcut=False), strict=True
    ):
        assert one.method == "propagated"
        np.testing.assert_allclose(one.drop, two.drop, atol=1e-6)


def test_dead_units_change_nothing_exactly(threads) -> None:
    torch.manual_seed(0)
    net = plain()
    with torch.no_grad():
        net[0].weight[2] = 0
        net[0].bias[2] = -1
        net[1].weight[2], net[1].bias[2] = 1, 0  # stays below zero, so that ReLU hides it
    runtime = Runtime(net, ["0", "2"], PREP)
    before, after = ablate_each_unit(runtime, torch.randn(4, 3, 16, 16))
    assert (before.drop[:, 2] == 0).all()
    assert (after.drop[:, 2] == 0).all()
    assert (np.abs(before.drop).max((0, 2)) > 0).sum() == 4


def test_some_units_and_progress(threads) -> None:
    runtime = Runtime(plain(), ["0", "4"], PREP)
    x, seen = torch.randn(5, 3, 16, 16), []
    some = {"0": np.array([4, 1]), "4": np.array([], np.int64)}
    found = list(
        ablate_each_unit(runtime, x, units=some, batch=2, progress=lambda d, n: seen.append((d, n)))
    )
    every = next(ablate_each_unit(runtime, x, ["0"]))
    np.testing.assert_allclose(found[0].drop, every.drop[:, [4, 1]], atol=1e-6)
    assert found[1].drop.shape == (5, 0, 4)
    assert seen[-1] == (6, 6)
    assert [d for d, _ in seen] == sorted(d for d, _ in seen)


def test_double_precision(threads) -> None:
    runtime = Runtime(plain().double(), ["0"], PREP)
    x = torch.randn(2, 3, 16, 16)
    one, two = (next(ablate_each_unit(runtime, x, shortcut=s)) for s in (True, False))
    assert one.method == "propagated"
    np.testing.assert_allclose(one.drop, two.drop, atol=1e-7)


def test_the_network_is_left_as_it_was(case) -> None:
    runtime, _layers, _slow, x = case
    net = runtime.module.train()
    state = {k: v.clone() for k, v in net.state_dict().items()}
    flags = [getattr(m, "inplace", None) for m in net.modules()]
    list(ablate_each_unit(runtime, x))
    assert all(m.training for m in net.modules())
    assert all(not m._forward_hooks for m in net.modules())
    assert [getattr(m, "inplace", None) for m in net.modules()] == flags
    assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items())


@pytest.mark.parametrize(
    ("how", "error", "says"),
    [
        ({"layers": ["nowhere"]}, LayerError, "no layer 'nowhere'"),
        ({"units": {"0": np.array([5])}}, UnitError, "0:5 does not exist"),
        ({"units": {"0": np.array([-1])}}, UnitError, "0:-1 does not exist"),
        ({"fill": "noise"}, InputsError, "no fill 'noise'"),
        ({"fill": "resample"}, InputsError, "Donors"),
        (
            {"fill": "resample", "donors": torch.zeros(2, 3, 16, 16)},
            InputsError,
            "Donors have shape",
        ),
        ({"donors": torch.zeros(4, 3, 16, 16)}, InputsError, "only then"),
    ],
)
def test_what_does_not_fit_is_named(threads, how, error, says) -> None:
    runtime = Runtime(plain(), ["0"], PREP)
    with pytest.raises(error, match=says):
        list(ablate_each_unit(runtime, torch.zeros(4, 3, 16, 16), **how))


def test_no_inputs(threads) -> None:
    with pytest.raises(InputsError, match="no inputs"):
        next(ablate_each_unit(Runtime(plain(), ["0"], PREP), torch.zeros(0, 3, 16, 16)))
