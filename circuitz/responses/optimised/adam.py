"""Adam for one tensor."""

from __future__ import annotations

import torch


class Adam:
    """The rule of Kingma & Ba (2015), with a rate that falls linearly.

    torch's own costs seconds of imports when first used, which is longer than the optimisation
    it would do here.

    Parameters
    ----------
    parameter
        Tensor that is changed in place.
    rate
        Size of the first step.
    steps
        How many there will be.
    fall
        Share of the rate that is gone at the last one.
    memory, square_memory
        How much of the running means of the gradient and of its square stays at each step.
    """

    def __init__(
        self,
        parameter: torch.Tensor,
        rate: float,
        *,
        steps: int = 1,
        fall: float = 0.0,
        memory: float = 0.9,
        square_memory: float = 0.999,
    ) -> None:
        self._parameter = parameter
        self._rate = rate
        self._fall = fall / max(1, steps)
        self._memory = memory
        self._square_memory = square_memory
        self._mean = torch.zeros_like(parameter)
        self._square = torch.zeros_like(parameter)
        self._steps = 0

    def step(self, grad: torch.Tensor) -> None:
        """Move against a gradient."""
        rate = self._rate * max(0.0, 1 - self._fall * self._steps)
        self._steps += 1
        self._mean.lerp_(grad, 1 - self._memory)
        self._square.mul_(self._square_memory)
        self._square.addcmul_(grad, grad, value=1 - self._square_memory)
        mean = self._mean / (1 - self._memory**self._steps)
        size = (self._square / (1 - self._square_memory**self._steps)).sqrt_().add_(1e-8)
        with torch.no_grad():
            self._parameter.addcdiv_(mean, size, value=-rate)
