"""Along which axis of a layer's output its units lie, found out from what the network does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from circuitz.errors import LayerError
from circuitz.models.run.network_facts import find_layer, translate_network_errors
from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks

if TYPE_CHECKING:
    from circuitz.models.run.runtime import Runtime

# Modules that say by their kind on which axis of their output channels lie.
_SECOND = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm, nn.GroupNorm,
    nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d,
)  # fmt: skip
_LAST = (
    nn.Linear, nn.Bilinear, nn.Embedding, nn.MultiheadAttention, nn.RNNBase, nn.TransformerEncoder,
    nn.TransformerEncoderLayer, nn.TransformerDecoder, nn.TransformerDecoderLayer,
)  # fmt: skip
# Of others a subclass may turn axes round (LayerNorm2d of timm and torchvision), or the name is all
# there is to tell them by.
_LAST_EXACTLY = (nn.LayerNorm, nn.RMSNorm)
_LAST_BY_NAME = frozenset({"Conv1D"})  # of transformers: a linear layer
_TRIED = 4  # modules before a layer that are moved, until one moves it along one axis
_MOVED = 3  # channels of each
# Share of a layer's change that has to lie on one index of the axis, and by how much that must
# exceed the share on one index of any other.
_SHARE, _CLEARER = 0.3, 1.5


@dataclass(frozen=True)
class UnitAxis:
    """Where a layer's units lie.

    Parameters
    ----------
    axis
        Of the output, that of the inputs being 0.
    guess
        What was assumed, in words; empty where it was established.
    """

    axis: int
    guess: str = ""


class _Call(NamedTuple):
    """One call of a module: which of its calls it was, and where its channels lie if its kind says."""

    module: nn.Module
    number: int
    shape: tuple[int, ...]
    axis: int | None


class _Followed(NamedTuple):
    """A layer's output, what was called before it, and where the first module behind it looks."""

    shape: tuple[int, ...]
    before: tuple[_Call, ...]
    next_axis: int | None


def unit_axis(runtime: Runtime, name: str) -> int:
    """Return along which axis of a layer's output its units lie.

    Raises
    ------
    LayerError
        If it cannot be established.
    """
    return find_unit_axes(runtime, [name])[name].axis


def find_unit_axes(
    runtime: Runtime, names: Sequence[str], x: torch.Tensor | None = None
) -> dict[str, UnitAxis]:
    """Return where the units of some layers lie; the runtime remembers it.

    The kind of the layer says so, or the kind of what is called before it: of a convolution the
    channels are axis 1, of a linear layer the last. Where shapes leave open which axis of the
    layer is meant, a channel of the module before it is moved, and the axis along which the layer
    moves at one index, another for another channel, is that of the units.

    Parameters
    ----------
    runtime
        The network.
    names
        Dotted names of layers that are called once.
    x
        Prepared inputs; the first is used. Random ones by default.

    Raises
    ------
    LayerError
        If a layer does not exist or is never called, or its axis of units cannot be established.
    """
    unknown = [name for name in names if name not in runtime.unit_axes]
    if unknown:
        x = runtime.random_inputs(1) if x is None else runtime.cast_inputs(x[:1])
        followed = _follow_calls(runtime, unknown, x)
        for name in unknown:
            if name not in followed:
                raise LayerError(
                    f"Layer {name!r} is never called when the network runs, or gives no tensor.",
                    "Choose a module that forward() calls exactly once and that returns a tensor.",
                )
            runtime.unit_axes[name] = _axis_of_layer(runtime, name, followed[name], x)
    return {name: runtime.unit_axes[name] for name in names}


