"""Networks the rows are run on, where the package has none of that size."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """A residual block of two 3×3 convolutions (He et al. 2016)."""

    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.down: nn.Module = nn.Identity()
        if stride != 1 or width != out:
            self.down = nn.Sequential(
                nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return maps ``(n, out, h, w)``."""
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.down(x))


class ResNet18(nn.Module):
    """ResNet-18: eight blocks in four stages; with 64 units in the first, 4,800 in all.

    Parameters
    ----------
    classes
        Logits.
    width
        Units of the first stage; each later stage has twice as many.
    """

    def __init__(self, classes: int = 10, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(3, 2, 1)
        stages: list[nn.Module] = []
        before = width
        for i in range(4):
            out = width << i
            stages += [ResidualBlock(before, out, 2 if i else 1), ResidualBlock(out, out, 1)]
            before = out
        self.blocks = nn.Sequential(*stages)
        self.head = nn.Linear(before, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, classes)`` for prepared inputs ``(n, 3, h, w)``."""
        x = self.pool(functional.relu(self.bn1(self.conv1(x))))
        return self.head(self.blocks(x).mean((2, 3)))


BLOCKS = tuple(f"blocks.{i}" for i in range(8))


def untrained_resnet18(
    classes: int = 10, width: int = 64, side: int = 64, seed: int = 0
) -> ResNet18:
    """Return a ResNet-18 in eval mode: random weights, batch norm that saw random inputs.

    With the statistics of a fresh batch norm its activations would vanish layer by layer.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = ResNet18(classes, width).train()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # the plain average over what it sees
        with torch.no_grad():
            for _ in range(4):
                net(torch.randn(32, 3, side, side))
    return net.eval()
