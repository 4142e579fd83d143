"""A network that says of every pixel whether it belongs to a region, learned from known regions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

_STEPS = 100
_BATCH = 32
# Longest side at which regions are looked for.
_SIDE = 64


def train_pixel_network(
    images: U8, rows: I64, target: F32, seed: int, progress: Progress | None
) -> nn.Module:
    """Train per pixel on known regions."""
    draw = np.random.default_rng(seed)
    net = _Pixels(images.shape[-1])
    net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimiser = torch.optim.AdamW(net.parameters(), 1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=_STEPS + 1)
    net.train()
    for step in range(_STEPS):
        chosen = draw.integers(len(rows), size=_BATCH)
        x = images_to_shrunk_tensor(images[rows[chosen]])
        y = resize_maps(torch.from_numpy(target[chosen])[:, None], x.shape[2:])
        loss = functional.binary_cross_entropy_with_logits(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, _STEPS)
    return net.eval()


def images_to_shrunk_tensor(images: U8) -> torch.Tensor:
    """Return images in -1..1, large ones at a size at which regions can be learned in minutes."""
    # A copy: torch wants writable memory, and the images may be a memory map.
    x = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float()
    height, width = x.shape[2:]
    shrink = min(_SIDE / max(height, width), 1)
    x = resize_maps(x, (max(round(height * shrink), 1), max(round(width * shrink), 1)))
    return x.div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)


def tensor_to_images(x: torch.Tensor) -> U8:
    """Return pictures in -1..1 as 8-bit ones, ``(n, h, w, c)``."""
    return ((x + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def resize_maps(x: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Return images or maps of another size; themselves where it is theirs."""
    if tuple(x.shape[2:]) == tuple(size):
        return x
    if size[0] < x.shape[2]:
        return functional.adaptive_avg_pool2d(x, (size[0], size[1]))
    return functional.interpolate(x, tuple(size), mode="bilinear", align_corners=False)


class _Pixels(nn.Module):
    """A two-scale encoder-decoder (after U-Net, Ronneberger 2015): one logit a pixel.

    Blocks of 2 x 2 pixels are folded into channels and unfolded at the end: four times less work
    at full resolution.
    """

    def __init__(self, channels: int, width: int = 12) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            nn.PixelUnshuffle(2), conv_batch_norm_relu(4 * channels, width, 1)
        )
        self.coarse = nn.Sequential(
            conv_batch_norm_relu(width, 2 * width, 2),
            conv_batch_norm_relu(2 * width, 2 * width, 1, dilation=2),
        )
        self.out = nn.Sequential(
            conv_batch_norm_relu(3 * width, width, 1), nn.Conv2d(width, 4, 1), nn.PixelShuffle(2)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.shape[2:]
        fine = self.fine(pad_to_even(x))
        coarse = functional.interpolate(self.coarse(fine), fine.shape[2:], mode="bilinear")
        return self.out(torch.cat([coarse, fine], 1))[:, :, :height, :width]


def pad_to_even(x: torch.Tensor) -> torch.Tensor:
    """Repeat a last odd row and column, so that blocks of 2 x 2 fit."""
    return functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), mode="replicate")


def conv_batch_norm_relu(
    inputs: int, outputs: int, stride: int, dilation: int = 1
) -> nn.Sequential:
    """Return a 3 x 3 convolution, normalised, with a bend."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
