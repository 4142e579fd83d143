"""Networks as people have them: named errors or right results, and the network left as it was."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.errors import (
    CircuitzError,
    InputsError,
    LayerError,
    NetworkError,
    WeightsError,
)
from circuitz.measurement.measure import measure
from circuitz.models.run.open_runtime import runtime
from circuitz.wrapping.wrap import wrap
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

HOW = Preprocessing(size=(12, 12))
COLOURS = ((220, 30, 30), (30, 220, 30), (30, 30, 220))


def pictures(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    label = np.arange(n) % 3
    images = np.array(COLOURS)[label][:, None, None] + draw.normal(0, 30, (n, 12, 12, 3))
    return images.clip(0, 255).astype(np.uint8), label


@pytest.fixture(scope="module")
def data() -> InputSet:
    images, label = pictures(120, 0)
    split = (np.arange(120) // 3 % 3).astype(np.uint8)
    return InputSet(images, labels=label, classes=("red", "green", "blue"), split=split)


@pytest.fixture(scope="module")
def concepts() -> InputSet:
    images, label = pictures(90, 1)
    return InputSet(
        images, concepts=np.eye(3, dtype=np.float32)[label], concept_names=("snow", "grass", "sky"),
        split=(np.arange(90) // 3 % 3).astype(np.uint8), scene=np.arange(90), role="concepts",
    )  # fmt: skip


class Colours(nn.Module):
    """Tells the three colours apart by construction; everything else about it can be odd."""

    def __init__(self, *, act: nn.Module | None = None, classes: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 1)
        self.norm = nn.BatchNorm2d(6)
        self.act = act or nn.ReLU()
        self.mix = nn.Conv2d(6, 6, 1)
        self.out = nn.ReLU()
        self.drop = nn.Dropout(0.5)
        self.unused = nn.Conv2d(6, 6, 1)
        self.head = nn.Linear(6, classes)
        with torch.no_grad():
            self.conv.weight.copy_(torch.eye(3).repeat(2, 1)[:, :, None, None])
            self.mix.weight.copy_(torch.eye(6)[:, :, None, None])
            self.head.weight.copy_(torch.eye(3).repeat(1, 2)[torch.arange(classes) % 3])
            for layer in (self.conv, self.mix, self.head):
                layer.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.norm(self.conv(x)))
        return self.head(self.drop(self.out(self.mix(x)).mean((2, 3))))


class Broken(Colours):
    """Raises for every batch but the first, once it is loose."""

    calls, loose = 0, False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.__dict__["calls"] = self.calls + 1
        if self.loose and self.calls > 3:
            raise ValueError("the cable came loose")
        return super().forward(x)


class SharedRelu(Colours):
    """One ReLU module for both activations."""

    def __init__(self) -> None:
        super().__init__()
        self.out = self.act


class Shared(Colours):
    """The same convolution twice."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.norm(self.conv(x)))
        x = self.out(self.mix(self.out(self.mix(x))))
        return self.head(x.mean((2, 3)))


def state(net: nn.Module) -> tuple:
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks)
             for m in net.modules()]  # fmt: skip
    modes = [m.training for m in net.modules()]
    grads = [p.grad is None and p.requires_grad for p in net.parameters()]
    return hooks, modes, grads, {k: v.clone() for k, v in net.state_dict().items()}


def same(a: tuple, b: tuple) -> bool:
    equal = a[3].keys() == b[3].keys() and all(torch.equal(a[3][k], b[3][k]) for k in a[3])
    return a[:3] == b[:3] and equal


def drives(z) -> set[tuple[str, str]]:
    """Which colour each class's strongest unit carries."""
    effects = z.measurements.effects
    best = np.nanmean(effects.necessity, 0).argmax(0)
    return {(name, int(u) % 3) for name, u in zip(effects.targets, best, strict=True)}


RIGHT = {("red", 0), ("green", 1), ("blue", 2)}


@pytest.mark.parametrize(
    "make",
    [
        Colours,
        lambda: Colours(act=nn.ReLU(inplace=True)),
        lambda: Colours(act=nn.GELU()),
        lambda: Colours().half(),
        lambda: Colours().bfloat16(),
        lambda: Colours().double(),
        SharedRelu,
        Shared,
    ],
    ids=["plain", "in-place", "gelu", "half", "bfloat16", "double", "shared relu", "shared conv"],
)
@pytest.mark.parametrize("training", [True, False])
def test_the_results_are_right_and_the_network_is_as_before(make, training, data, concepts) -> None:
    net = make().train(training)
    net.norm.eval()  # frozen on purpose
    before = state(net)
    z = wrap(net, data, preprocess=HOW, name="odd")
    z = measure(z, concepts, images=30, pictures=False)
    assert same(before, state(net))
    assert drives(z) == RIGHT
    logits = runtime(z).logits(data.images)
    assert np.isfinite(logits).all()
    assert (logits.argmax(1) == data.labels).mean() == 1


