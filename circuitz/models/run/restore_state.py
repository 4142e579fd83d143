"""Leaving a network exactly as it was found."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, nullcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from torch import nn

from circuitz.models.adapters.unwrap import is_compiled

P = ParamSpec("P")
R = TypeVar("R")


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


@contextmanager
def random_state_and_buffers_kept(net: nn.Module) -> Generator[None]:
    """Put buffers and the state of random number generators back on leaving, whatever was run."""
    buffers = [
        (module, name, tensor, tensor.detach().clone())
        for module in net.modules()
        for name, tensor in module.named_buffers(recurse=False)
    ]
    python, numpy = random.getstate(), np.random.get_state()
    devices = {p.device.index or 0 for p in net.parameters() if p.device.type == "cuda"}
    try:
        with torch.random.fork_rng(devices=sorted(devices)):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        with torch.no_grad():
            for module, name, tensor, before in buffers:
                if getattr(module, name) is not tensor:
                    setattr(module, name, tensor)
                if not torch.equal(tensor, before):
                    tensor.copy_(before)


def outside_inference_mode(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function run as it does outside ``torch.inference_mode`` and ``torch.no_grad``.

    Within the first, gradients cannot be turned on and what overwrites a tensor is not noticed.
    """

    @wraps(function)
    def run_outside(*args: P.args, **kwargs: P.kwargs) -> R:
        if torch.is_grad_enabled() and not torch.is_inference_mode_enabled():
            return function(*args, **kwargs)
        with torch.inference_mode(False), torch.enable_grad():
            return function(*args, **kwargs)

    return run_outside
