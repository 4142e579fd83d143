"""A traced network ready for changes of single units, and what it puts out with nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import fx, nn
from torch.fx.node import map_arg

from circuitz.models.run.fx_graph import NetGraph
from circuitz.models.run.runtime import Runtime
from circuitz.patching.fast.baseline_check import equals_full_run
from circuitz.patching.fast.rank_one import LinearOp, batch_norm_scale_shift
from circuitz.patching.fast.traced_steps import Step, steps_of_graph


class Program:
    """A traced network made ready for changes of single units.

    Parameters
    ----------
    net
        The network, in any mode; it is not touched.
    leaf
        Name of a module that is one step, when its output is where units are changed and it is
        none of torch's own.

    Raises
    ------
    Exception
        Whatever tracing raises when the network cannot be traced.
    """

    def __init__(self, net: nn.Module, leaf: str | None = None) -> None:
        self.graph = NetGraph(net, leaf)
        self.steps = {s.node: s for s in steps_of_graph(self.graph)}
        self.reads_input = nodes_depending_on(self.graph.inputs, self.graph.order)
        # Batch norm that alone reads a convolution's output is folded into it.
        self.folded: dict[fx.Node, Step] = {}
        for step in self.steps.values():
            inner = (
                self.steps.get(step.first_argument_node)
                if step.first_argument_node is not None
                else None
            )
            if step.kind != "norm" or inner is None or not LinearOp.supports_module(inner.module):
                continue
            if len(inner.node.users) == 1 and batch_norm_scale_shift(step.module) is not None:
                self.folded[step.node] = inner
        self._linear_ops: dict[tuple[fx.Node, bool], LinearOp] = {}

    def linear_op_or_none(self, node: fx.Node, *, folded: bool) -> LinearOp | None:
        """Return the convolution or linear layer of a step, or the one folded into it."""
        step = self.folded[node] if folded else self.steps[node]
        if not LinearOp.supports_module(step.module):
            return None
        if (node, folded) not in self._linear_ops:
            norm = self.steps[node].module if folded else None
            assert step.module is not None
            self._linear_ops[node, folded] = LinearOp(step.module, norm)
        return self._linear_ops[node, folded]

    def run_baseline(self, x: torch.Tensor, layers: Sequence[str]) -> BaselineRun:
        """Run the network and keep what changes at some layers will be compared with."""
        return BaselineRun(self, x, layers)


class BaselineRun:
    """What the steps of a program put out for some inputs, with nothing changed.

    Parameters
    ----------
    program
        The network.
    x
        Prepared inputs ``(n, ...)``.
    layers
        Layers at which units will be changed; what does not depend on them is not kept.
    """

    def __init__(self, program: Program, x: torch.Tensor, layers: Sequence[str]) -> None:
        self.program = program
        self.n = len(x)
        graph = program.graph
        cuts = {graph.node_calling_module(name) for name in layers}
        reached = nodes_depending_on(list(cuts), graph.order)
        # A convolution is computed together with the batch norm after it, unless it is asked for.
        self.folded = {n: s for n, s in program.folded.items() if s.node not in cuts}
        inner = {s.node for s in self.folded.values()}
        kept = {n for node in reached for n in node.all_input_nodes} | reached | cuts
        last: dict[fx.Node, fx.Node] = {}
        for node in graph.order:
            if node not in inner:
                last.update((read, node) for read in self._nodes_read_by(node))
        self.env: dict[fx.Node, Any] = dict(graph.constants)
        # Results of convolutions and linear layers: made here, and views of nothing.
        self._sums: set[fx.Node] = set()
        if x.ndim == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        self.env[graph.inputs[0]] = x
        for node in graph.inputs[1:]:
            self.env[node] = node.args[0] if node.args else None
        for node, step in program.steps.items():
            if node in inner:
                continue
            if node not in self.env:
                read = step.first_argument_node
                # Read by nobody else: no view of it lives on either.
                spare = read is not None and len(read.users) == 1 and read not in kept
                self.env[node] = self._run_step(step, spare=spare)
            for read in self._nodes_read_by(node):
                if last.get(read) is node and read not in kept:
                    del self.env[read]
        self.output = map_arg(graph.output.args[0], self.env.__getitem__)

    def _nodes_read_by(self, node: fx.Node) -> list[fx.Node]:
        step = self.folded.get(node)
        return node.all_input_nodes if step is None else step.node.all_input_nodes

    def _run_step(self, step: Step, *, spare: bool) -> Any:
        """Run a step; the result it reads first may be overwritten where it is to spare."""
        folded = self.folded.get(step.node)
        mix = self.program.linear_op_or_none(step.node, folded=folded is not None)
        source = (folded or step).first_argument_node
        if spare and step.is_relu and source in self._sums:
            return self.env[source].relu_()
        if mix is None or source is None:
            return step.run_on_looked_up_arguments(self.env.__getitem__)
        self._sums.add(step.node)
        return mix.apply(self.env[source])

    def memory_bytes(self) -> int:
        """Return how much memory it holds."""
        tensors = [t for t in self.env.values() if isinstance(t, torch.Tensor)]
        return sum(t.numel() * t.element_size() for t in tensors)

    def repeat_result_per_change(self, node: fx.Node, b: int) -> Any:
        """Return a step's result for ``b`` changes, none of which reaches it."""
        value = self.env[node]
        if node not in self.program.reads_input:
            return value
        return _map_nested_tensors(value, lambda t: self._repeat_if_batched(t, b))

    def _repeat_if_batched(self, t: torch.Tensor, b: int) -> torch.Tensor:
        if t.ndim == 0 or t.shape[0] != self.n:
            return t
        return t.unsqueeze(0).expand(b, *t.shape).flatten(0, 1)


