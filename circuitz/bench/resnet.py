"""A network of ResNet-18's size, for rows that need one people know."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

_WIDTHS = (64, 128, 256, 512)


class Block(nn.Module):
    """Two convolutions and what goes around them (He et al. 2016)."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.around = nn.Sequential()
        if stride != 1 or before != width:
            self.around = nn.Sequential(
                nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's output ``(n, width, h, w)``."""
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.around(x))


class ResNet18(nn.Module):
    """Layers ``layer1.0`` to ``layer4.1`` as in ResNet-18; random weights.

    Parameters
    ----------
    classes
        Number of logits.
    seed
        Of the weights.
    """

    def __init__(self, classes: int = 10, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.stem = nn.Sequential(
                nn.Conv2d(3, 64, 7, 2, 3, bias=False),
                nn.BatchNorm2d(64),
                nn.ReLU(),
                nn.MaxPool2d(3, 2, 1),
            )
            before = 64
            for i, width in enumerate(_WIDTHS, start=1):
                first = Block(before, width, 1 if i == 1 else 2)
                self.add_module(f"layer{i}", nn.Sequential(first, Block(width, width, 1)))
                before = width
            self.fc = nn.Linear(before, classes)
        self.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, classes)``."""
        x = self.stem(x)
        for i in range(1, 5):
            x = self.get_submodule(f"layer{i}")(x)
        return self.fc(x.mean((2, 3)))


LAYERS = tuple(f"layer{i}.{j}" for i in range(1, 5) for j in range(2))
