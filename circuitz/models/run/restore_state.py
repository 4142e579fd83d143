"""Leaving a network exactly as it was found."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from circuitz.models.adapters.unwrap import is_compiled


@contextmanager
def eval_mode(net: nn.Module) -> Generator[None]:
    """Put every submodule in eval mode, and each back in its own mode on leaving.

    What was compiled runs as it is written meanwhile: compiled code may not see hooks, and would
    be compiled anew for each of them. A plain ``net.train(was)`` would overwrite submodules frozen on purpose (batch norm in eval
    mode inside a training network).
    """
    before = [(m, m.training) for m in net.modules()]
    compiled = any(is_compiled(m) for m, _ in before)
    try:
        for m, training in before:
            if training:
                m.training = False
        with torch.compiler.set_stance("force_eager") if compiled else nullcontext():
            yield
    finally:
        for m, training in before:
            if m.training != training:
                m.training = training


@contextmanager
def temporary_forward_hooks(hooks: Mapping[nn.Module, Callable[..., Any]]) -> Generator[None]:
    """Register one forward hook a module, removed again on leaving, whatever happened."""
    handles: list[torch.utils.hooks.RemovableHandle] = []
    try:
        for module, hook in hooks.items():
            handles.append(module.register_forward_hook(hook))
        yield
    finally:
        for handle in handles:
            handle.remove()
