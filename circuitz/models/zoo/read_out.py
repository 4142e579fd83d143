"""A linear read-out of a transformer: which class a text is, told from one of its layers."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

import torch
from torch import nn

from circuitz.models.zoo.small_transformer import position_indices

Pool = Literal["mean", "last"]
#: The layer that the read-out reads: every path to the classes crosses it.
READ: Final = "read"
RESIDUAL: Final = "hook_resid_post"
NEURONS: Final = "mlp.hook_post"
_PLACE: Final = re.compile(rf"blocks\.(\d+)\.({re.escape(RESIDUAL)}|{re.escape(NEURONS)})")


def parse_block_and_site(at: str) -> tuple[int, str]:
    """Return block and site of a layer that can be read out.

    Raises
    ------
    ValueError
        If it names none.
    """
    found = _PLACE.fullmatch(at)
    if found is None:
        raise ValueError(f"at must be blocks.N.{RESIDUAL} or blocks.N.{NEURONS}, not {at!r}")
    return int(found[1]), found[2]


class ReadOut(nn.Module):
    """Weighs positions, lets them through, and reads classes off their mean.

    Parameters
    ----------
    width
        Units of the layer that is read.
    classes
        Number of classes.
    pool
        ``mean`` over a text's tokens, or its ``last`` token.
    padding
        Number of the token that fills up short texts; -1 for none.

    Raises
    ------
    ValueError
        If a size is not positive or there is no such pool.
    """

    def __init__(self, width: int, classes: int, pool: Pool, padding: int) -> None:
        super().__init__()
        if width < 1 or classes < 2 or pool not in get_args(Pool):
            raise ValueError("width and classes must be positive, pool mean or last")
        self.pool, self.padding = pool, padding
        self.probe = nn.Linear(width, classes)

    def position_weights(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return what each position counts, ``(n, t)``; the mean of a row is 1."""
        there = (tokens != self.padding).float()
        if self.pool == "last":
            place = position_indices(tokens)
            there = ((there * (place + 1)).argmax(1, keepdim=True) == place).float()
        return there * (tokens.shape[1] / there.sum(1, keepdim=True).clamp(min=1))

    def weigh_positions(self, x: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return ``(n, t, width)`` with every position weighed; zero at padding."""
        return x * self.position_weights(tokens).to(x.dtype)[:, :, None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, classes)`` of weighed positions."""
        return self.probe(x.mean(1))
