"""Networks of every kind the runtime must handle."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.models.zoo.builders import build
from circuitz.z.layer import Preprocessing

PREP = Preprocessing(size=(16, 16))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return torch.relu(x + self.conv2(torch.relu(self.conv1(x))))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, 2, 1)
        self.block1 = Block(6)
        self.block2 = Block(6)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        x = self.block2(self.block1(torch.relu(self.stem(x))))
        return self.head(x.mean((2, 3)))


class Shaped(nn.Module):
    """Takes the batch size from the input before the layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1)
        self.head = nn.Linear(5 * 16 * 16, 4)

    def forward(self, x):
        n = x.shape[0]
        return self.head(torch.relu(self.conv(x)).reshape(n, -1))


class Untraceable(nn.Module):
    """Branches on values, which no tracer can follow."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1)
        self.after = nn.Conv2d(5, 5, 3, padding=1)
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        if float(x.detach().abs().sum()) < 0:
            x = -x
        return self.head(torch.relu(self.after(x)).mean((2, 3)))


class InPlace(nn.Module):
    """Overwrites the layer's output after it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        return self.head(self.act(self.conv(x)).mean((2, 3)))


class Named(nn.Module):
    """Returns a mapping, as many libraries do."""

    def __init__(self):
        super().__init__()
        self.inner = InPlace()

    def forward(self, x, scale: float = 1.0):
        return {"logits": self.inner(x) * scale, "hidden": x}


def mlp():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(768, 12), nn.ReLU(), nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 4)
    )


def small():
    return build("small-cnn", {"classes": 4, "widths": [6, 8], "strides": [2, 1]})


NETS = {
    "small": (small, ("conv1", "conv2", "conv1.1", "head")),
    "residual": (Residual, ("stem", "block1", "block2", "block2.conv2")),
    "shaped": (Shaped, ("conv",)),
    "untraceable": (Untraceable, ("conv", "after")),
    "in-place": (InPlace, ("conv", "act")),
    "mapping": (Named, ("inner.conv", "inner.act")),
    "mlp": (mlp, ("1", "2", "4")),
}


@pytest.fixture(params=sorted(NETS))
def net_and_layers(request):
    torch.manual_seed(0)
    make, layers = NETS[request.param]
    net = make()
    # Batch norm with statistics of its own, so that train and eval mode differ.
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return net, layers


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def prep():
    return PREP
