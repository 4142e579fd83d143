"""Which layers of an unknown network are worth looking at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import jit, nn

from circuitz.errors import LayerError, WeightsError
from circuitz.models.run.network_facts import translate_network_errors
from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks
from circuitz.models.run.runtime import Runtime

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
# What follows a weighted layer and belongs to it: a unit is read behind these.
_FOLLOWERS = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d, nn.ReLU,
    nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Hardswish, nn.Sigmoid, nn.Tanh, nn.Softplus,
)  # fmt: skip

_DEEP = 4

# Names of layers, one name, or names with what the user knows of each.
LayerNames = str | Sequence[str] | Mapping[str, Mapping[str, int]]


def requested_layers(layers: LayerNames) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return names of layers, and the axes of units that the user names.

    Parameters
    ----------
    layers
        A name, several, or ``{name: {"axis": 3}}``: along which axis of its output a layer's units
        lie, that of the inputs being 0.

    Raises
    ------
    LayerError
        If they are no names, or something else is said of a layer.
    """
    names: tuple[Any, ...] = (layers,) if isinstance(layers, str) else tuple(layers)
    if not all(isinstance(name, str) for name in names):
        raise LayerError(f"Layers are {str(layers)[:80]}.", "Pass their dotted module names.")
    axes: dict[str, int] = {}
    said: Mapping[str, Any] = layers if isinstance(layers, Mapping) else {}
    for name, options in said.items():
        axis = options.get("axis") if isinstance(options, Mapping) else options
        if set(options or ()) - {"axis"} or not isinstance(axis, int | None):
            raise LayerError(
                f"Layer {name!r} has {str(options)[:80]}.",
                "Of a layer its axis of units can be said: {'axis': 3}.",
            )
        if axis is not None:
            axes[name] = axis
    return names, axes


def remarks_on_shared_modules(
    net: nn.Module, sample: torch.Tensor, layers: Sequence[str]
) -> list[str]:
    """Return a sentence about activations and normalisations called several times, outside layers."""
    counts: dict[nn.Module, int] = {}

    def count_call(module: nn.Module, _args: Any, _out: Any) -> None:
        counts[module] = counts.get(module, 0) + 1

    watched: dict[nn.Module, str] = {
        m: n
        for n, m in net.named_modules()
        if isinstance(m, _FOLLOWERS) and not any(n.startswith(f"{layer}.") for layer in layers)
    }
    hooks = temporary_forward_hooks(dict.fromkeys(watched, count_call))
    with torch.no_grad(), eval_mode(net), hooks, translate_network_errors(sample):
        net(sample)
    names = [repr(watched[module]) for module, count in counts.items() if count > 1]
    if not names:
        return []
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} others" if len(names) > 4 else "")
    return [
        f"{shown} {'is' if len(names) == 1 else 'are'} called more than once in a pass: what is "
        "read behind one call cannot be told from another, so layers before it are read as they "
        "are before it. Give each call a module of its own to read behind it"
    ]


def choose_layers(net: nn.Module, sample: torch.Tensor) -> tuple[str, ...]:
    """Return the network's blocks but the last, each by the module that ends it.

    Blocks are the network's named children; containers that only string layers together are
    opened. A convolution or linear layer is read after the normalisation and activation that
    follow it.

    Parameters
    ----------
    net
        The network.
    sample
        Prepared inputs to run it on.

    Raises
    ------
    LayerError
        If no block is left, as in a network of one layer.
    """
    listed = _children_with_chains_opened(net)
    steps = steps_called_once(net, sample, listed)
    for _ in range(_DEEP):
        # What gives no tensor or is never called cannot be read; what it is made of may be.
        opened = _open_unreadable_steps(listed, {name for name, _ in steps})
        if opened == listed:
            break
        listed = opened
        steps = steps_called_once(net, sample, listed)
    blocks: list[str] = []
    open_block = False
    for name, module in steps:
        if _has_weights(module):
            blocks.append(name)
            open_block = isinstance(module, _WEIGHTED)
        elif open_block and isinstance(module, _FOLLOWERS):
            blocks[-1] = name
        else:
            open_block = False
    if len(blocks) < 2:
        raise LayerError(
            f"No layer to look at was found among {[n for n, _ in steps] or 'no modules'}.",
            "Pass layers= with the dotted names of modules whose units you want to see.",
        )
    return tuple(blocks[:-1])


