"""A small transformer that tells balanced brackets, trained here in a minute.

It is asked at every position whether what stands so far is balanced, so it has to keep count of how
many are open: its neurons know where more were closed than opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch.nn import functional

from circuitz.data.text.brackets import (
    CLASSES,
    CLOSE,
    LENGTH,
    OPEN,
    VOCABULARY,
    draw_bracket_tokens,
)
from circuitz.data.text.induction_model import build_with_shipped_weights
from circuitz.data.text.train_tokens import train_with_one_cycle_rate
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.small_transformer import SmallTransformer

NAME: Final = "brackets"
ARGUMENTS: Final = {
    "vocabulary": len(VOCABULARY), "context": LENGTH, "layers": 2, "heads": 2, "width": 32,
    "neurons": 64, "act": "relu", "eps": 1e-5, "outputs": len(CLASSES),
}  # fmt: skip


@dataclass(frozen=True)
class BracketRecipe:
    """How to train: AdamW with a one-cycle rate, fresh sequences every step.

    Parameters
    ----------
    steps, batch
        Steps, and sequences a step.
    rate
        Largest learning rate.
    seed
        Of weights and sequences.
    """

    steps: int = 800
    batch: int = 64
    rate: float = 5e-3
    seed: int = 0


def train_bracket_model(
    recipe: BracketRecipe, progress: Callable[[int, int], None] | None = None
) -> SmallTransformer:
    """Train a model to say, at every position, whether the sequence so far is balanced.

    Raises
    ------
    WeightsError
        If training diverges.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        net = build("small-transformer", ARGUMENTS)
    assert isinstance(net, SmallTransformer)
    draw = np.random.default_rng([recipe.seed, 43])

    def batch_loss(_step: int) -> torch.Tensor:
        tokens = torch.from_numpy(draw_bracket_tokens(draw, recipe.batch, LENGTH)[0]).long()
        logits = net.logits_everywhere(tokens)[:, 1:]
        return functional.cross_entropy(
            logits.flatten(0, 1), flag_unbalanced_prefixes(tokens)[:, 1:].flatten()
        )

    train_with_one_cycle_rate(
        net, batch_loss, steps=recipe.steps, rate=recipe.rate, progress=progress
    )
    return net.eval()


def flag_unbalanced_prefixes(tokens: torch.Tensor) -> torch.Tensor:
    """Say of each position whether what stands up to it is unbalanced: ``(n, t)`` of 0 and 1."""
    level = ((tokens == OPEN).long() - (tokens == CLOSE).long()).cumsum(1)
    return ((level.cummin(1).values < 0) | (level != 0)).long()


def load_shipped_bracket_model() -> SmallTransformer:
    """Open the model that travels with the package; ``circuitz data transformer`` made it."""
    return build_with_shipped_weights(NAME, ARGUMENTS)
