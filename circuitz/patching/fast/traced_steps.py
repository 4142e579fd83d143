"""The steps of a traced network, sorted by what they do to a change of one unit."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import fx, nn
from torch.fx.node import map_arg
from torch.nn import functional

from circuitz.errors import LayerError
from circuitz.models.run.altered_calls import call_is_altered
from circuitz.models.run.fx_graph import NetGraph

Kind = Literal["each", "norm", "pool", "mean", "flatten", "two", "cat", "conv", "linear", "other"]

# Steps on one tensor that look at each number by itself.
_EACH_MODULES = (
    nn.Identity, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU,
    nn.Mish, nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Softplus,
    nn.Dropout, nn.Dropout1d, nn.Dropout2d,
)  # fmt: skip
_EACH: frozenset[Any] = frozenset({
    torch.relu, torch.sigmoid, torch.tanh, torch.clamp, operator.neg, functional.relu,
    functional.relu6, functional.gelu, functional.silu, functional.leaky_relu, functional.elu,
    functional.hardswish, functional.dropout, functional.sigmoid, functional.tanh,
    "relu", "sigmoid", "tanh", "clamp", "clone", "contiguous", "detach", "neg",
})  # fmt: skip
# Steps that look at each unit's map by itself.
_POOL_MODULES = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
_POOL: frozenset[Any] = frozenset({
    functional.max_pool2d, functional.avg_pool2d, functional.adaptive_avg_pool2d,
    functional.adaptive_max_pool2d, torch.max_pool2d,
})  # fmt: skip
# Steps on two tensors, number by number.
_TWO: frozenset[Any] = frozenset({
    operator.add, operator.sub, operator.mul, operator.truediv, torch.add, torch.sub, torch.mul,
    torch.div, "add", "sub", "mul", "div",
})  # fmt: skip
_KINDS: dict[Kind, tuple[tuple[type[nn.Module], ...], frozenset[Any]]] = {
    "each": (_EACH_MODULES, _EACH),
    "norm": ((nn.BatchNorm1d, nn.BatchNorm2d), frozenset()),
    "pool": (_POOL_MODULES, _POOL),
    "mean": ((), frozenset({torch.mean, "mean"})),
    "flatten": ((nn.Flatten,), frozenset({torch.flatten, "flatten"})),
    "two": ((), _TWO),
    "cat": ((), frozenset({torch.cat, torch.concat})),
    "conv": ((nn.Conv2d,), frozenset()),
    "linear": ((nn.Linear,), frozenset()),
}
# What changes its argument, and the same without doing so.
_PURE: dict[Any, Any] = {
    operator.iadd: operator.add, operator.isub: operator.sub, operator.imul: operator.mul,
    operator.itruediv: operator.truediv, torch.relu_: torch.relu, functional.relu_: functional.relu,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Step:
    """One step of the graph, made free of side effects.

    Parameters
    ----------
    node
        Where it stands in the graph; results are kept under it.
    kind
        What it does to a change of one unit.
    run
        Computes it from its arguments.
    args, kwargs
        Its arguments; those that are nodes stand for their results.
    module
        The module it calls, if it does and the call is that of its class.
    """

    node: fx.Node
    kind: Kind
    run: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    module: nn.Module | None = None

    @property
    def first_argument_node(self) -> fx.Node | None:
        """Its first argument, when that is the result of a step."""
        first = self.args[0] if self.args else None
        return first if isinstance(first, fx.Node) else None

    @property
    def is_relu(self) -> bool:
        """Whether it is a rectifier, which can be done in place."""
        return isinstance(self.module, nn.ReLU) or getattr(self.run, "__name__", "") == "relu"

    def run_on_looked_up_arguments(self, find: Callable[[fx.Node], Any]) -> Any:
        """Run it on what ``find`` returns for each node among its arguments."""
        args = map_arg(self.args, find)
        return self.run(*args, **map_arg(dict(self.kwargs), find))


def steps_of_graph(graph: NetGraph) -> list[Step]:
    """Return the steps of a graph between its inputs and its output.

    Raises
    ------
    LayerError
        If a step overwrites what a later step still reads, so that order matters.
    """
    return [_make_pure_step(graph, n) for n in graph.order if n.op not in ("placeholder", "output")]


def _make_pure_step(graph: NetGraph, node: fx.Node) -> Step:
    kwargs = dict(node.kwargs)
    changes = bool(kwargs.pop("inplace", False))
    if node.op == "get_attr":
        return Step(node, "other", lambda: graph.fetched_tensor(node), (), {})
    if node.op == "call_module":
        module = graph.copy_of_module(str(node.target))
        for part in module.modules():
            if getattr(part, "inplace", False) is True:
                changes = True
                part.inplace = False  # of the traced double, not of the network  # pyright: ignore
        _refuse_early_overwrite(graph, node, changes)
        if call_is_altered(module):  # nothing is known of it: only called, as a whole
            return Step(node, "other", module, node.args, kwargs)
        return Step(node, _kind_of_step(module, None), module, node.args, kwargs, module)
    target: Any = node.target
    if node.op == "call_method":
        if target.endswith("_") and not target.endswith("__"):
            changes, target = True, target[:-1]
        name = target
        run: Callable[..., Any] = lambda self, *a, **k: getattr(self, name)(*a, **k)  # noqa: E731
    else:
        if target in _PURE:
            changes, target = True, _PURE[target]
        if target is operator.setitem:
            raise LayerError("The network writes into a tensor by index.")
        run = target
    args = node.args
    if target is functional.relu and len(args) > 1:  # relu(x, True)
        changes, args = changes or bool(args[1]), args[:1]
    _refuse_early_overwrite(graph, node, changes)
    return Step(node, _kind_of_step(None, target), run, args, kwargs)


def _kind_of_step(module: nn.Module | None, target: Any) -> Kind:
    for kind, (modules, functions) in _KINDS.items():
        if isinstance(module, modules) if module is not None else target in functions:
            return kind
    return "other"


def _refuse_early_overwrite(graph: NetGraph, node: fx.Node, changes: bool) -> None:
    """Refuse a step that overwrites its argument while a later one reads it."""
    source = node.args[0] if node.args else None
    if not changes or not isinstance(source, fx.Node):
        return
    later = graph.order[graph.order.index(node) + 1 :]
    if any(user in later for user in source.users):
        raise LayerError(f"{source.name} is overwritten before it is read for the last time.")