def told_unit_axes(
    names: Sequence[str], axes: Mapping[str, int], shapes: Mapping[str, Sequence[int]]
) -> dict[str, UnitAxis]:
    """Return the axes that a user names, counted from 0 for inputs or from the end.

    Raises
    ------
    LayerError
        If a layer has no such axis.
    """
    found: dict[str, UnitAxis] = {}
    for name in names:
        if name not in axes:
            continue
        size, axis = len(shapes[name]), axes[name]
        axis = axis + size if axis < 0 else axis
        if not 0 < axis < size:
            raise LayerError(
                f"Layer {name!r} puts out {tuple(shapes[name])}, in which axis {axes[name]} cannot "
                "count units.",
                f"Name an axis from 1 to {size - 1}; axis 0 counts inputs.",
            )
        found[name] = UnitAxis(axis)
    return found


def _axis_by_kind(module: nn.Module, ndim: int) -> int | None:
    told = getattr(module, "unit_axis", None)
    if isinstance(told, int) and 0 < told < ndim:
        return told
    if isinstance(module, _SECOND):
        return 1
    if isinstance(module, _LAST) or type(module) in _LAST_EXACTLY:
        return ndim - 1
    return ndim - 1 if type(module).__name__ in _LAST_BY_NAME else None


def _follow_calls(runtime: Runtime, names: Sequence[str], x: torch.Tensor) -> dict[str, _Followed]:
    """Run the network once and note in which order modules are called that say where channels lie."""
    wanted: dict[nn.Module, list[str]] = {}
    for name in names:
        wanted.setdefault(find_layer(runtime.module, name), []).append(name)
    calls: list[_Call] = []
    counts: dict[nn.Module, int] = {}
    before: dict[nn.Module, tuple[tuple[int, ...], tuple[_Call, ...]]] = {}
    outputs: dict[nn.Module, torch.Tensor] = {}
    behind: dict[nn.Module, int] = {}

    def note_call(module: nn.Module, args: Any, out: Any) -> None:
        out = out[0] if isinstance(out, tuple) and out else out
        if not isinstance(out, torch.Tensor):
            return
        given = args[0] if args and isinstance(args[0], torch.Tensor) else None
        axis = _axis_by_kind(module, out.ndim)
        if axis is not None:
            for layer, act in outputs.items():
                if given is act and layer not in behind:
                    behind[layer] = 1 if axis == 1 and isinstance(module, _SECOND) else act.ndim - 1
            counts[module] = counts.get(module, 0) + 1
            calls.append(_Call(module, counts[module], tuple(out.shape), axis))
        if module in wanted and module not in outputs:
            outputs[module] = out
            own = 1 if axis is not None else 0
            before[module] = (tuple(out.shape), tuple(calls[: len(calls) - own]))

    hooks = {m: note_call for m in runtime.module.modules() if _axis_by_kind(m, 9) or m in wanted}
    hooking = temporary_forward_hooks(hooks)
    with torch.no_grad(), eval_mode(runtime.module), hooking, translate_network_errors(x):
        runtime.module(x)
    return {
        name: _Followed(*before[module], behind.get(module))
        for module, many in wanted.items()
        for name in many
        if module in before
    }


def _axis_of_layer(runtime: Runtime, name: str, layer: _Followed, x: torch.Tensor) -> UnitAxis:
    shape = layer.shape
    module = find_layer(runtime.module, name)
    by_kind = _axis_by_kind(module, len(shape))
    if by_kind is not None:
        return UnitAxis(by_kind)
    if len(shape) == 2:
        return UnitAxis(1)
    if layer.before:
        last = layer.before[-1]
        assert last.axis is not None
        # The same positions, in another order at most: the axis besides them is that of channels.
        positions = _sorted_without(last.shape, last.axis)
        besides = [i for i in range(1, len(shape)) if _sorted_without(shape, i) == positions]
        if len(besides) == 1:
            return UnitAxis(besides[0])
    for call in reversed(layer.before[-_TRIED:]):
        axis = _axis_that_moves(runtime, module, call, x)
        if axis is not None:
            return UnitAxis(axis)
    if layer.next_axis is not None:
        return UnitAxis(layer.next_axis)
    if len(shape) == 3:
        return UnitAxis(
            2, f"{name!r} puts out {shape[1:]} an input; its last axis is taken for its units"
        )
    raise LayerError(
        f"Layer {name!r} puts out {shape[1:]} an input; which of these axes counts its units could "
        "not be established.",
        f"Name it, axis 0 being that of the inputs: layers={{{name!r}: {{'axis': {len(shape) - 1}}}}}. "
        "Or choose a convolution, a linear layer or what follows one.",
    )


