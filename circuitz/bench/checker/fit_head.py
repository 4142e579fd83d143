"""Fit a head to D, as training would: what the classes then hang on is whatever D made easy."""

from __future__ import annotations

import numpy as np
import torch

from circuitz.bench.checker.base_network import BaseNetwork

_EACH = 150  # images a class that the head is fitted to; none of them is in the D that is checked
_DECAY, _STEPS = 3e-3, 60


def fit_head_to_data(base: BaseNetwork) -> BaseNetwork:
    """Return the network with a linear head fitted to images of D drawn for this alone.

    Multinomial logistic regression on the standardised responses of the units, with weight decay,
    which spreads a class over all that tells it.
    """
    data = base.draw_data(base.seed + 650_000, _EACH)
    assert data.labels is not None
    responses = base.responses_and_logits(data.images)[0]
    mean, spread = responses.mean(0), np.maximum(responses.std(0), 1e-3)
    x = torch.from_numpy((responses - mean) / spread)
    y = torch.from_numpy(data.labels)
    weight = torch.zeros(len(base.world.classes), base.unit_count, requires_grad=True)
    bias = torch.zeros(len(base.world.classes), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def compute_loss_and_gradients() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(x @ weight.T + bias, y)
        loss = loss + _DECAY * weight.square().sum()
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        return loss

    optimiser.step(compute_loss_and_gradients)  # pyright: ignore[reportUnknownMemberType]
    fitted = weight.detach().numpy() / spread
    return base.with_fields(head=((fitted, bias.detach().numpy() - fitted @ mean),))
