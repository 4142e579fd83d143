"""The loop in which small transformers are trained here."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from circuitz.errors import WeightsError


def train_with_one_cycle_rate(
    net: nn.Module,
    loss: Callable[[int], torch.Tensor],
    *,
    steps: int,
    rate: float,
    decay: float = 1e-2,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Train with AdamW and a one-cycle rate, its peak after a tenth of the steps.

    Parameters
    ----------
    net
        The network; its weights change.
    loss
        Draws a batch for a step and returns its loss.
    steps, rate, decay
        Steps, largest learning rate, weight decay.
    progress
        Called with steps done and in all.

    Raises
    ------
    WeightsError
        If a loss is not finite.
    """
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rate, total_steps=max(2, steps), pct_start=0.1
    )
    for step in range(steps):
        found = loss(step)
        if not torch.isfinite(found):
            raise WeightsError(f"Training diverged at step {step}.", "Lower the learning rate.")
        optimiser.zero_grad()
        found.backward()
        optimiser.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, steps)
