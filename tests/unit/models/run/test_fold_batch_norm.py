"""The network up to a layer without its batch norms, beside the network itself."""

from __future__ import annotations

import pytest
import torch
from torch import fx, nn

from circuitz.models.run.fold_batch_norm import make_forward_to_with_folded_norms
from circuitz.models.run.runtime import Runtime
from circuitz.z.layer import Preprocessing

PREP = Preprocessing((0.0,) * 3, (1.0,) * 3, (8, 8))


class Net(nn.Module):
    def __init__(self, kind: str = "plain") -> None:
        super().__init__()
        torch.manual_seed(0)
        self.kind = kind
        self.a, self.na = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.b, self.nb = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.inner = nn.Sequential(self.b, self.nb, nn.ReLU(inplace=True))
        self.head = nn.Linear(4, 2)
        for norm in (self.na, self.nb):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
            nn.init.normal_(norm.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.a(x)
        y = torch.relu(self.na(y)) + (y if self.kind == "read twice" else 0)
        if self.kind == "called twice":
            y = torch.relu(self.nb(self.b(y)))
        if self.kind == "decides" and float(y.detach().sum()) > 1e9:
            y = -y
        y = self.inner(y)
        return self.head(y.mean((2, 3)))


@pytest.mark.parametrize("kind", ["plain", "read twice", "called twice", "decides"])
@pytest.mark.parametrize("layer", ["a", "na", "inner"])
def test_values_and_gradients_are_those_of_the_network(kind, layer):
    net = Net(kind).train()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    runtime = Runtime(net, [layer], PREP)
    x = torch.randn(2, 3, 8, 8)
    short = make_forward_to_with_folded_norms(runtime, layer, x)
    other = torch.randn(3, 3, 8, 8)
    ends = []
    for run in (short, lambda given: runtime.forward_to(layer, given)):
        given = other.clone().requires_grad_(True)
        out = run(given)
        ends.append((out.detach(), torch.autograd.grad((out**2).sum(), given)[0]))
    for ours, plain in zip(*ends, strict=True):
        assert torch.allclose(ours, plain, rtol=1e-4, atol=1e-5)
    assert net.training, "left as it was"
    assert all(torch.equal(state[name], value) for name, value in net.state_dict().items())
    assert all(p.requires_grad for p in net.parameters())


def test_batch_norms_before_the_layer_are_gone_and_others_stay():
    def norms(kind: str, layer: str) -> int:
        short = make_forward_to_with_folded_norms(
            Runtime(Net(kind), [layer], PREP), layer, torch.randn(2, 3, 8, 8)
        )
        assert isinstance(short, fx.GraphModule), "the plain way was taken"
        called = [str(n.target) for n in short.graph.nodes if n.op == "call_module"]
        return sum(isinstance(short.get_submodule(name), nn.BatchNorm2d) for name in called)

    assert norms("plain", "inner") == 0
    assert norms("plain", "a") == 0, "the batch norm comes after the layer"
    assert norms("plain", "na") == 0
    assert norms("read twice", "inner") == 1
