"""Random weights everywhere, and words put on a third of the units by guessing."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case
from circuitz.bench.checker.random_choices import tied

_UNITS = 18


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base, _ = tied(base, draw)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(base.seed)
        features = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, _UNITS, 3, 2, 1), nn.ReLU()
        ).eval()
    eye = np.eye(_UNITS, dtype=np.float32)
    head = draw.normal(0, 1, (len(base.world.classes), _UNITS)).astype(np.float32)
    guessed = draw.permutation(_UNITS)[: _UNITS // 3].tolist()
    return Case(
        base.with_(
            features=features,
            sees=("",) * _UNITS,
            peak=np.ones(_UNITS, np.float32),
            mix=(eye, np.zeros(_UNITS, np.float32)),
            head=((head, np.zeros(len(head), np.float32)),),
            words={u: str(draw.choice(base.world.concepts)) for u in guessed},
        )
    )
