"""The part of a network between two layers, with others held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import fx, nn

from circuitz.errors import LayerError
from circuitz.models.run.cut_network import HookCut
from circuitz.models.run.fx_graph import NetGraph, needed
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.restore_state import evaluating, hooked
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
        self._steps: _Steps | None = None
        self._tried = False

    def on(self, x: torch.Tensor) -> Placed:
        """Run the network on prepared inputs ``(n, ...)``, and keep what has to be kept.

        Raises
        ------
        LayerError
            If a layer does not exist, is not called exactly once, or gives no tensor.
        """
        x = self.runtime.cast(x)
        acts, _ = self.runtime.run(x, list(self.names))
        if not self._tried:
            self._tried = True
            self._steps = self._trusted(x, acts)
        return Placed(self, x, acts, self._steps)

    def _trusted(self, x: torch.Tensor, acts: dict[str, torch.Tensor]) -> _Steps | None:
        """Return the traced steps if they give what running the whole network gives."""
        source, target = (acts[name] for name in self.names[:2])
        try:
            steps = _Steps(self.runtime.module, self.names)
            fast, slow = Placed(self, x, acts, steps), Placed(self, x, acts, None)
            # Other values than those of the inputs, so that a path that was cut wrongly shows.
            other = source.roll(1, 0) + source.float().std().to(source.dtype)
            with torch.no_grad():
                right = slow.given(other)
                # Twice: what overwrites values that are kept differs the second time.
                same = all(_same(fast.given(other), right) for _ in range(2))
                same &= _same(fast.given(source), target)
        except LayerError:
            raise
        except Exception:  # tracing runs arbitrary code on stand-ins and may fail in any way
            return None
        return steps if same else None


class Placed:
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
        steps: _Steps | None,
    ) -> None:
        self._segment = segment
        self._x = x
        self._acts = acts
        self._steps = steps
        self.source, self.target = (acts[name] for name in segment.names[:2])
        self.traced = steps is not None
        self.reached = steps is None or steps.reached
        with torch.no_grad(), evaluating(segment.runtime.module):
            self._known = {} if steps is None else steps.around(x, acts, segment.names)

    def given(self, act: torch.Tensor) -> torch.Tensor:
        """Return the target's output given the source's, ``(n, ...)`` each; gradients flow."""
        if not self.reached:
            return self.target
        if self._steps is not None:
            # What follows may overwrite its input.
            return self._steps.run({self._steps.source: act.clone()} | self._known)
        source, target, *held = self._segment.names
        values = {name: self._acts[name] for name in held} | {source: act}
        net = self._segment.runtime.module
        with hooked({find_layer(net, name): _instead(value) for name, value in values.items()}):
            # The layer's own output, before anything after it overwrites that.
            return HookCut(net, target).before(self._x)


class _Steps:
    """The steps between two layers."""

    def __init__(self, net: nn.Module, names: Sequence[str]) -> None:
        own = {m: n for n, m in reversed(list(net.named_modules()))}
        # A module may be registered under two names; the graph knows it by the first.
        named = [own[find_layer(net, name)] for name in names]
        self._graph = NetGraph(net, *named)
        self.source, self.target, *self.held = (self._graph.node(name) for name in named)
        wanted = needed(self.target, self.source, *self.held)
        self._between = _after(self.source, wanted)
        self._around = wanted - self._between
        self.reached = self.target in self._between

    def around(
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
                values[node] = self._graph.run(values, {node}, node)
        needs = {parent for node in self._between for parent in node.all_input_nodes}
        return {n: values[n] for n in needs if n in values and n is not self.source}

    def run(self, known: dict[fx.Node, Any]) -> torch.Tensor:
        """Run the steps between the layers."""
        return self._graph.run(known, self._between, self.target)


def _after(source: fx.Node, among: set[fx.Node]) -> set[fx.Node]:
    """Return those steps that the source's result flows into."""
    found: set[fx.Node] = set()
    todo = [source]
    while todo:
        for user in todo.pop().users:
            if user in among and user not in found:
                found.add(user)
                todo.append(user)
    return found


def _instead(value: torch.Tensor) -> Any:
    def hook(_module: nn.Module, _args: Any, _out: Any) -> torch.Tensor:
        return value.clone()

    return hook


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    tolerance = 1e-4 if a.dtype in (torch.float32, torch.float64) else 2e-2
    return a.shape == b.shape and torch.allclose(a.float(), b.float(), tolerance, tolerance)