def _sorted_without(shape: tuple[int, ...], axis: int) -> list[int]:
    """Return the sizes of all axes of one input but one, ascending."""
    return sorted(size for i, size in enumerate(shape) if i not in (0, axis))


class _Reached(BaseException):
    """Leaves a forward pass once the layer has spoken; no ``except Exception`` may eat it."""


def _axis_that_moves(
    runtime: Runtime, layer: nn.Module, call: _Call, x: torch.Tensor
) -> int | None:
    """Return the axis along which a layer moves at one index when a channel before it moves."""
    assert call.axis is not None
    width = call.shape[call.axis]
    channels = sorted({0, width // 2, width - 1}) if width > 1 else []
    still = _output_with_channel_moved(runtime, layer, call, None, x)
    if still is None or len(channels) < 2:
        return None
    shares: list[list[float]] = []
    places: list[list[int]] = []
    for channel in channels[:_MOVED]:
        out = _output_with_channel_moved(runtime, layer, call, channel, x)
        if out is None or out.shape != still.shape:
            return None
        change = (out.double() - still.double()).square().nan_to_num()
        total = float(change.sum())
        if total == 0:
            continue  # it is off, or goes elsewhere
        along = [
            change.sum([j for j in range(change.ndim) if j != i]) / total
            for i in range(1, change.ndim)
        ]
        shares.append([float(a.max()) for a in along])
        places.append([int(a.argmax()) for a in along])
    if len(places) < 2:
        return None
    scores = [
        min(row[i] for row in shares) * len({row[i] for row in places}) / len(places)
        for i in range(still.ndim - 1)
    ]
    # An axis along which always the same index moves, as the one of length 1, counts nothing.
    scores = [
        score if len({row[i] for row in places}) > 1 else 0.0 for i, score in enumerate(scores)
    ]
    ranked = sorted(scores, reverse=True)
    if ranked[0] < _SHARE or (len(ranked) > 1 and ranked[0] < _CLEARER * ranked[1]):
        return None
    return 1 + scores.index(ranked[0])


def _output_with_channel_moved(
    runtime: Runtime, layer: nn.Module, call: _Call, channel: int | None, x: torch.Tensor
) -> torch.Tensor | None:
    """Return a layer's output with one channel of a module before it moved at all positions."""
    seen: list[torch.Tensor] = []
    count = 0

    def move_channel(_module: nn.Module, _args: Any, out: Any) -> Any:
        nonlocal count
        count += 1
        if count != call.number or channel is None:
            return out
        tensor = out[0] if isinstance(out, tuple) else out
        moved = tensor.clone()
        step = 4 * float(tensor.float().std()) if tensor.numel() > 1 else 0.0
        moved.select(call.axis or 0, channel).add_(step or 1.0)
        return (moved, *out[1:]) if isinstance(out, tuple) else moved

    def catch_output(_module: nn.Module, _args: Any, out: Any) -> None:
        out = out[0] if isinstance(out, tuple) and out else out
        if isinstance(out, torch.Tensor):
            seen.append(out.clone())
        raise _Reached

    hooks = {call.module: move_channel, layer: catch_output}
    hooking = temporary_forward_hooks(hooks)
    leaving = suppress(_Reached)
    with torch.no_grad(), eval_mode(runtime.module), hooking, leaving, translate_network_errors(x):
        runtime.module(x)
    return seen[0] if seen else None