class Programs:
    """Traced networks, made when they are needed; ``None`` where tracing fails.

    Parameters
    ----------
    runtime
        The network; its weights must not change while this is in use.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._programs: dict[str | None, Program | None] = {}
        self.layers: Sequence[str] = ()

    def forced_leaf_name(self, layer: str) -> str | None:
        """Return what has to be made one step of the trace: ``None`` if fx takes it for one."""
        module = self._runtime.module.get_submodule(layer)
        return None if fx.Tracer().is_leaf_module(module, layer) else layer

    def cached_program_or_none(self, layer: str) -> Program | None:
        """Return the trace in which a layer is one step."""
        leaf = self.forced_leaf_name(layer)
        if leaf not in self._programs:
            try:
                self._programs[leaf] = Program(self._runtime.module, leaf)
            except Exception:  # tracing runs arbitrary code on stand-ins and may fail in any way
                self._programs[leaf] = None
        return self._programs[leaf]

    def run_baseline_for_layer(self, layer: str, x: torch.Tensor) -> BaselineRun | None:
        """Run the trace for this layer and those that share it; ``None`` if it is not the network."""
        program, leaf = self.cached_program_or_none(layer), self.forced_leaf_name(layer)
        if program is None:
            return None
        shared = [name for name in self.layers if self.forced_leaf_name(name) == leaf]
        base = program.run_baseline(x, shared)
        return base if equals_full_run(self._runtime, base.output, x) else None


def nodes_depending_on(start_nodes: Sequence[fx.Node], order: Sequence[fx.Node]) -> set[fx.Node]:
    """Return the sources and all steps that depend on them."""
    found = set(start_nodes)
    for node in order:
        if any(n in found for n in node.all_input_nodes):
            found.add(node)
    return found


def _map_nested_tensors(value: Any, change: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, tuple | list):
        made = [_map_nested_tensors(v, change) for v in value]
        return tuple(made) if isinstance(value, tuple) else made
    if isinstance(value, dict):
        return {k: _map_nested_tensors(v, change) for k, v in value.items()}
    return value