def choose_cut(runtime: Runtime, layers: Sequence[str]) -> str:
    """Return the last of the layers that every path to the output crosses.

    Raises
    ------
    LayerError
        If there is none.
    WeightsError
        If that cannot be tried out, for logits of random inputs that are not finite.
    """
    for name in reversed(layers):
        if not runtime.is_bypassed(name):
            return name
    with torch.no_grad():
        finite = bool(torch.isfinite(runtime.forward(runtime.random_inputs(8))).all())
    if not finite:
        raise WeightsError(
            "The network's logits are not finite on random inputs, so which layers all paths cross "
            "cannot be tried out.",
            "Keep square roots, logarithms and divisions away from what they are not defined for "
            "(clamp before them), or pass cut=.",
        )
    raise LayerError(
        f"None of {list(layers)} is crossed by every path to the output.",
        "Pass cut= with a layer after the residual sums.",
    )


def _open_unreadable_steps(
    steps: Sequence[tuple[str, nn.Module]], once: set[str]
) -> list[tuple[str, nn.Module]]:
    """Return the steps, with such that cannot be read replaced by what they are made of."""
    found: list[tuple[str, nn.Module]] = []
    for name, module in steps:
        inner = [] if name in once else _children_with_chains_opened(module, f"{name}.")
        found.extend(inner or [(name, module)])
    return found


def _has_weights(module: nn.Module) -> bool:
    return any(isinstance(m, _WEIGHTED) for m in module.modules())


def _children_with_chains_opened(net: nn.Module, prefix: str = "") -> list[tuple[str, nn.Module]]:
    """Return the network's children in order, with plain chains opened."""
    found: list[tuple[str, nn.Module]] = []
    children = list(net.named_children())
    wrapper = sum(_has_weights(m) for _, m in children) < 2
    for name, child in children:
        direct = sum(isinstance(m, _WEIGHTED) for m in child.children())
        # A list is never called itself; what it holds is.
        listed = isinstance(child, nn.ModuleList | nn.ModuleDict)
        chain = listed or (isinstance(child, nn.Sequential) and direct > 1)
        # A module around the real network is looked through.
        around = wrapper and _has_weights(child) and not isinstance(child, _WEIGHTED)
        if chain or around:
            found.extend(_children_with_chains_opened(child, f"{prefix}{name}."))
        else:
            found.append((f"{prefix}{name}", child))
    return found


def steps_called_once(
    net: nn.Module, sample: torch.Tensor, steps: Sequence[tuple[str, nn.Module]]
) -> list[tuple[str, nn.Module]]:
    """Return the modules called exactly once that give one tensor, in the order of the calls.

    Parameters
    ----------
    net
        The network.
    sample
        Prepared inputs to run it on.
    steps
        Modules of it, with their names.

    Raises
    ------
    NetworkError
        If the network fails on the sample.
    """
    calls: list[nn.Module] = []
    tensors: set[nn.Module] = set()

    def note_call(module: nn.Module, _args: Any, out: Any) -> None:
        calls.append(module)
        if isinstance(out, torch.Tensor) and 2 <= out.ndim <= 5:
            tensors.add(module)

    modules = {module for _, module in steps if not isinstance(module, jit.ScriptModule)}
    noting = temporary_forward_hooks(dict.fromkeys(modules, note_call))
    with torch.no_grad(), eval_mode(net), noting, translate_network_errors(sample):
        net(sample)
    once = [(n, m) for n, m in steps if calls.count(m) == 1 and m in tensors]
    return sorted(once, key=lambda step: calls.index(step[1]))
