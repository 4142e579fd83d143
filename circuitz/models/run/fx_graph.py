"""The graph of a network's operations, as torch.fx traces it."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Collection
from typing import Any

from torch import fx, nn
from torch.fx.node import map_arg

from circuitz.errors import LayerError
from circuitz.models.run.altered_calls import call_is_altered
from circuitz.models.run.restore_state import eval_mode


class LeafTracer(fx.Tracer):
    """A tracer that takes some modules, besides torch's own, as a single step each.

    Those given, and any whose class says ``one_step = True``.
    """

    def __init__(self, *leaves: nn.Module | None) -> None:
        super().__init__()
        self._leaves = leaves

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Whether a module is one step of the graph."""
        ours = getattr(m, "one_step", False) is True or any(m is leaf for leaf in self._leaves)
        return ours or super().is_leaf_module(m, module_qualified_name)


def copy_sharing_weights(net: nn.Module) -> nn.Module:
    """Return a double of a network, in eval mode, that shares its weights.

    Tracing runs the network's code on stand-ins for tensors; what that code stores on itself
    must not end up in the network.
    """
    known: dict[int, Any] = {id(t): t for t in (*net.parameters(), *net.buffers())}
    for module in net.modules():
        # Most of the time would go into some ten empty tables of hooks a module.
        known |= {
            id(v): OrderedDict() for v in vars(module).values() if type(v) is OrderedDict and not v
        }
    return copy.deepcopy(net, known).eval()


class NetGraph:
    """What a network computes, step by step.

    Parameters
    ----------
    net
        The network.
    leaves
        Dotted names of modules that are one step each, whatever they are made of.

    Attributes
    ----------
    order
        Steps in the order they run.
    inputs, output
        The arguments of ``forward``, and its result.
    constants
        Tensors that ``forward`` makes out of nothing.

    Raises
    ------
    LayerError
        If hooks on the network itself, or a replaced ``forward``, would be left out.
    Exception
        Whatever tracing raises when the network cannot be traced.
    """

    def __init__(self, net: nn.Module, *leaves: str | None) -> None:
        if call_is_altered(net):  # torch.fx traces the forward of the class alone
            raise LayerError(
                "The network's call does more than the forward of its class.",
                "Take hooks and a replaced forward off the network to trace it.",
            )
        double = copy_sharing_weights(net)
        modules = [double.get_submodule(name) for name in leaves if name]
        graph = LeafTracer(*modules).trace(double)
        self._net = net
        self._double = double
        self._graph = graph
        self._modules = dict(double.named_modules(remove_duplicate=False))
        self.order = list(graph.nodes)
        self.inputs = [n for n in self.order if n.op == "placeholder"]
        self.output = next(n for n in self.order if n.op == "output")
        # They become attributes of the traced double.
        self.constants = {
            n: getattr(double, str(n.target))
            for n in self.order
            if n.op == "get_attr" and str(n.target).startswith("_tensor_constant")
        }

    def node_calling_module(self, name: str) -> fx.Node:
        """Return the step that calls the module of that name.

        Raises
        ------
        LayerError
            If it is not called exactly once.
        """
        wanted = self._modules[name]
        calls = [
            n
            for n in self.order
            if n.op == "call_module" and self._modules[str(n.target)] is wanted
        ]
        check_called_once(name, len(calls))
        return calls[0]

    def copy_of_module(self, name: str) -> nn.Module:
        """Return the double of the module of that name: same weights, in eval mode."""
        return self._modules[name]

    def fetched_tensor(self, node: fx.Node) -> Any:
        """Return the parameter, buffer or constant a step fetches."""
        found: Any = self._double
        for part in str(node.target).split("."):
            found = getattr(found, part)
        return found

    def run_steps(
        self, env: dict[fx.Node, Any], steps: Collection[fx.Node], stop: fx.Node | None = None
    ) -> Any:
        """Run the wanted steps in eval mode and return the result of ``stop``, or the output.

        Parameters
        ----------
        env
            Values that are known; those of the steps that are run are added to a copy.
        steps
            Steps to run; everything they need must be among them or known.
        stop
            The last step.
        """
        run = fx.Interpreter(self._net, graph=self._graph)
        run.env = env | self.constants
        env = run.env
        with eval_mode(self._net):
            for node in self.order:
                if node not in steps or node in env:
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


def steps_needed(goal: fx.Node, *available: fx.Node | None) -> set[fx.Node]:
    """Return the steps needed to compute ``goal`` once those ``available`` are there."""
    found: set[fx.Node] = set()
    todo = [goal]
    while todo:
        node = todo.pop()
        if node in found or node in available:
            continue
        found.add(node)
        todo.extend(node.all_input_nodes)
    return found


def check_called_once(name: str, calls: int) -> None:
    """Refuse a layer that one forward pass does not call exactly once."""
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
