"""The part of a network up to a layer, made for being run many times over: batch norm folded away."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from circuitz.models.run.fx_graph import LeafTracer, copy_sharing_weights
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.runtime import Runtime

ForwardTo = Callable[[torch.Tensor], torch.Tensor]


def make_forward_to_with_folded_norms(runtime: Runtime, layer: str, x: torch.Tensor) -> ForwardTo:
    """Return what :meth:`Runtime.forward_to` does, with batch norms folded into convolutions.

    In eval mode a batch norm is a scale and a shift of each channel, which the convolution before
    it can do at no cost; a tenth of the time of a ResNet goes into them. The network must not be
    trained while the result is in use.

    Parameters
    ----------
    runtime, layer
        The network, and the layer.
    x
        Prepared inputs it is tried on: where the outputs are not the same but for rounding, or the
        network cannot be traced, the plain way is returned.
    """

    def forward_unfolded(inputs: torch.Tensor) -> torch.Tensor:
        return runtime.forward_to(layer, inputs)

    with torch.no_grad():
        known = forward_unfolded(x).clone()
        try:
            short = _trace_to_layer_with_folded_norms(
                runtime.module, find_layer(runtime.module, layer)
            )
            # Twice: what overwrites values that are kept differs the second time.
            right = all(_agree_within_rounding(short(x), known) for _ in range(2))
        except Exception:  # tracing runs arbitrary code on stand-ins and may fail in any way
            right = False
            short = forward_unfolded
    return short if right else forward_unfolded


def _trace_to_layer_with_folded_norms(net: nn.Module, layer: nn.Module) -> fx.GraphModule:
    double = copy_sharing_weights(net)
    name = next(n for n, m in net.named_modules() if m is layer)
    graph = LeafTracer().trace(double)
    end = next(n for n in graph.nodes if n.op == "output")
    end.args = ([n for n in graph.nodes if _is_within_module(n, name)][-1],)
    made = fx.GraphModule(double, graph)
    graph = made.graph
    graph.eliminate_dead_code()
    for node in list(graph.nodes):
        before = node.args[0] if node.args else None
        norm = _module_called_by_node(made, node)
        conv = _module_called_by_node(made, before) if isinstance(before, fx.Node) else None
        if isinstance(norm, nn.BatchNorm2d) and isinstance(conv, nn.Conv2d):
            assert isinstance(before, fx.Node)
            calls = [n for n in graph.nodes if n.op == "call_module" and n.target == before.target]
            # Its output is read elsewhere too, or it is called twice: then it stays as it is.
            if len(before.users) > 1 or len(calls) > 1 or not norm.track_running_stats:
                continue
            # The sum as the images lie in memory; and nobody trains what is a copy.
            both = fuse_conv_bn_eval(conv, norm).requires_grad_(False)
            both.weight.data = both.weight.data.contiguous(memory_format=torch.channels_last)
            parent, _, last = str(before.target).rpartition(".")
            setattr(made.get_submodule(parent), last, both)
            node.replace_all_uses_with(before)
            graph.erase_node(node)
    made.recompile()
    return made


def _module_called_by_node(graph_module: nn.Module, node: fx.Node) -> nn.Module | None:
    return graph_module.get_submodule(str(node.target)) if node.op == "call_module" else None


def _is_within_module(node: fx.Node, name: str) -> bool:
    """Whether a step is done within a module, by its name in the network."""
    stack = node.meta.get("nn_module_stack") or {}
    return name in stack or any(path == name for path, _ in stack.values())


def _agree_within_rounding(a: torch.Tensor, b: torch.Tensor) -> bool:
    tolerance = 1e-4 if a.dtype in (torch.float32, torch.float64) else 2e-2
    return a.shape == b.shape and torch.allclose(a.float(), b.float(), tolerance, tolerance)
