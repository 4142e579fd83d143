"""Training a classifier on 8-bit images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from circuitz.errors import InputsError, WeightsError
from circuitz.models.run.prepare_inputs import prepare_inputs
from circuitz.z.layer import Preprocessing

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """How to train: AdamW with a one-cycle rate (Smith & Topin 2018), random flips.

    Parameters
    ----------
    epochs
        Passes over the images.
    rate
        Largest learning rate of the cycle.
    batch
        Images a step.
    decay
        Weight decay.
    flip
        Whether to mirror half of the images left to right.
    seed
        Of order and flips. Two runs agree bit for bit only with equal threads and seed.
    """

    epochs: int = 8
    rate: float = 4e-3
    batch: int = 64
    decay: float = 1e-4
    flip: bool = True
    seed: int = 0


class Loss(Protocol):
    """What one step minimises."""

    def __call__(self, net: nn.Module, x: torch.Tensor, y: torch.Tensor, rows: I64) -> torch.Tensor:
        """Return a scalar for prepared inputs, labels and their rows in the images."""
        ...


def cross_entropy(net: nn.Module, x: torch.Tensor, y: torch.Tensor, rows: I64) -> torch.Tensor:
    """Return the mean cross-entropy of the logits."""
    del rows
    return functional.cross_entropy(net(x), y)


def binary_cross_entropy(
    net: nn.Module, x: torch.Tensor, y: torch.Tensor, rows: I64
) -> torch.Tensor:
    """Return the mean binary cross-entropy of one logit ``(n, 1)`` or ``(n,)``, y 0 or 1."""
    del rows
    logit = net(x).reshape(-1)
    return functional.binary_cross_entropy_with_logits(logit, y.to(logit.dtype))


def multi_label_cross_entropy(
    net: nn.Module, x: torch.Tensor, y: torch.Tensor, rows: I64
) -> torch.Tensor:
    """Return the mean binary cross-entropy over all classes, y ``(n, classes)`` of 0 and 1."""
    del rows
    logits = net(x)
    return functional.binary_cross_entropy_with_logits(logits, y.to(logits.dtype))


LOSSES: dict[str, Loss] = {
    "softmax": cross_entropy,
    "binary": binary_cross_entropy,
    "multi-label": multi_label_cross_entropy,
}
"""What to minimise for each head of z."""


def fit(
    net: nn.Module,
    images: U8,
    labels: I64,
    preprocessing: Preprocessing,
    recipe: Recipe,
    *,
    loss: Loss = cross_entropy,
    augment: Callable[[U8, I64, np.random.Generator], U8] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> float:
    """Train a network in place.

    Parameters
    ----------
    net
        Prepared inputs in, logits ``(n, classes)`` out. Left in eval mode, also after Ctrl-C.
    images, labels
        ``(n, h, w, c)`` uint8 and ``(n,)`` int64, or ``(n, classes)`` of 0 and 1.
    preprocessing
        How images become inputs.
    recipe
        Epochs, rates and the seed.
    loss
        What a step minimises; cross-entropy by default.
    augment
        Called with a batch of images (a copy), their rows and a generator; returns the batch to
        train on, or several versions of it one after the other.
    progress
        Called with steps done and steps in all.

    Returns
    -------
    Mean loss over the last epoch.

    Raises
    ------
    InputsError
        If there is nothing to train on.
    WeightsError
        If the loss stops being finite; the weights are then those of the start.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise InputsError(
            f"There are {len(images)} images and {len(labels)} labels.",
            "Training needs at least one image, and one label for each.",
        )
    draw = np.random.default_rng(recipe.seed)
    start = {k: v.detach().clone() for k, v in net.state_dict().items()}
    device = next(net.parameters()).device
    batch = min(recipe.batch, len(images))
    # A last batch of one image would break batch norm, so what does not fill a batch is left
    # for the next epoch's order.
    steps = max(1, len(images) // batch)
    total = recipe.epochs * steps
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    # Of five steps, the rise would take none, by which the schedule divides.
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=recipe.rate, total_steps=max(6, total), pct_start=0.2
    )
    mean = 0.0
    # Channels-last convolutions are a quarter faster on CPUs; the numbers agree to rounding.
    net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    try:
        for epoch in range(recipe.epochs):
            order = draw.permutation(len(images))
            losses: list[float] = []
            for step in range(steps):
                rows = order[step * batch : (step + 1) * batch]
                chosen = np.array(images[rows])
                if augment is not None:
                    chosen = augment(chosen, rows, draw)
                if recipe.flip:
                    # All versions of an image alike: they are compared.
                    mirrored = np.resize(draw.random(len(rows)) < 0.5, len(chosen))
                    chosen[mirrored] = chosen[mirrored, :, ::-1]
                x = prepare_inputs(chosen, preprocessing, str(device)).contiguous(
                    memory_format=torch.channels_last
                )
                wanted = np.resize(labels[rows], (len(chosen), *labels.shape[1:]))
                y = torch.from_numpy(wanted).to(device)
                net.train()
                value = loss(net, x, y, rows)
                optimiser.zero_grad()
                value.backward()
                optimiser.step()
                if epoch * steps + step + 1 < max(2, total):
                    schedule.step()
                losses.append(float(value.detach()))
                if not np.isfinite(losses[-1]):
                    net.load_state_dict(start)
                    raise WeightsError(
                        f"Training diverged in epoch {epoch + 1}: the loss is {losses[-1]}.",
                        "Lower the learning rate.",
                    )
                if progress is not None:
                    progress(epoch * steps + step + 1, total)
            mean = float(np.mean(losses))
    finally:
        net.eval()
        net.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]
    return mean
