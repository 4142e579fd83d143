"""A network seen as one that takes one tensor and returns one: its own modules, weights and names."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import torch
from torch import nn

from circuitz.models.run.find_output import output_by_key
from circuitz.models.run.text_padding import attention_arguments
from circuitz.z.layer import Masking

_KEPT = ("circuitz_output", "circuitz_padding", "circuitz_masking")


def adapt_network(
    net: nn.Module,
    output: str | None = None,
    padding: int | None = None,
    masking: Masking | None = None,
) -> nn.Module:
    """Return a network that is told about padding, and returns one of the tensors it returned.

    It shares modules, parameters and names with the given one, which stays as it is.

    Parameters
    ----------
    net
        The network; one that was made here keeps what is not named anew.
    output
        Key, name or number of what it returns that is read; empty: everything.
    padding, masking
        As of :class:`circuitz.z.layer.Preprocessing`: the network is called with an attention
        mask made of its tokens.
    """
    before = adaptation_of(net)
    wanted = tuple(
        old if new is None else new
        for old, new in zip(before, (output, padding, masking), strict=True)
    )
    if wanted == before:
        return net
    made = copy.copy(net)
    made.__class__ = _adapted_class(getattr(type(net), "circuitz_original", type(net)))
    made.__dict__ |= dict(zip(_KEPT, wanted, strict=True))
    if "circuitz_forward" not in made.__dict__:
        # Put on the instance, it would be called in place of ours.
        made.__dict__["circuitz_forward"] = made.__dict__.pop("forward", None)
    return made


def adaptation_of(net: nn.Module) -> tuple[str, int, Masking]:
    """Return which output of a network is read, and what it is told about padding."""
    held = net.__dict__
    defaults = ("", -1, "none")
    output, padding, masking = (held.get(k, d) for k, d in zip(_KEPT, defaults, strict=True))
    return output, padding, masking


def is_adapted_from(net: nn.Module, other: nn.Module) -> bool:
    """Whether a network is another one, or was made of it by :func:`adapt_network`."""
    return net is other or net.__dict__["_modules"] is other.__dict__["_modules"]


@cache
def _adapted_class(kind: type[nn.Module]) -> type[nn.Module]:
    def forward(self: Any, inputs: torch.Tensor) -> Any:
        """Return one tensor for prepared inputs."""
        output, padding, masking = adaptation_of(self)
        more = {} if masking == "none" else attention_arguments(inputs, padding, masking)
        own = self.circuitz_forward
        out = kind.forward(self, inputs, **more) if own is None else own(inputs, **more)
        return output_by_key(out, output) if output else out

    names = {
        "forward": forward,
        "circuitz_original": kind,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
    }
    return type(kind.__name__, (kind,), names)
