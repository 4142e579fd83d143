"""A network cut in two at one layer: the part before it and the part after it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import fx, nn

from circuitz.models.run.fx_graph import NetGraph, check_called_once, steps_needed
from circuitz.models.run.network_facts import translate_network_errors
from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks

if TYPE_CHECKING:
    from circuitz.models.run.runtime import Runtime


class Cut(Protocol):
    """The two halves of a network at a layer. Both run in eval mode and carry gradients."""

    needs_input: bool

    def run_before(self, x: torch.Tensor) -> torch.Tensor:
        """Return the layer's output for prepared inputs, computing nothing after it."""
        ...

    def run_after(self, act: torch.Tensor, x: torch.Tensor | None) -> Any:
        """Return the network's output given the layer's output (and inputs if it asks)."""
        ...


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
        self._graph = NetGraph(net, name)
        self._node = self._graph.node_calling_module(name)
        self._input = self._graph.inputs[0]
        self._upstream = steps_needed(self._node, None)
        self._downstream = steps_needed(self._graph.output, self._node)
        # Even where no value runs around the layer, a shape taken from the input may.
        self.needs_input = self._input in self._downstream

    def run_before(self, x: torch.Tensor) -> torch.Tensor:
        """Run the graph up to the layer."""
        return self._graph.run_steps({self._input: x}, self._upstream, self._node)

    def run_after(self, act: torch.Tensor, x: torch.Tensor | None) -> Any:
        """Run what depends on the layer, and on ``x`` where a path runs around it."""
        env: dict[fx.Node, Any] = {self._node: act}
        if x is not None:
            env[self._input] = x
        return self._graph.run_steps(env, self._downstream)


class _Stop(BaseException):
    """Leaves a forward pass once the layer has spoken; no ``except Exception`` may eat it."""


class HookCut:
    """The cut by hooks, for networks that cannot be traced: slower, the same numbers.

    Parameters
    ----------
    net, name
        The network and the dotted name of the layer.
    """

    needs_input = True

    def __init__(self, net: nn.Module, name: str) -> None:
        self._net = net
        self._name = name
        self._layer = net.get_submodule(name)

    def run_before(self, x: torch.Tensor) -> torch.Tensor:
        """Run the network and leave it as soon as the layer has been called."""
        seen: list[torch.Tensor] = []

        def catch_output(_module: nn.Module, _args: Any, out: torch.Tensor) -> None:
            seen.append(out)
            raise _Stop

        with (
            eval_mode(self._net),
            temporary_forward_hooks({self._layer: catch_output}),
            suppress(_Stop),
            translate_network_errors(x),
        ):
            self._net(x)
        check_called_once(self._name, len(seen))
        return seen[0]

    def run_after(self, act: torch.Tensor, x: torch.Tensor | None) -> Any:
        """Run the whole network with the layer's output replaced by ``act``."""
        calls = 0

        def replace_output(_module: nn.Module, _args: Any, _out: torch.Tensor) -> torch.Tensor:
            nonlocal calls
            calls += 1
            return act

        with (
            eval_mode(self._net),
            temporary_forward_hooks({self._layer: replace_output}),
            translate_network_errors(x),
        ):
            out = self._net(x)
        check_called_once(self._name, calls)
        return out


class TailCut(HookCut):
    """The cut of a network that knows how to go on: it has ``tail(name)``, or None for a layer.

    Parameters
    ----------
    net, name
        The network and the dotted name of the layer.

    Raises
    ------
    LookupError
        If the network does not know.
    """

    needs_input = False

    def __init__(self, net: nn.Module, name: str) -> None:
        super().__init__(net, name)
        tail = getattr(net, "tail", None)
        found = tail(name) if callable(tail) else None
        if not callable(found):
            raise LookupError(name)
        self._tail = found

    def run_after(self, act: torch.Tensor, x: torch.Tensor | None) -> Any:
        """Run what comes after the layer."""
        del x
        with eval_mode(self._net):
            return self._tail(act)


class CheckedCut:
    """A cut and what was found out about it."""

    def __init__(
        self,
        cut: Cut,
        bypassed: bool,
        overwrites: bool,
        shape: tuple[int, ...],
        dtype: torch.dtype,
    ) -> None:
        self.cut = cut
        self.bypassed = bypassed
        self.overwrites = overwrites
        self.shape = shape
        self.dtype = dtype


def make_checked_cut(runtime: Runtime, name: str) -> CheckedCut:
    """Cut a network at a layer, and try both halves against the whole before trusting them."""
    net = runtime.module
    x, other = runtime.random_inputs(2), runtime.random_inputs(2, seed=1)
    acts, whole = runtime.run(x, [name])
    slow = HookCut(net, name)
    cut: Cut = slow
    with torch.no_grad():
        ours, theirs = (
            runtime.to_logits(slow.run_after(acts[name].clone(), i)) for i in (x, other)
        )
        bypassed = not torch.equal(ours, theirs)
        try:
            fast = (TailCut if hasattr(net, "tail") else GraphCut)(net, name)
            head = fast.run_before(x).clone()
            tail = runtime.to_logits(fast.run_after(head.clone(), x))
            # Other values than those of noise, on which all that follows may be dead.
            moved = head.roll(1, 0) + head.float().std().to(head.dtype)
            ours, right = (runtime.to_logits(c.run_after(moved.clone(), x)) for c in (fast, slow))
            if (
                _agree_within_rounding(head, acts[name])
                and _agree_within_rounding(tail, whole)
                and _agree_within_rounding(ours, right)
                and bool(whole.any() or right.any())  # zeros alone prove nothing
            ):
                cut = fast
        # Tracing runs arbitrary code on stand-ins and may fail in any way; and what torch keeps
        # whole in a trace, such as its encoder layers, hides the layers within.
        except Exception:
            cut = slow
        act = acts[name].clone()
        version = act._version
        cut.run_after(act, x)
    return CheckedCut(cut, bypassed, act._version != version, tuple(act.shape[1:]), act.dtype)


def _agree_within_rounding(a: torch.Tensor, b: torch.Tensor) -> bool:
    tolerance = 1e-4 if a.dtype in (torch.float32, torch.float64) else 2e-2
    return a.shape == b.shape and torch.allclose(a.float(), b.float(), tolerance, tolerance)
