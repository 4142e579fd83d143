"""The small convolutional network of the demo."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from circuitz.models.builders import register


@register("small-cnn")
class SmallCNN(nn.Module):
    """Blocks ``conv1`` to ``convN``, a global average pool and a linear ``head``.

    Each block is convolution (3 x 3), batch norm and ReLU, so a block's output is what the next
    one sees, and units of the last block act on the logits only through their mean.

    Parameters
    ----------
    classes
        Number of logits.
    widths, strides
        Channels and stride of each block, equally long.
    channels
        Channels of the input.

    Raises
    ------
    ValueError
        If widths and strides differ in length or are not positive.
    """

    def __init__(
        self,
        classes: int,
        widths: Sequence[int] = (24, 48, 64, 64),
        strides: Sequence[int] = (2, 2, 2, 1),
        channels: int = 3,
    ) -> None:
        super().__init__()
        if len(widths) != len(strides) or not widths or min(*widths, *strides, classes) < 1:
            raise ValueError("widths and strides must be equally long lists of positive numbers")
        before = channels
        self.blocks = len(widths)
        for i, (width, stride) in enumerate(zip(widths, strides, strict=True), start=1):
            block = nn.Sequential(
                nn.Conv2d(before, width, 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            )
            self.add_module(f"conv{i}", block)
            before = width
        self.head = nn.Linear(before, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, classes)`` for prepared inputs ``(n, channels, h, w)``."""
        for i in range(1, self.blocks + 1):
            x = self.get_submodule(f"conv{i}")(x)
        return self.head(x.mean((2, 3)))