def test_in_place_layers_are_read_before_they_are_overwritten(data, concepts) -> None:
    plain, inplace = Colours(), Colours(act=nn.ReLU(inplace=True))
    for layers in (["conv", "norm", "out"], ["act", "out"]):
        a, b = (
            measure(wrap(net, data, layers=layers, preprocess=HOW), concepts, images=30,
                    pictures=False)
            for net in (plain, inplace)
        )  # fmt: skip
        for name in layers:
            np.testing.assert_allclose(
                a.measurements.layers[name].responses, b.measurements.layers[name].responses,
                atol=1e-5,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "how", "error", "message"),
    [
        (Colours, {"layers": ["unused", "out"]}, LayerError, "'unused' is never called"),
        (SharedRelu, {"layers": ["act", "mix"]}, LayerError, "'act' is called 2 times"),
        (Shared, {"layers": ["mix", "act"]}, LayerError, "'mix' is called 2 times"),
        (Colours, {"layers": ["nose"]}, LayerError, "no layer 'nose'"),
        (Colours, {"cut": "unused"}, LayerError, "must be one of the layers"),
        (lambda: Colours(classes=5), {}, InputsError, "3 class names but the network has 5"),
        (lambda: Colours(classes=2), {}, InputsError, "3 class names but the network has 2"),
        (nn.Identity, {}, LayerError, r"returns \(2, 3, 12, 12\)"),
        (lambda: nn.Conv2d(1, 2, 3), {}, NetworkError, "fails on inputs of shape"),
        (lambda: nn.Linear(7, 3), {}, NetworkError, "RuntimeError"),
    ],
)
def test_what_cannot_be_read_is_named(make, how, error, message, data) -> None:
    net = make().train()
    before = state(net)
    with pytest.raises(error, match=message) as caught:
        wrap(net, data, preprocess=HOW, **how)
    assert caught.value.hint
    assert same(before, state(net))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_and_logits_that_are_no_numbers(bad, data) -> None:
    net = Colours()
    with torch.no_grad():
        net.mix.weight[0, 0] = bad
    with pytest.raises(WeightsError, match=r"mix\.weight"):
        wrap(net, data, preprocess=HOW)
    huge = Colours()
    with torch.no_grad():
        huge.mix.weight.mul_(1e38)
        huge.head.weight.mul_(1e38)
    with pytest.raises(WeightsError, match="logits are not finite"):
        wrap(huge, data, preprocess=HOW)


def test_a_network_that_fails_half_way_leaves_nothing_behind(data, concepts) -> None:
    net = Broken().train()
    z = wrap(net, data, preprocess=HOW)
    net.__dict__.update(calls=0, loose=True)
    before = state(net)
    with pytest.raises(NetworkError, match="the cable came loose") as caught:
        measure(z, concepts, images=120, pictures=False)
    assert isinstance(caught.value.__cause__, ValueError)
    assert same(before, state(net))


def test_a_class_made_in_a_notebook_says_how_its_z_can_be_saved(data, concepts, tmp_path) -> None:
    from circuitz.z.bundle.load_save import load

    z = measure(wrap(Colours(), data, preprocess=HOW), concepts, images=30, pictures=False)
    assert "register" in z.notes["session"]
    z.save(tmp_path / "session.z")
    again = load(tmp_path / "session.z")
    assert again.measurements is not None
    with pytest.raises(CircuitzError, match="this session does not have") as caught:
        runtime(again)
    assert "register" in caught.value.hint


def test_a_loader_with_a_live_network(data) -> None:
    from torch.utils.data import DataLoader, TensorDataset

    pixels = torch.from_numpy(data.images).permute(0, 3, 1, 2).float() / 255
    loader = DataLoader(
        TensorDataset(pixels, torch.from_numpy(data.labels)), batch_size=16, shuffle=True
    )
    net = Colours()
    kept = copy.deepcopy(net)
    z = wrap(net, loader, preprocess=HOW, classes=data.classes)
    assert z.data is not None
    assert (z.data.labels == data.labels).all()
    assert same(state(net), state(kept))


def test_a_loader_with_several_labels_an_image(data) -> None:
    from torch.utils.data import DataLoader, TensorDataset

    pixels = torch.from_numpy(data.images).permute(0, 3, 1, 2).float() / 255
    rows = torch.eye(3)[torch.from_numpy(data.labels)]
    rows[::4, 1] = 1
    z = wrap(Colours(), DataLoader(TensorDataset(pixels, rows), batch_size=7), preprocess=HOW,
             classes=data.classes)  # fmt: skip
    assert z.head == "multi-label"
    assert (z.data.labels == rows.numpy()).all()
    one_hot = torch.eye(3)[torch.from_numpy(data.labels)]
    plain = wrap(Colours(), (pixels.numpy(), one_hot.numpy()), preprocess=HOW)
    assert plain.head == "softmax"
    assert (plain.data.labels == data.labels).all()
    with pytest.raises(InputsError, match="other than 0 and 1"):
        wrap(Colours(), (pixels.numpy(), one_hot.numpy() * 0.7), preprocess=HOW)
