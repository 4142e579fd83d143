"""A network whose units are known, because they were wired by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.z.layer import Preprocessing

PREP = Preprocessing((0.0,) * 3, (1.0,) * 3, (16, 16))


class Colours(nn.Module):
    """Unit i of ``colour`` is the amount of red, green, blue above one half; unit 3 is dead."""

    def __init__(self):
        super().__init__()
        self.colour = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
        self.pool = nn.AvgPool2d(4)
        self.head = nn.Linear(4, 3)
        with torch.no_grad():
            self.colour[0].weight.zero_()
            self.colour[0].weight[:3, :, 0, 0] = torch.eye(3)
            self.colour[0].bias.fill_(-0.5)
            self.head.weight.copy_(torch.eye(3, 4))

    def forward(self, x):
        return self.head(self.pool(self.colour(x)).mean((2, 3)))


@pytest.fixture
def colours():
    net = Colours()
    specs = describe_layers(net, ["colour", "pool", "head"], torch.rand(1, 3, 16, 16))
    return Runtime(net, [s.name for s in specs], PREP), specs


@pytest.fixture
def patches():
    """Black images with one 4 x 4 square of a colour; returns images, colour, place."""
    draw = np.random.default_rng(0)
    n = 60
    colour, place = draw.integers(0, 3, n), draw.integers(0, 4, (n, 2))
    images = np.zeros((n, 16, 16, 3), np.uint8)
    strength = draw.permutation(np.arange(140, 140 + n))
    for i in range(n):
        y, x = 4 * place[i]
        images[i, y : y + 4, x : x + 4, colour[i]] = strength[i]
    return images, colour, place, strength
