"""Adam for one tensor."""

from __future__ import annotations

import torch


class Adam:
    """The rule of Kingma & Ba (2015) with its usual constants.

    torch's own costs seconds of imports when first used, which is longer than the optimisation
    it would do here.

    Parameters
    ----------
    parameter
        Tensor that is changed in place.
    rate
        Step size.
    """

    def __init__(self, parameter: torch.Tensor, rate: float) -> None:
        self._parameter = parameter
        self._rate = rate
        self._mean = torch.zeros_like(parameter)
        self._square = torch.zeros_like(parameter)
        self._steps = 0

    def step(self, grad: torch.Tensor) -> None:
        """Move against a gradient."""
        self._steps += 1
        self._mean.lerp_(grad, 0.1)
        self._square.mul_(0.999).addcmul_(grad, grad, value=0.001)
        mean = self._mean / (1 - 0.9**self._steps)
        size = (self._square / (1 - 0.999**self._steps)).sqrt_().add_(1e-8)
        with torch.no_grad():
            self._parameter.addcdiv_(mean, size, value=-self._rate)
