"""The part of a network between two layers, with others held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import fx, nn

from circuitz.errors import LayerError
from circuitz.models.run.cut_network import HookCut
from circuitz.models.run.fx_graph import NetGraph, steps_needed
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks
from circuitz.models.run.runtime import Runtime


class Segment:
    """What one layer puts out when another puts out something else, the layers between held.

    Everything else that the second layer is computed from stays what it is on the inputs: its
    other parents, and paths around the layers. Where the network can be traced only what lies
    between the two layers is run; elsewhere the whole network is, by hooks. Both give the same
    numbers, which is tried on the first inputs before it is trusted.

    Parameters
    ----------
    runtime
        The network.
    source, target
        Names of the layers.
    held
        Names of layers between them that keep what they put out on the inputs.
    """

    def __init__(self, runtime: Runtime, source: str, target: str, held: Sequence[str]) -> None:
        self.runtime = runtime
        self.names = (source, target, *held)
        self._steps: _TracedSteps | None = None
        self._tried = False

    def place_on_inputs(self, x: torch.Tensor) -> PlacedSegment:
        """Run the network on prepared inputs ``(n, ...)``, and keep what has to be kept.

        Raises
        ------
        LayerError
            If a layer does not exist, is not called exactly once, or gives no tensor.
        """
        x = self.runtime.cast_inputs(x)
        acts, _ = self.runtime.run(x, list(self.names))
        if not self._tried:
            self._tried = True
            self._steps = self._traced_steps_if_correct(x, acts)
        return PlacedSegment(self, x, acts, self._steps)

    def _traced_steps_if_correct(
        self, x: torch.Tensor, acts: dict[str, torch.Tensor]
    ) -> _TracedSteps | None:
        """Return the traced steps if they give what running the whole network gives."""
        source, target = (acts[name] for name in self.names[:2])
        try:
            steps = _TracedSteps(self.runtime.module, self.names)
            fast, slow = PlacedSegment(self, x, acts, steps), PlacedSegment(self, x, acts, None)
            # Other values than those of the inputs, so that a path that was cut wrongly shows.
            other = source.roll(1, 0) + source.float().std().to(source.dtype)
            with torch.no_grad():
                right = slow.target_output_given_source(other)
                # Twice: what overwrites values that are kept differs the second time.
                same = all(
                    _nearly_equal(fast.target_output_given_source(other), right) for _ in range(2)
                )
                same &= _nearly_equal(fast.target_output_given_source(source), target)
                same &= bool(right.any() or target.any())  # zeros alone prove nothing
        except LayerError:
            raise
        except Exception:  # tracing runs arbitrary code on stand-ins and may fail in any way
            return None
        return steps if same else None


class PlacedSegment:
    """A segment on some inputs.

    Attributes
    ----------
    source, target
        What the two layers put out on the inputs, ``(n, ...)``.
    traced
        Whether only what lies between the layers is run.
    reached
        Whether the source is among what the target is computed from, the held layers aside; an
        untraced network may always be.
    """

    def __init__(
        self,
        segment: Segment,
        x: torch.Tensor,
        acts: dict[str, torch.Tensor],
        steps: _TracedSteps | None,
    ) -> None:
        self._segment = segment
        self._x = x
        self._acts = acts
        self._steps = steps
        self.source, self.target = (acts[name] for name in segment.names[:2])
        self.traced = steps is not None
        self.reached = steps is None or steps.reached
        with torch.no_grad(), eval_mode(segment.runtime.module):
            self._fixed_values = (
                {} if steps is None else steps.values_of_fixed_nodes(x, acts, segment.names)
            )

    def target_output_given_source(self, act: torch.Tensor) -> torch.Tensor:
        """Return the target's output given the source's, ``(n, ...)`` each; gradients flow."""
        if not self.reached:
            return self.target
        if self._steps is not None:
            # What follows may overwrite its input.
            return self._steps.run_to_target({self._steps.source: act.clone()} | self._fixed_values)
        source, target, *held = self._segment.names
        values = {name: self._acts[name] for name in held} | {source: act}
        net = self._segment.runtime.module
        with temporary_forward_hooks(
            {find_layer(net, name): _replacement_hook(value) for name, value in values.items()}
        ):
            # The layer's own output, before anything after it overwrites that.
            return HookCut(net, target).run_before(self._x)


class _TracedSteps:
    """The steps between two layers."""

    def __init__(self, net: nn.Module, names: Sequence[str]) -> None:
        own = {m: n for n, m in reversed(list(net.named_modules()))}
        # A module may be registered under two names; the graph knows it by the first.
        named = [own[find_layer(net, name)] for name in names]
        self._graph = NetGraph(net, *named)
        self.source, self.target, *self.held = (
            self._graph.node_calling_module(name) for name in named
        )
        wanted = steps_needed(self.target, self.source, *self.held)
        self._between = _descendants_of_node(self.source, wanted)
        self._around = wanted - self._between
        self.reached = self.target in self._between

    def values_of_fixed_nodes(
        self, x: torch.Tensor, acts: dict[str, torch.Tensor], names: Sequence[str]
    ) -> dict[fx.Node, Any]:
        """Return what else the target is computed from, as it is on the inputs."""
        values: dict[fx.Node, Any] = {self._graph.inputs[0]: x}
        for node, name in zip((self.source, *self.held), (names[0], *names[2:]), strict=True):
            values[node] = acts[name].clone()
        if not self.reached:
            return {}
        for node in self._graph.order:
            if node in self._around and node not in values and node not in self._graph.constants:
                values[node] = self._graph.run_steps(values, {node}, node)
        needs = {parent for node in self._between for parent in node.all_input_nodes}
        return {n: values[n] for n in needs if n in values and n is not self.source}

    def run_to_target(self, values: dict[fx.Node, Any]) -> torch.Tensor:
        """Run the steps between the layers."""
        return self._graph.run_steps(values, self._between, self.target)


def _descendants_of_node(source: fx.Node, among: set[fx.Node]) -> set[fx.Node]:
    """Return those steps that the source's result flows into."""
    found: set[fx.Node] = set()
    todo = [source]
    while todo:
        for user in todo.pop().users:
            if user in among and user not in found:
                found.add(user)
                todo.append(user)
    return found


def _replacement_hook(value: torch.Tensor) -> Any:
    def replacing_hook(_module: nn.Module, _args: Any, _out: Any) -> torch.Tensor:
        return value.clone()

    return replacing_hook


def _nearly_equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    tolerance = 1e-4 if a.dtype in (torch.float32, torch.float64) else 2e-2
    return a.shape == b.shape and torch.allclose(a.float(), b.float(), tolerance, tolerance)
