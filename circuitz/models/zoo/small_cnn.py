"""The small convolutional network of the demo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from circuitz.models.zoo.builders import register


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


def small_cnn_arguments(side: int, classes: int, channels: int = 3) -> dict[str, Any]:
    """Return arguments of a small CNN that suits images of a size.

    Five blocks whose last maps are 8 to 15 positions wide (for images of up to 480 pixels): wide
    enough to tell where in the image a unit sees something, small enough to train without a GPU.

    Parameters
    ----------
    side
        The shorter side of the images.
    """
    widths, strides = [24, 48, 64, 64, 96], [1, 1, 1, 1, 1]
    # The second to fourth block halve first; images larger than those can take halve at the start.
    for block in (1, 2, 0, 3, 4):
        if side < 16:
            break
        strides[block] = 2
        side = (side + 1) // 2
    return {"classes": classes, "widths": widths, "strides": strides, "channels": channels}
