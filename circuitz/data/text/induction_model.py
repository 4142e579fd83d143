"""Two small attention-only models that continue sequences, trained here in a minute each.

*Induction*: its D comes round after 5 to 14 tokens. *Fixed*: its D always comes round after 12,
so a fixed distance back is as good, a shortcut that breaks where sequences come round otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.numpy import load
from torch.nn import functional

from circuitz.data.text.repeating_sequences import (
    FIXED,
    LENGTH,
    LETTERS,
    PERIODS,
    draw_repeating_tokens,
)
from circuitz.data.text.train_tokens import train_with_one_cycle_rate
from circuitz.errors import WeightsError
from circuitz.models.adapters.weight_arrays import load_numpy_weights
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.z.inputs import InputSet

ARGUMENTS: Final = {"vocabulary": LETTERS, "context": LENGTH, "layers": 2, "heads": 4, "width": 64}


@dataclass(frozen=True)
class TokenRecipe:
    """How to train: AdamW with a one-cycle rate, fresh sequences every step.

    Parameters
    ----------
    periods
        Fewest and most tokens before a sequence comes round.
    steps, batch
        Steps, and sequences a step.
    rate
        Largest learning rate.
    seed
        Of weights and sequences. Two runs agree bit for bit only with equal threads and seed.
    """

    periods: tuple[int, int] = PERIODS
    steps: int = 1200
    batch: int = 64
    rate: float = 1e-2
    seed: int = 0


RECIPES: Final = {
    "induction": TokenRecipe(),
    "fixed": TokenRecipe(periods=(FIXED, FIXED), steps=600),
}


def train_induction_model(
    recipe: TokenRecipe, progress: Callable[[int, int], None] | None = None
) -> SmallTransformer:
    """Train a two-layer attention-only model to continue sequences that come round.

    The loss is the mean cross-entropy over the tokens that were seen a period before.

    Raises
    ------
    WeightsError
        If training diverges.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        net = build("small-transformer", ARGUMENTS)
        assert isinstance(net, SmallTransformer)
        for weight in net.parameters():
            if weight.ndim == 2:
                torch.nn.init.normal_(weight, std=net.embed.embedding_dim**-0.5)
    draw = np.random.default_rng([recipe.seed, 33])

    def batch_loss(_step: int) -> torch.Tensor:
        tokens, known = draw_repeating_tokens(
            draw, recipe.batch, recipe.periods, LENGTH + 1, LETTERS
        )
        return _predictable_token_loss(
            net, torch.from_numpy(tokens).long(), torch.from_numpy(known)
        )

    train_with_one_cycle_rate(
        net, batch_loss, steps=recipe.steps, rate=recipe.rate, progress=progress
    )
    return net.eval()


def _predictable_token_loss(
    net: SmallTransformer, tokens: torch.Tensor, predictable: torch.Tensor
) -> torch.Tensor:
    logits = net.logits_everywhere(tokens[:, :-1])
    return functional.cross_entropy(logits[predictable[:, 1:]], tokens[:, 1:][predictable[:, 1:]])


def count_right_answers(
    net: SmallTransformer, data: InputSet, rows: Any = slice(None)
) -> tuple[int, int]:
    """Count right answers at the last position, and sequences."""
    assert data.labels is not None
    tokens = torch.from_numpy(np.asarray(data.images[rows]).astype(np.int64))
    with torch.no_grad():
        told = torch.cat([net(some).argmax(1) for some in tokens.split(512)])
    return int((told.numpy() == data.labels[rows]).sum()), len(tokens)


def load_shipped_induction_model(name: str) -> SmallTransformer:
    """Open a model that travels with the package.

    Parameters
    ----------
    name
        ``induction`` or ``fixed``; ``circuitz data transformer --model NAME`` made it.

    Raises
    ------
    WeightsError
        If there is none of that name.
    """
    if name not in RECIPES:
        raise WeightsError(f"There are no weights for {name!r}.", f"Names: {', '.join(RECIPES)}.")
    return build_with_shipped_weights(name, ARGUMENTS)


def build_with_shipped_weights(name: str, arguments: Mapping[str, Any]) -> SmallTransformer:
    """Build a model and put shipped weights into it.

    Raises
    ------
    WeightsError
        If they do not fit.
    """
    net = build("small-transformer", arguments)
    assert isinstance(net, SmallTransformer)
    load_numpy_weights(net, load(shipped_weights_path(name).read_bytes()))
    return net.eval()


def shipped_weights_path(name: str) -> Path:
    """Return where a shipped model lies."""
    return Path(__file__).parent / "weights" / f"{name}.safetensors"
