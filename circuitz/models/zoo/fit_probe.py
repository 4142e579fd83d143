"""Training the linear read-out of a transformer; the transformer itself stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from circuitz.errors import InputsError, WeightsError
from circuitz.models.zoo.read_out import ReadOut

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

_BATCH = 64
_ROUNDS = 300


class ProbedNetwork(Protocol):
    """A network with a read-out: see :class:`circuitz.models.zoo.text_classifier.TextClassifier`."""

    read_out: ReadOut

    def probed_activations(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the layer that is read, ``(n, t, units)``."""
        ...


def pooled_activations(
    net: ProbedNetwork, tokens: I32, progress: Callable[[int, int], None] | None = None
) -> torch.Tensor:
    """Return what the probe is given of token sequences ``(n, t)``: ``(n, units)`` float32."""
    parts: list[torch.Tensor] = []
    device = net.read_out.probe.weight.device
    with torch.no_grad():
        for start in range(0, len(tokens), _BATCH):
            some = torch.from_numpy(tokens[start : start + _BATCH].astype(np.int64)).to(device)
            parts.append(
                net.read_out.weigh_positions(net.probed_activations(some), some)
                .mean(1)
                .float()
                .cpu()
            )
            if progress is not None:
                progress(min(start + _BATCH, len(tokens)), len(tokens))
    return torch.cat(parts)


def fit_probe(
    net: ProbedNetwork, activations: torch.Tensor, labels: I64, *, ridge: float = 1e-3
) -> float:
    """Fit the probe by logistic regression (L-BFGS on standardised units), in place.

    Parameters
    ----------
    net
        The network; only its probe's weights change.
    activations
        ``(n, units)`` of :func:`pooled_activations`.
    labels
        ``(n,)`` class of each.
    ridge
        Weight of the squared norm of the standardised weights beside the mean cross-entropy.

    Returns
    -------
    The loss.

    Raises
    ------
    InputsError
        If there is nothing to fit.
    WeightsError
        If units are not finite.
    """
    if not len(activations) or len(activations) != len(labels):
        raise InputsError(
            f"There are {len(activations)} texts and {len(labels)} labels.",
            "A probe needs one text at the least, and one label each.",
        )
    if not bool(torch.isfinite(activations).all()):
        raise WeightsError("The layer that is read is not finite.", "Check the model's weights.")
    mean, spread = activations.mean(0), activations.std(0, unbiased=False)
    # A unit that never moves tells nothing and must not be divided by nothing.
    spread = torch.where(spread > 1e-6 * spread.max().clamp(min=1e-12), spread, torch.inf)
    x, y = (activations - mean) / spread, torch.from_numpy(labels)
    probe = net.read_out.probe
    weight = torch.zeros(probe.weight.shape, requires_grad=True)
    bias = torch.zeros(probe.bias.shape, requires_grad=True)
    search = torch.optim.LBFGS([weight, bias], max_iter=_ROUNDS, line_search_fn="strong_wolfe")

    def loss_after_backward() -> torch.Tensor:
        search.zero_grad()
        found = functional.cross_entropy(x @ weight.T + bias, y) + ridge * weight.square().sum()
        found.backward()
        return found

    with torch.enable_grad():
        search.step(loss_after_backward)
        value = float(loss_after_backward().detach())
    with torch.no_grad():
        scaled = weight / spread
        probe.weight.copy_(scaled)
        probe.bias.copy_(bias - scaled @ mean)
    return value
