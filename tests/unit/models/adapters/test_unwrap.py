"""What is put around a network is taken off; what cannot be read by layers is named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import circuitz as cz
from circuitz.errors import LayerError, NetworkError
from circuitz.models.adapters.unwrap import is_compiled, readable_network
from circuitz.models.run.choose_layers import choose_layers
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import eval_mode
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build, register

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 36, 4))


def test_wrappers_are_taken_off() -> None:
    net = small()
    for around in (
        net,
        torch.compile(net, backend="eager"),
        nn.DataParallel(net),
        nn.DataParallel(torch.compile(net, backend="eager")),
        torch.compile(nn.DataParallel(net), backend="eager"),
    ):
        assert readable_network(around) is net


def test_a_builder_may_compile_what_it_returns(tmp_path) -> None:
    @register("compiled-small")
    def _make() -> nn.Module:
        return torch.compile(small(), backend="eager")

    net = build("compiled-small")
    assert isinstance(net, nn.Sequential)
    z = cz.wrap(net, layers=["1"], preprocess={"size": 8})
    again = cz.load(z.save(tmp_path / "a.z"))
    images = np.zeros((2, 8, 8, 3), np.uint8)
    assert np.array_equal(runtime(again).logits(images), runtime(z).logits(images))


def quantised() -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(small(), {nn.Linear}, dtype=torch.qint8)


def converted() -> nn.Module:
    ao = torch.ao.quantization
    net = nn.Sequential(ao.QuantStub(), *small(), ao.DeQuantStub()).eval()
    net.qconfig = ao.default_qconfig
    ao.prepare(net, inplace=True)
    net(torch.rand(2, 3, 8, 8))
    return ao.convert(net)


def spread() -> nn.Module:
    net = small()
    net[0] = nn.DataParallel(net[0])
    net[0].device_ids = [0, 1]
    return net


@pytest.mark.parametrize(
    ("make", "said", "do"),
    [
        (lambda: torch.jit.script(small()), "TorchScript", "Python module"),
        (lambda: torch.jit.trace(small(), torch.rand(1, 3, 8, 8)), "TorchScript", "Python module"),
        (quantised, r"quantised \(3 is a torch.ao", "float network"),
        (converted, "quantised", "float network"),
        (spread, "'0' runs on 2 devices", "in its place"),
        (lambda: nn.Sequential(nn.LazyLinear(3)), "'0.weight' have no numbers", "once"),
        (lambda: small().to("meta"), "'0.weight' have no numbers", "load"),
        (lambda: small, "function is no network", "module itself"),
        (lambda: nn.Linear, "Linear is no network", "instance"),
        (lambda: None, "NoneType is no network", "module itself"),
        (lambda: small().state_dict(), "OrderedDict is no network", "state dict"),
    ],
)
def test_what_cannot_be_read_is_named(make, said, do) -> None:
    with pytest.raises(NetworkError, match=said) as caught:
        readable_network(make())
    assert do in caught.value.hint


@pytest.mark.parametrize("traced", [True, False])
def test_layers_that_are_script_are_named_and_the_rest_works(prep, traced) -> None:
    part = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU())
    script = torch.jit.trace(part, torch.rand(1, 3, 16, 16)) if traced else torch.jit.script(part)
    net = nn.Sequential(script, nn.Conv2d(5, 6, 3), nn.Flatten(), nn.Linear(6 * 144, 4))
    for name in ("0", "0.0"):
        with pytest.raises(LayerError, match=f"{name!r} cannot be read or written: '0' is"):
            find_layer(net, name)
    x = torch.rand(2, 3, 16, 16)
    assert choose_layers(net, x) == ("1",)
    run = Runtime(net, ["1"], prep)
    act = run.run(x, ["1"])[0]["1"]
    assert torch.equal(act, net[1](script(x)))
    assert torch.allclose(run.resume("1", act * 2, x), net[3](act.flatten(1) * 2))


def test_what_is_compiled_runs_as_written_meanwhile_and_compiled_again_after() -> None:
    calls: list[str] = []

    def backend(graph, _inputs):
        def run(*args):
            calls.append("compiled")
            return graph(*args)

        return run

    class Own(nn.Module):  # torch's own containers are left as they are
        def __init__(self) -> None:
            super().__init__()
            self.inner = small()

        def forward(self, x):
            return self.inner(x)

    net = Own()
    net.compile(backend=backend)
    x = torch.rand(2, 3, 8, 8)
    want = net(x)
    assert calls == ["compiled"]
    with eval_mode(net):
        assert torch.equal(net(x), want)
    assert calls == ["compiled"]
    net(x)
    assert calls == ["compiled", "compiled"]
    inner = small()
    inner[0] = torch.compile(inner[0], backend=backend)
    assert [is_compiled(m) for m in (net, inner, inner[0], small())] == [True, False, True, False]
