"""A network cut in two at one layer: the part before it and the part after it."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any, Protocol

import torch
from torch import fx, nn
from torch.fx.node import map_arg

from circuitz.errors import LayerError
from circuitz.models.network import failures_named
from circuitz.models.state import evaluating, hooked


class Cut(Protocol):
    """The two halves of a network at a layer. Both run in eval mode and carry gradients."""

    asks_input: bool

    def before(self, x: torch.Tensor) -> torch.Tensor:
        """Return the layer's output for prepared inputs, computing nothing after it."""
        ...

    def after(self, act: torch.Tensor, x: torch.Tensor | None) -> Any:
        """Return the network's output given the layer's output (and inputs if it asks)."""
        ...


class LeafTracer(fx.Tracer):
    """A tracer that takes one module, besides torch's own, as a single step."""

    def __init__(self, leaf: nn.Module | None) -> None:
        super().__init__()
        self._leaf = leaf

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Whether a module is one step of the graph."""
        return m is self._leaf or super().is_leaf_module(m, module_qualified_name)


def stand_in(net: nn.Module) -> nn.Module:
    """Return a double of a network, in eval mode, that shares its weights.

    Tracing runs the network's code on stand-ins for tensors; what that code stores on itself
    must not end up in the network.
    """
    tensors = [*net.parameters(), *net.buffers()]
    return copy.deepcopy(net, {id(t): t for t in tensors}).eval()


class GraphCut:
    """The cut on the traced graph: the half after the layer computes only what is downstream.

    Parameters
    ----------
    net, name
        The network and the dotted name of the layer.

    Raises
    ------
    LayerError
        If the layer is not called exactly once.
    Exception
        Whatever tracing raises when the network cannot be traced.
    """

    def __init__(self, net: nn.Module, name: str) -> None:
        double = stand_in(net)
        leaf = double.get_submodule(name)
        graph = LeafTracer(leaf).trace(double)
        calls = [
            n
            for n in graph.nodes
            if n.op == "call_module" and double.get_submodule(n.target) is leaf
        ]
        _once(name, len(calls))
        self._net = net
        self._node = calls[0]
        self._graph = graph
        self._inputs = [n for n in graph.nodes if n.op == "placeholder"]
        output = next(n for n in graph.nodes if n.op == "output")
        self._upstream = _needed(self._node, None)
        self._downstream = _needed(output, self._node)
        self._order = list(graph.nodes)
        # Tensors that forward() makes out of nothing become attributes of the traced double.
        self._constants = {
            n: getattr(double, n.target)
            for n in graph.nodes
            if n.op == "get_attr" and n.target.startswith("_tensor_constant")
        }
        # Even where no value runs around the layer, a shape taken from the input may.
        self.asks_input = self._inputs[0] in self._downstream

    def before(self, x: torch.Tensor) -> torch.Tensor:
        """Run the graph up to the layer."""
        return self._run({self._inputs[0]: x}, self._upstream, self._node)

    def after(self, act: torch.Tensor, x: torch.Tensor | None) -> Any:
        """Run what depends on the layer, and on ``x`` where a path runs around it."""
        env: dict[fx.Node, Any] = {self._node: act}
        if x is not None:
            env[self._inputs[0]] = x
        return self._run(env, self._downstream, None)

    def _run(self, env: dict[fx.Node, Any], wanted: set[fx.Node], stop: fx.Node | None) -> Any:
        run = fx.Interpreter(self._net, graph=self._graph)
        run.env = env | self._constants
        env = run.env
        with evaluating(self._net):
            for node in self._order:
                if node not in wanted or node in env:
                    continue
                if node.op == "output":
                    return map_arg(node.args[0], lambda n: env[n])
                if node.op == "placeholder":  # an argument of forward left at its default
                    env[node] = node.args[0] if node.args else None
                else:
                    env[node] = run.run_node(node)
                if node is stop:
                    return env[node]
        raise LayerError("The traced network has no output.", "Pass a network that returns logits.")


def _needed(goal: fx.Node, known: fx.Node | None) -> set[fx.Node]:
    """Return the nodes needed to compute ``goal`` once ``known`` is there."""
    found: set[fx.Node] = set()
    todo = [goal]
    while todo:
        node = todo.pop()
        if node in found or node is known:
            continue
        found.add(node)
        todo.extend(node.all_input_nodes)
    return found


class _Stop(BaseException):
    """Leaves a forward pass once the layer has spoken; no ``except Exception`` may eat it."""


class HookCut:
    """The cut by hooks, for networks that cannot be traced: slower, the same numbers.

    Parameters
    ----------
    net, name
        The network and the dotted name of the layer.
    """

    asks_input = True

    def __init__(self, net: nn.Module, name: str) -> None:
        self._net = net
        self._name = name
        self._layer = net.get_submodule(name)

    def before(self, x: torch.Tensor) -> torch.Tensor:
        """Run the network and leave it as soon as the layer has been called."""
        seen: list[torch.Tensor] = []

        def catch(_module: nn.Module, _args: Any, out: torch.Tensor) -> None:
            seen.append(out)
            raise _Stop

        with (
            evaluating(self._net),
            hooked({self._layer: catch}),
            suppress(_Stop),
            failures_named(x),
        ):
            self._net(x)
        _once(self._name, len(seen))
        return seen[0]

    def after(self, act: torch.Tensor, x: torch.Tensor | None) -> Any:
        """Run the whole network with the layer's output replaced by ``act``."""
        calls = 0

        def replace(_module: nn.Module, _args: Any, _out: torch.Tensor) -> torch.Tensor:
            nonlocal calls
            calls += 1
            return act

        with evaluating(self._net), hooked({self._layer: replace}), failures_named(x):
            out = self._net(x)
        _once(self._name, calls)
        return out


def _once(name: str, calls: int) -> None:
    if calls == 0:
        raise LayerError(
            f"Layer {name!r} is never called when the network runs.",
            "Choose a module that forward() calls, or the one that replaces it.",
        )
    if calls > 1:
        raise LayerError(
            f"Layer {name!r} is called {calls} times in one forward pass.",
            "Give each call a module of its own (a shared nn.ReLU can be copied).",
        )
