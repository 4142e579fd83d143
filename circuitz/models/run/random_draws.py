"""Whether running a network draws random numbers, and runs in which those are extreme."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

_SMALL = 1e-6  # not 0, whose logarithm some networks take
_SEEDS = 2000  # tried for an extreme first number


def random_number_states(net: nn.Module) -> tuple[Any, ...]:
    """Return the states of the generators a network may draw from, to be compared."""
    devices = sorted({p.device.index or 0 for p in net.parameters() if p.device.type == "cuda"})
    tensors = [torch.get_rng_state(), *(torch.cuda.get_rng_state(i) for i in devices)]
    kind, keys, *rest = np.random.get_state(legacy=True)
    return (
        *(state.numpy().tobytes() for state in tensors),
        (kind, np.asarray(keys).tobytes(), *rest),
        random.getstate(),
    )


@contextmanager
def extreme_draws(largest: bool) -> Generator[None]:
    """Let all numbers torch draws be the smallest, or the largest, that may come.

    Uniform numbers and yes-or-no draws are meant, which rare events are decided by. Of numpy's and
    Python's generators, that are seeded here, the first number is extreme alone.
    """
    random.seed(_extreme_seed(_first_of_python, largest))
    np.random.seed(_extreme_seed(_first_of_numpy, largest))
    with _ExtremeTorchDraws(largest):
        yield


class _ExtremeTorchDraws(TorchDispatchMode):
    """Writes the smallest or largest number that may come over all that torch draws."""

    def __init__(self, largest: bool) -> None:
        super().__init__()
        self.largest = largest

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name, given = func.overloadpacket.__name__, list(args)
        if name in ("rand", "rand_like"):
            return out.fill_(self._share(out))
        if name == "uniform_":
            low = given[1] if len(given) > 1 else 0.0
            high = given[2] if len(given) > 2 else 1.0
            return out.fill_(low + (high - low) * self._share(out))
        if name in ("bernoulli", "bernoulli_"):
            own = given[0] if name == "bernoulli" else 0.5
            chance = given[1] if len(given) > 1 else own
            chance = torch.as_tensor(chance, device=out.device)
            open_ = (chance > 0) & (chance < 1)
            return out.copy_(torch.where(open_, torch.full_like(out, self.largest), out))
        return out

    def _share(self, out: torch.Tensor) -> float:
        return 1 - torch.finfo(out.dtype).eps if self.largest else _SMALL


def _first_of_python(seed: int) -> float:
    return random.Random(seed).random()


def _first_of_numpy(seed: int) -> float:
    return float(np.random.RandomState(seed).random_sample())


@cache
def _first_numbers(draw: Callable[[int], float]) -> list[float]:
    return [draw(seed) for seed in range(_SEEDS)]


def _extreme_seed(draw: Callable[[int], float], largest: bool) -> int:
    numbers = _first_numbers(draw)
    return numbers.index(max(numbers) if largest else min(numbers))
