"""What a network is told about padding: tried against each text by itself, never assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from circuitz.errors import InputsError
from circuitz.models.adapters.adapted_network import adapt_network
from circuitz.models.run.network_facts import extract_logits
from circuitz.models.run.restore_state import eval_mode
from circuitz.models.run.text_padding import (
    MaskingTrial,
    maskings_taken,
    padded_sides,
    try_maskings,
)
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Masking


@dataclass(frozen=True)
class MaskingChoice:
    """How a network is told of padding, where it may stand, and what has to be said about it."""

    masking: Masking
    padded_at: Literal["either", "right", "left"] = "either"
    remarks: tuple[str, ...] = ()


def choose_masking(net: nn.Module, data: InputSet) -> MaskingChoice:
    """Return how a network is told of padding, and what has to be said about it.

    The first way with which padded texts give the logits of each text by itself.

    Parameters
    ----------
    net
        Tokens ``(n, t)`` in, logits out; with ``attention_mask`` in its ``forward``, or without.
    data
        Token sequences; their vocabulary names the padding, or there is none.

    Raises
    ------
    InputsError
        If a network that takes an attention mask says something else of D's padded texts than of
        the texts alone, whatever it is told.
    """
    padding = data.padding
    if padding < 0:
        return MaskingChoice("none")
    ways = maskings_taken(net)
    device = next((p.device for p in net.parameters()), torch.device("cpu"))

    def run_alone(tokens: torch.Tensor) -> torch.Tensor:
        return extract_logits(net(tokens.to(device))).cpu()

    def run_padded(tokens: torch.Tensor, masking: Masking) -> torch.Tensor:
        seen = adapt_network(net, padding=padding, masking=masking)
        with eval_mode(seen):
            return extract_logits(seen(tokens.to(device))).cpu()

    try:
        with eval_mode(net):
            trials = try_maskings(run_alone, run_padded, ways, data.images, padding)
    except Exception as problem:  # one that takes texts of one length alone, for instance
        said = (
            "Whether padding changes what the network says of a text could not be tried: "
            f"{type(problem).__name__}: {problem}"
        )
        return MaskingChoice(ways[-1], remarks=(said,))
    return best_masking(trials, padded_sides(data.images, padding), padding, net)


_OTHER = {"right": "left", "left": "right"}


def best_masking(
    trials: Sequence[MaskingTrial], sides: Sequence[str], padding: int, net: Any
) -> MaskingChoice:
    """Return the first way that is right at both sides, or at those where D is padded.

    Raises
    ------
    InputsError
        As :func:`choose_masking`.
    """
    for trial in trials:
        if trial.is_right(("right", "left")):
            return MaskingChoice(trial.masking)
    for side in ("right", "left"):
        for trial in trials:
            # One that is told nothing may well have learned to read padding.
            if set(sides) <= {side} and trial.is_right((side,)):
                told = trial.masking != "none"
                return MaskingChoice(trial.masking, side if told else "either")
    if not sides:
        return MaskingChoice(trials[0].masking)
    trial = min(trials, key=lambda t: max(t.errors[side] for side in sides))
    wrong = [side for side in sides if not trial.is_right((side,))]
    said = (
        f"A {type(net).__name__} says something else of texts that are padded on the "
        f"{' and the '.join(wrong)} than of each text by itself: logits are off by up to "
        f"{max(trial.errors[side] for side in wrong):.2g} of {trial.scale:.2g}."
    )
    if trial.masking == "none":
        said = f"{said} It takes no attention_mask: padding is part of what it reads."
        return MaskingChoice("none", remarks=(said,))
    told = getattr(getattr(net, "config", None), "pad_token_id", None)
    if told != padding:
        hint = f"Its config.pad_token_id is {told}, D's padding is {padding}: set it to that."
    elif len(wrong) == 1 and any(t.is_right((_OTHER[wrong[0]],)) for t in trials):
        hint = f"Pad texts on the {_OTHER[wrong[0]]}."
    else:
        hint = (
            "Use texts of one length, or wrap it in a module that gives one row of logits a text."
        )
    raise InputsError(said, hint)
