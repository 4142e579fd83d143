"""Networks as people have them: each verb gives what a plain network in eval mode gives, or says why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import circuitz as cz
from circuitz.errors import CircuitzError, InputsError, LayerError, NetworkError
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
LAYERS = ("first", "second")
HEAD: dict[str, torch.Tensor] = {}


class Net(nn.Module):
    def __init__(self, inplace: bool = False, shared: bool = False, twice: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 5, 3, padding=1)
        self.norm = nn.BatchNorm2d(5)
        self.act = nn.ReLU(inplace=inplace)
        self.drop = nn.Dropout(0.5)
        self.second = nn.Conv2d(5, 6, 3, padding=1)
        self.later = self.act if shared else nn.ReLU(inplace=inplace)
        self.unused = nn.Conv2d(3, 5, 1)
        self.twice = twice
        self.head = nn.Linear(6, 3)
        draw = torch.Generator().manual_seed(1)
        for name, value in self.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.randn(value.shape, generator=draw) * 0.5 + ("var" in name))
                value.abs_() if "var" in name else None
        if HEAD:
            self.head.load_state_dict(HEAD)

    def forward(self, x):
        x = self.drop(self.act(self.norm(self.first(x))))
        x = self.second(x)
        if self.twice:
            x = x + self.second(x[:, :5])
        return self.head(self.later(x).mean((2, 3)))


@pytest.fixture(scope="module", autouse=True)
def fitted(world):
    """A head that tells the classes apart, by least squares."""
    net, data = Net().eval(), world.data(per_class=12)
    x = torch.from_numpy(data.images).permute(0, 3, 1, 2).float() / 255
    net.head = nn.Identity()
    with torch.no_grad():
        features = torch.cat([net(x), torch.ones(len(x), 1)], 1)
        aim = nn.functional.one_hot(torch.from_numpy(data.labels)).float() * 4
        found = torch.linalg.lstsq(features, aim).solution.T
    HEAD.update(weight=found[:, :-1].contiguous(), bias=found[:, -1].contiguous())
    yield
    HEAD.clear()


def compiled() -> nn.Module:
    return torch.compile(Net().eval(), backend="eager")


def compiled_in_place() -> nn.Module:
    net = Net().eval()
    net.compile(backend="eager")
    net(torch.rand(2, 3, 8, 8))
    return net


def compiled_part() -> nn.Module:
    net = Net().eval()
    net.norm = torch.compile(net.norm, backend="eager")
    return net


def aliased() -> nn.Module:
    net = Net().eval()
    net.again = net.second
    return net


def normed() -> nn.Module:
    net = Net().eval()
    nn.utils.parametrizations.weight_norm(net.second)
    return net


KINDS: dict[str, tuple[Callable[[], nn.Module], float]] = {
    "training": (lambda: Net().train(), 1e-5),
    "in place": (lambda: Net(inplace=True).eval(), 1e-5),
    "shared activation": (lambda: Net(shared=True).eval(), 1e-5),
    "shared, in place, training": (lambda: Net(inplace=True, shared=True).train(), 1e-5),
    "compiled": (compiled, 1e-5),
    "compiled in place": (compiled_in_place, 1e-5),
    "a part compiled": (compiled_part, 1e-5),
    "parallel": (lambda: nn.DataParallel(Net()), 1e-5),
    "two names": (aliased, 1e-5),
    "weight norm": (normed, 1e-5),
    "double": (lambda: Net().double(), 1e-5),
    "channels last": (lambda: Net().to(memory_format=torch.channels_last), 1e-5),
    "frozen": (lambda: Net().requires_grad_(False), 1e-5),
    "bfloat16": (lambda: Net().bfloat16(), 0.1),
    "half": (lambda: Net().half(), 0.02),
}


def wrapped(net: nn.Module, world: Any, layers: tuple[str, ...] = LAYERS) -> AnnotatedModel:
    z = cz.wrap(net, world.data(per_class=12), layers=layers, cut=layers[-1], preprocess=world.prep)
    return z.with_(concept_set=world.concepts())


def ablated(net: nn.Module, world: Any) -> Any:
    x = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    found = cz.ablate(net, x, layers=LAYERS).set_index(["unit", "target"])
    return found["effect"].sort_index().to_numpy()


def measured(net: nn.Module, world: Any) -> Any:
    z = cz.measure(wrapped(net, world), images=12, pictures=False)
    layers = [z.measurements.layers[name].responses.ravel() for name in LAYERS]
    return np.concatenate([*layers, z.measurements.effects.sufficiency.ravel()])


def edged(net: nn.Module, world: Any) -> Any:
    z = wrapped(net, world)
    found = cz.edges(z, *LAYERS, "husky", images=12, resamples=10).frame
    return found.set_index(["source", "target"])["direct"].sort_index().to_numpy()


VERBS = {"ablate": ablated, "measure": measured, "edges": edged}


@pytest.fixture(scope="module")
def plain(world, fitted) -> dict[str, Any]:
    return {name: verb(Net().eval(), world) for name, verb in VERBS.items()}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_numbers(kind: str, verb: str, world, plain) -> None:
    make, near = KINDS[kind]
    net = make()
    modes = [m.training for m in net.modules()]
    found, want = VERBS[verb](net, world), plain[verb]
    if near > 1e-3 and verb == "edges":  # of sums that nearly cancel, shares mean little
        assert np.nanmedian(abs(found - want)) < near
    else:
        scale = max(1.0, float(np.nanmax(abs(want))))
        np.testing.assert_allclose(found, want, atol=near * scale, equal_nan=True)
    assert [m.training for m in net.modules()] == modes
    assert not any(m._forward_hooks for m in net.modules())


def by_hand(net: nn.Module, layers: tuple[str, ...], world: Any) -> AnnotatedModel:
    """A z whose layers nobody has looked at."""
    specs = tuple(LayerSpec(n, 6, spatial_axes=(2, 3), shape=(6, 8, 8)) for n in layers)
    return AnnotatedModel(
        "m", world.classes, layers=specs, cut=layers[-1:], preprocessing=world.prep,
        weights=weights_to_numpy(net), data=world.data(per_class=12), concept_set=world.concepts(), live=net,
    )  # fmt: skip


WRONG = {
    "called twice": (lambda: Net(twice=True).eval(), "second", "'second' is called 2 times"),
    "never called": (lambda: Net().eval(), "unused", r"'unused' is (never called|called 0 times)"),
    "shared": (lambda: Net(shared=True).eval(), "act", "'act' is called 2 times"),
    "not there": (lambda: Net().eval(), "third", "no layer 'third'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_layers_that_cannot_be_read_are_named_by_every_verb(case: str, world) -> None:
    make, layer, said = WRONG[case]
    net = make()
    x = torch.rand(2, 3, 8, 8)
    z = by_hand(net, ("first", layer), world)
    asks: dict[str, Callable[[], Any]] = {
        "ablate": lambda: cz.ablate(net, x, layers=[layer]),
        "ablate z": lambda: cz.ablate(z),
        "wrap": lambda: wrapped(net, world, ("first", layer)),
        "measure": lambda: cz.measure(z, images=12, pictures=False),
        "edges": lambda: cz.edges(z, "first", layer, "husky", images=12),
    }
    for name, ask in asks.items():
        with pytest.raises(LayerError, match=said) as caught:
            ask()
        assert caught.value.hint, name
    assert not any(m._forward_hooks for m in net.modules())


def scripted() -> nn.Module:
    return torch.jit.trace(Net().eval(), torch.rand(1, 3, 8, 8))


def quantised() -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(Net().eval(), {nn.Linear}, dtype=torch.qint8)


@pytest.mark.parametrize(("make", "said"), [(scripted, "TorchScript"), (quantised, "quantised")])
def test_kinds_that_cannot_be_read_are_named_by_every_verb(make, said, world) -> None:
    net, sound = make(), Net().eval()
    z = by_hand(sound, LAYERS, world).with_(live=net)
    asks: list[Callable[[], Any]] = [
        lambda: cz.ablate(net, torch.rand(2, 3, 8, 8)),
        lambda: cz.ablate(z),
        lambda: wrapped(net, world),
        lambda: cz.measure(z, images=12, pictures=False),
        lambda: cz.edges(z, *LAYERS, "husky", images=12),
    ]
    for ask in asks:
        with pytest.raises(NetworkError, match=said):
            ask()


@pytest.mark.parametrize(
    "ask",
    [
        cz.measure,
        lambda net: cz.edges(net, "first", "second", "husky"),
        lambda net: cz.directions(net, "first"),
        lambda net: cz.attribute(net, [0], "husky"),
    ],
)
def test_a_network_that_was_not_wrapped_is_named(ask) -> None:
    with pytest.raises(InputsError, match=r"Net is no annotated model.*cz\.wrap"):
        ask(Net())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_that_overflows_is_named(dtype, world) -> None:
    net = Net().to(dtype)
    with torch.no_grad():
        net.head.weight.fill_(torch.finfo(dtype).max)
    with pytest.raises(CircuitzError, match=r"not finite|NaN or infinite"):
        wrapped(net, world)
