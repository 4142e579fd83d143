"""Modules whose call does something else than what their class's ``forward`` says."""

from __future__ import annotations

from typing import Any

from torch import nn

# Where torch keeps hooks that run before or after a module, and every module.
_OWN = ("_forward_hooks", "_forward_pre_hooks")
_GLOBAL = ("_global_forward_hooks", "_global_forward_pre_hooks")


def call_is_altered(module: nn.Module) -> bool:
    """Whether hooks, a ``forward`` of the instance or a ``__call__`` stand around ``forward``.

    Hooks of torch's own, which only make a weight (pruning, weight norm), do not count.
    """
    if "forward" in vars(module) or type(module).__call__ is not nn.Module.__call__:
        return True
    held: list[Any] = [getattr(module, name) for name in _OWN]
    held += [getattr(nn.modules.module, name, {}) for name in _GLOBAL]
    return any(
        not type(hook).__module__.startswith("torch.nn.utils")
        for hooks in held
        for hook in hooks.values()
    )
