"""Which input pixels one position of a layer can see."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from circuitz.models.run.fx_graph import LeafTracer, copy_sharing_weights


@dataclass(frozen=True)
class _ReceptiveField:
    """Position p sees pixels ``start + p * stride`` to that plus ``size``."""

    size: int
    stride: int
    start: int

    def after_kernel(self, kernel: int, stride: int, padding: int) -> _ReceptiveField:
        return _ReceptiveField(
            self.size + (kernel - 1) * self.stride,
            self.stride * stride,
            self.start - padding * self.stride,
        )

    def union(self, other: _ReceptiveField) -> _ReceptiveField | None:
        if self.stride != other.stride:
            return None
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return _ReceptiveField(end - start, self.stride, start)


# Steps that look at each position by itself.
_POINTWISE_MODULES = (
    nn.Identity, nn.BatchNorm2d, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU,
    nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Softplus,
    nn.Dropout, nn.Dropout2d, nn.PReLU,
)  # fmt: skip
_POINTWISE_FUNCTIONS: frozenset[Callable[..., Any]] = frozenset({
    operator.add, operator.mul, operator.sub, operator.truediv, operator.iadd, operator.imul,
    operator.neg, torch.add, torch.mul, torch.sub, torch.relu, torch.sigmoid, torch.tanh,
    torch.clamp, torch.cat, functional.relu, functional.relu6, functional.gelu, functional.silu,
    functional.leaky_relu, functional.elu, functional.hardswish, functional.dropout,
})  # fmt: skip
_POINTWISE_METHODS = frozenset(
    {"relu", "relu_", "add", "add_", "mul", "mul_", "sub", "sigmoid", "tanh", "clamp", "clone",
     "contiguous", "float", "half", "to"}
)  # fmt: skip


def receptive_field(net: nn.Module, name: str) -> tuple[int, int, int]:
    """Return ``(size, stride, start)`` of a layer's receptive field, in input pixels.

    Computed along the traced graph for networks of convolutions, pools and steps that look at
    each position by itself (sums and concatenations of such paths included).

    Parameters
    ----------
    net, name
        The network and the dotted name of the layer.

    Returns
    -------
    Position ``p`` of the layer's map sees pixels ``start + p * stride`` up to that plus
    ``size``; ``(0, 0, 0)`` = not known, take the whole input.
    """
    try:
        double = copy_sharing_weights(net)
        layer = double.get_submodule(name)
        outer = _field_after_graph(
            double, LeafTracer(layer).trace(double), _ReceptiveField(1, 1, 0), layer
        )
        if outer is None:
            return (0, 0, 0)
        found = _field_after_module(layer, outer)
        if found is None and not _is_leaf_module(layer):
            found = _field_after_graph(layer, LeafTracer(None).trace(layer), outer, None)
    except Exception:  # tracing runs arbitrary code on stand-ins and may fail in any way
        return (0, 0, 0)
    return (found.size, found.stride, found.start) if found else (0, 0, 0)


def _is_leaf_module(module: nn.Module) -> bool:
    return fx.Tracer().is_leaf_module(module, "")


def _field_after_graph(
    net: nn.Module, graph: fx.Graph, field: _ReceptiveField, stop: nn.Module | None
) -> _ReceptiveField | None:
    """Follow the graph; return the field of the output, or of what goes into ``stop``."""
    fields: dict[fx.Node, _ReceptiveField | None] = {}
    for node in graph.nodes:
        inputs = [fields[n] for n in node.all_input_nodes if n in fields]
        if node.op == "placeholder":
            fields[node] = field
            continue
        if not inputs:
            continue
        joined = inputs[0]
        for other in inputs[1:]:
            joined = joined.union(other) if joined and other else None
        if node.op == "output":
            return joined
        module = net.get_submodule(node.target) if node.op == "call_module" else None
        if module is not None and module is stop:
            return joined
        fields[node] = _field_after_node(node, module, joined) if joined else None
    return None


def _field_after_node(
    node: fx.Node, module: nn.Module | None, field: _ReceptiveField
) -> _ReceptiveField | None:
    if module is not None:
        return _field_after_module(module, field)
    if node.op == "call_function":
        if node.target is torch.cat and _cat_axis(node) != 1:
            return None
        return field if node.target in _POINTWISE_FUNCTIONS else None
    return field if node.op == "call_method" and node.target in _POINTWISE_METHODS else None


def _cat_axis(node: fx.Node) -> Any:
    return node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)


def _field_after_module(module: nn.Module, field: _ReceptiveField) -> _ReceptiveField | None:
    if isinstance(module, _POINTWISE_MODULES):
        return field
    if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        dilation = _equal_for_both_axes(getattr(module, "dilation", 1))
        kernel, stride = (
            _equal_for_both_axes(module.kernel_size),
            _equal_for_both_axes(module.stride),
        )
        if kernel is None or stride is None or dilation is None:
            return None
        reach = dilation * (kernel - 1)
        named = {"same": reach // 2, "valid": 0}
        padding = module.padding
        pad = named.get(padding) if isinstance(padding, str) else _equal_for_both_axes(padding)
        return None if pad is None else field.after_kernel(reach + 1, stride, pad)
    return None


def _equal_for_both_axes(value: Any) -> int | None:
    """Return a setting that is the same for height and width; ``None`` if it is not."""
    if isinstance(value, int):
        return value
    return int(value[0]) if len(set(value)) == 1 else None
