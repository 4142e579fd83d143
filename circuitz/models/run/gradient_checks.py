"""Whether the gradients of a network can be had, and say what they seem to say."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import jit, nn

from circuitz.errors import GradientError

_NONE = "The network hands no gradient on to what comes before it."
_OFF = (
    "Take torch.no_grad, inference_mode, detach() or numpy out of its forward(); or choose what "
    "needs no gradient: occlusion, ablation, effects."
)


@contextmanager
def gradient_losses_refused(net: nn.Module) -> Generator[None]:
    """Turn gradients on, and refuse a module that is run with them off although its input has one.

    Raises
    ------
    GradientError
        Naming the module. What turns gradients off between modules is not seen.
    """
    names = {module: name for name, module in net.named_modules()}
    if any(weight.is_inference() for weight in net.parameters()):
        raise GradientError(
            "The network's weights were made inside torch.inference_mode and have no gradients.",
            "Build the network outside of it, or pass copy.deepcopy(net), made outside of it.",
        )

    def check_gradients_on(module: nn.Module, args: Any, kwargs: Any) -> None:
        if not torch.is_grad_enabled() and _any_requires_grad((args, kwargs)):
            name = names[module]
            place = f"{name!r}" if name else "The network"
            raise GradientError(
                f"{place} is run with gradients turned off, so what its input is worth cannot be read "
                "off gradients.",
                _OFF,
            )

    handles = [
        module.register_forward_pre_hook(check_gradients_on, with_kwargs=True)
        for module in names
        if not isinstance(module, jit.ScriptModule)
    ]
    try:
        with torch.enable_grad():
            yield
    finally:
        for handle in handles:
            handle.remove()


def check_gradient_reaches_input(
    net: nn.Module, function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
) -> None:
    """Try the gradient of a function of a network's input.

    Parameters
    ----------
    net
        The network that the function runs.
    function
        Of inputs ``(n, ...)``.
    x
        Inputs it is tried on.

    Raises
    ------
    GradientError
        If there is none, or it is not finite.
    """
    given = x.detach().clone().requires_grad_(True)
    with gradient_losses_refused(net):
        value = function(given)
        grad = gradient_of(value, given)
    check_gradient_finite(grad)


def gradient_of(value: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
    """Return the gradient of a value, summed, at a point it is computed from.

    Raises
    ------
    GradientError
        If none is handed on.
    """
    check_hands_gradients_on(value)
    try:
        # Its stub does not say that what is unused has none.
        grad: Any = torch.autograd.grad(value.sum(), point, allow_unused=True)[0]
    except RuntimeError as problem:
        raise GradientError(f"The network has no gradient: {problem}", _OFF) from problem
    if grad is None:
        raise GradientError(_NONE, _OFF)
    return grad


def check_hands_gradients_on(value: torch.Tensor) -> None:
    """Refuse a value that was computed without gradients.

    Raises
    ------
    GradientError
        If so.
    """
    if not value.requires_grad:
        raise GradientError(_NONE, _OFF)


def check_gradient_finite(values: torch.Tensor) -> None:
    """Refuse a gradient, or what is made of it, that is not finite.

    Raises
    ------
    GradientError
        If so.
    """
    if not bool(torch.isfinite(values).all()):
        share = 1 - float(torch.isfinite(values).float().mean())
        raise GradientError(
            f"The network's gradient is not finite ({share:.0%} of its numbers).",
            "Look for a root, norm, logarithm or division of what can be 0 in its forward() and add "
            "a small number there; in half precision values may overflow.",
        )


def _any_requires_grad(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.requires_grad
    if isinstance(value, Mapping):
        return any(map(_any_requires_grad, value.values()))
    return isinstance(value, list | tuple) and any(map(_any_requires_grad, value))
