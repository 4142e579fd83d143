"""Where texts are filled up, and what a network that reads tokens is told about it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import fx, nn

from circuitz.z.layer import Masking

I64 = npt.NDArray[np.int64]
_TRIED: Final = 4


@fx.wrap
def real_token_mask(tokens: torch.Tensor, padding: int) -> torch.Tensor:
    """Return which tokens ``(n, t)`` are a text's own, as bool.

    Padding fills a text up at either end; the same token within it is one of its own. Of a text
    of nothing but padding the first token counts, since something must.
    """
    real = tokens != padding
    inside = (real.cumsum(1) > 0) & (real.flip(1).cumsum(1).flip(1) > 0)
    first = torch.arange(tokens.shape[1], device=tokens.device) == 0
    return inside | (~inside.any(1, keepdim=True) & first)


@fx.wrap
def attention_arguments(
    tokens: torch.Tensor, padding: int, masking: Masking
) -> dict[str, torch.Tensor]:
    """Return what a network is called with besides tokens: which are real, and their places.

    The first token of a text has place 0, whatever stands before it.
    """
    if masking == "none":
        return {}
    mask = real_token_mask(tokens, padding).long()
    if masking == "mask":
        return {"attention_mask": mask}
    return {"attention_mask": mask, "position_ids": (mask.cumsum(1) - 1).clamp(min=0)}


def last_real_positions(tokens: torch.Tensor, padding: int) -> torch.Tensor:
    """Return ``(n,)`` the place of each text's last token."""
    mask = real_token_mask(tokens, padding)
    return (mask * torch.arange(tokens.shape[1], device=tokens.device)).argmax(1)


def maskings_taken(net: nn.Module) -> tuple[Masking, ...]:
    """Return the ways in which a network can be told of padding, the fullest first."""
    # Of a network that is seen through adapt_network the one beneath it is called.
    kind = getattr(type(net), "circuitz_original", type(net))
    takes = inspect.signature(net.__dict__.get("circuitz_forward") or kind.forward).parameters
    if "attention_mask" not in takes:
        return ("none",)
    return ("mask and positions", "mask") if "position_ids" in takes else ("mask",)


def padded_sides(tokens: npt.NDArray[Any], padding: int) -> tuple[str, ...]:
    """Return at which sides texts ``(n, t)`` are filled up: ``right``, ``left``, both or none."""
    if not len(tokens):
        return ()
    empty = (tokens == padding).all(1)
    right, left = (((tokens[:, end] == padding) & ~empty).any() for end in (-1, 0))
    return tuple(side for side, there in (("right", right), ("left", left)) if there)


@dataclass(frozen=True)
class MaskingTrial:
    """What came of telling a network of padding in one way.

    Parameters
    ----------
    masking
        The way.
    errors
        By side: how far logits of padded texts are from those of the same texts by themselves.
    scale
        Size of the logits.
    tolerance
        Error, in shares of that, up to which they are the same.
    """

    masking: Masking
    errors: dict[str, float]
    scale: float
    tolerance: float

    def is_right(self, sides: Sequence[str]) -> bool:
        """Whether padding at these sides changes nothing."""
        return all(self.errors[side] <= self.tolerance * self.scale for side in sides)


def try_maskings(
    run_alone: Callable[[torch.Tensor], torch.Tensor],
    run_padded: Callable[[torch.Tensor, Masking], torch.Tensor],
    maskings: Sequence[Masking],
    tokens: npt.NDArray[Any],
    padding: int,
) -> list[MaskingTrial]:
    """Compare logits of padded texts with those of each text by itself, padded at either side.

    Parameters
    ----------
    run_alone
        From one text ``(1, t)`` to its logits ``(1, classes)``.
    run_padded
        From padded texts ``(n, t)`` and a way of masking to logits ``(n, classes)``.
    maskings
        Ways to try.
    tokens
        ``(n, t)`` texts, padded or not.
    padding
        Number of the token that fills them up.
    """
    texts = _texts_of_several_lengths(tokens, padding)
    with torch.no_grad():
        alone = torch.cat([run_alone(torch.from_numpy(text)[None]) for text in texts]).float()
        scale = max(float(alone.abs().max()), 1e-3)
        found: list[MaskingTrial] = []
        for masking in maskings:
            errors: dict[str, float] = {}
            for side in ("right", "left"):
                batch = torch.from_numpy(_pad_texts(texts, tokens.shape[1], padding, side))
                off = run_padded(batch, masking).float() - alone
                # What is no number is as wrong as can be.
                errors[side] = float(off.abs().nan_to_num(torch.inf).max())
            found.append(MaskingTrial(masking, errors, scale, 2e-3))
    return found


def _texts_of_several_lengths(tokens: npt.NDArray[Any], padding: int) -> list[I64]:
    """Return a few texts without padding, all shorter than the longest may be."""
    mask = real_token_mask(torch.from_numpy(np.asarray(tokens[:256], np.int64)), padding).numpy()
    texts = [np.asarray(row, np.int64)[m] for row, m in zip(tokens[:256], mask, strict=True)]
    longest = tokens.shape[1]
    by_length: dict[int, I64] = {}
    for text in texts:
        # Of a text that fills the row the beginning serves as a shorter one.
        some = text if len(text) < longest else text[: max(1, longest // 2)]
        by_length.setdefault(len(some), some)
    chosen = [by_length[n] for n in sorted(by_length)]
    step = max(1, len(chosen) // _TRIED)
    return chosen[::step][:_TRIED]


def _pad_texts(texts: Sequence[I64], length: int, padding: int, side: str) -> I64:
    made = np.full((len(texts), length), padding, np.int64)
    for row, text in zip(made, texts, strict=True):
        row[slice(len(text)) if side == "right" else slice(length - len(text), None)] = text
    return made
