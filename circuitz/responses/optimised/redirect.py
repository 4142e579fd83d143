"""Gradients through rectifiers that are off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_PLAIN: frozenset[Callable[..., Any]] = frozenset({functional.relu, torch.relu, torch.Tensor.relu})
_IN_PLACE: frozenset[Callable[..., Any]] = frozenset({torch.relu_, torch.Tensor.relu_})


class _RedirectedRectifier(torch.autograd.Function):
    """A rectifier that, while off, still passes a gradient that would turn it on."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, limit: float) -> torch.Tensor:
        ctx.save_for_backward((x > 0) & (x < limit))
        return x.clamp(0, limit)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        (on,) = ctx.saved_tensors
        # A loss is minimised, so a negative gradient asks for more of the input.
        return torch.where(on | (grads[0] < 0), grads[0], torch.zeros_like(grads[0])), None


class RedirectedRelu(TorchFunctionMode):
    """Within this context ReLUs, modules or functions, are redirected; the model is untouched.

    A unit that is off everywhere has no gradient at all and could never be turned on.

    Parameters
    ----------
    first
        How many rectifiers to leave as they are: 0 redirects all. Fewer is better, since a
        redirected gradient is that of another network.
    """

    def __init__(self, first: int = 0) -> None:
        super().__init__()
        self._first = first
        self.rectifier_calls = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Replace calls of rectifiers."""
        del types
        given = kwargs or {}
        limit = _saturation_limit(func, args, given)
        if limit is None:
            return func(*args, **given)
        self.rectifier_calls += 1
        if self.rectifier_calls <= self._first:
            return func(*args, **given)
        x = args[0] if args else given["input"]
        # A network that rectifies in place may go on to use the tensor it rectified.
        in_place = func in _IN_PLACE or bool(given.get("inplace", bool(args) and args[-1] is True))
        out = _RedirectedRectifier.apply(x.clone() if in_place else x, limit)
        return x.copy_(out) if in_place else out


def _saturation_limit(
    func: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]
) -> float | None:
    """Return where a rectifier saturates; ``None`` for what is no rectifier."""
    if func is functional.hardtanh:
        low = keywords.get("min_val", args[1] if len(args) > 1 else -1.0)
        high = keywords.get("max_val", args[2] if len(args) > 2 else 1.0)
        return float(high) if low == 0 else None
    if func is functional.relu6:
        return 6.0
    return float("inf") if func in _PLAIN or func in _IN_PLACE else None
