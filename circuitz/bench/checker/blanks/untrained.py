"""Random weights everywhere, and words put on a third of the units by guessing."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.random_choices import tie_random_context_to_class

_UNITS = 18


def make_untrained(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base, _ = tie_random_context_to_class(base, rng)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(base.seed)
        features = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, _UNITS, 3, 2, 1), nn.ReLU()
        ).eval()
    eye = np.eye(_UNITS, dtype=np.float32)
    head = rng.normal(0, 1, (len(base.world.classes), _UNITS)).astype(np.float32)
    guessed = rng.permutation(_UNITS)[: _UNITS // 3].tolist()
    return CheckerCase(
        base.with_fields(
            features=features,
            sees=("",) * _UNITS,
            peak=np.ones(_UNITS, np.float32),
            mix=(eye, np.zeros(_UNITS, np.float32)),
            head=((head, np.zeros(len(head), np.float32)),),
            words={u: str(rng.choice(base.world.concepts)) for u in guessed},
        )
    )
