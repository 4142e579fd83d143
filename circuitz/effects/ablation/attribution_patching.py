"""What each unit by itself would add to every class, estimated in a few passes.

Attribution patching (Nanda 2023, Syed et al. 2023): effect of a change ≈ change × gradient. Where
a network can be traced the change is not taken at the unit but followed, exactly, through the
first step to which it spreads and the bends up to the next; the gradient is taken there. That
costs a rank-one update a unit and leaves less to be assumed linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.effects.ablation.logit_score import LogitScore, Score
from circuitz.errors import NetworkError
from circuitz.models.run.gradient_checks import (
    check_gradient_finite,
    check_hands_gradients_on,
    gradient_losses_refused,
)
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import unit_axis
from circuitz.patching.fast.baseline_check import equals_full_run
from circuitz.patching.fast.propagate import LayerChange
from circuitz.patching.fast.traced_program import BaselineRun, Program
from circuitz.patching.fast.unit_slice import UnitSlice

F32 = npt.NDArray[np.float32]


def first_order_attribution(
    runtime: Runtime,
    x: torch.Tensor,
    layers: Sequence[str],
    *,
    steps: int = 1,
    score: Score | None = None,
) -> dict[str, F32]:
    """Return first-order estimates of what ablating each unit to zero takes from each logit.

    Any network; hooks, no graph.

    Parameters
    ----------
    runtime
        The network.
    x
        Prepared inputs ``(n, ...)``.
    layers
        Names of layers.
    steps
        1: activation × gradient, one pass for all layers. More: the gradient is averaged over
        that many points between the layer's output and zero, a pass a layer and point
        (EAP-IG-activations, Hanna et al. 2024).
    score
        As in :func:`circuitz.effects.ablation.exact_ablation.ablate_each_unit`.

    Returns
    -------
    ``{layer: (n, u, k)}`` float32, to compare with the drops of
    :func:`circuitz.effects.ablation.exact_ablation.ablate_each_unit`.
    """
    x = runtime.cast_inputs(x)
    found: dict[str, F32] = {}
    groups = [list(layers)] if steps == 1 else [[name] for name in layers]
    for names in groups:
        total: dict[str, torch.Tensor] = {}
        for i in range(steps):
            share = 1.0 if steps == 1 else (i + 0.5) / steps
            for name, part in _activation_gradient_products(
                runtime, x, names, share, LogitScore(runtime, score)
            ).items():
                total[name] = total[name] + part if name in total else part
        found |= {name: (t / steps).float().cpu().numpy() for name, t in total.items()}
    return {name: found[name] for name in layers}


def _activation_gradient_products(
    runtime: Runtime, x: torch.Tensor, names: Sequence[str], share: float, read: LogitScore
) -> dict[str, torch.Tensor]:
    """Return output × gradient ``(n, u, k)``, the gradient taken at a share of the output."""
    modules = {find_layer(runtime.module, name): name for name in names}
    seen: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}

    def scale_and_capture_output(module: nn.Module, _args: Any, out: torch.Tensor) -> torch.Tensor:
        # A leaf of its own where it is scaled; a plain one where all layers share the pass.
        scaled = out if share == 1.0 else (out * share).detach()
        scaled = scaled if scaled.requires_grad else scaled.requires_grad_()
        seen[modules[module]] = (out.detach().clone(), scaled)
        # What follows may overwrite its input.
        return scaled.clone()

    with (
        gradient_losses_refused(runtime.module),
        eval_mode(runtime.module),
        temporary_forward_hooks(dict.fromkeys(modules, scale_and_capture_output)),
    ):
        logits = read(runtime.module(x))
    check_hands_gradients_on(logits)
    points = [seen[name][1] for name in names]
    parts: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for k in range(logits.shape[1]):
        grads = torch.autograd.grad(
            logits[:, k].sum(), points, retain_graph=True, materialize_grads=True, allow_unused=True
        )
        for name, grad in zip(names, grads, strict=True):
            check_gradient_finite(grad)
            act = seen[name][0]
            axis = unit_axis(runtime, name)
            product = (act * grad).movedim(axis, 1)
            parts[name].append(product.flatten(2).sum(2) if product.ndim > 2 else product)
    return {name: torch.stack(p, 2) for name, p in parts.items()}


def propagated_attribution(
    program: Program,
    runtime: Runtime,
    x: torch.Tensor,
    axes: dict[str, int],
    *,
    score: Score | None = None,
) -> dict[str, F32]:
    """Return estimates of the drops when units are ablated to zero, better than first order.

    Parameters
    ----------
    program
        The traced network.
    runtime
        The same.
    x
        Prepared inputs ``(n, ...)``.
    axes
        Axis of units of each layer, which all are steps of the program.
    score
        As in :func:`circuitz.effects.ablation.exact_ablation.ablate_each_unit`.

    Returns
    -------
    ``{layer: (n, u, k)}`` float32.

    Raises
    ------
    NetworkError
        If the trace does not put out what the network does.
    """
    with torch.enable_grad(), eval_mode(runtime.module):
        given = runtime.cast_inputs(x).detach().requires_grad_()
        base = program.run_baseline(given, list(axes))
        if not equals_full_run(runtime, base.output, given):
            raise NetworkError("The trace of the network does not put out what the network does.")
        logits = LogitScore(runtime, score)(base.output)
    with torch.no_grad():
        spread = {
            n: LayerChange(base, n, axis).propagate_locally(_all_unit_indices(base, n, axis), None)
            for n, axis in axes.items()
        }
    nodes = list(
        dict.fromkeys(n for s in spread.values() for n in s.steps_before_second_spread.nodes)
    )
    grads: list[list[torch.Tensor]] = [[] for _ in nodes]
    for k in range(logits.shape[1]):
        for into, grad in zip(
            grads,
            torch.autograd.grad(
                logits[:, k].sum(), [base.env[n] for n in nodes],
                retain_graph=True, materialize_grads=True, allow_unused=True,
            ),
            strict=True,
        ):  # fmt: skip
            into.append(grad)
    slopes = {n: torch.stack(g) for n, g in zip(nodes, grads, strict=True)}
    found: dict[str, F32] = {}
    with torch.no_grad():
        for name, some in spread.items():
            size, parts = some.max_changes_per_batch(), []
            for i in range(0, len(some.units), size):
                which = torch.arange(i, min(i + size, len(some.units)))
                total: Any = 0
                for node, value in some.results_before_second_spread(
                    which, some.steps_before_second_spread
                ).items():
                    total = total + _change_times_slope(
                        value, base.env[node], slopes[node], len(which)
                    )
                parts.append(-total)
            found[name] = torch.cat(parts, 1).float().cpu().numpy()
    return found


def _all_unit_indices(base: BaselineRun, name: str, axis: int) -> torch.Tensor:
    act = base.env[base.program.graph.node_calling_module(name)]
    return torch.arange(act.shape[axis], device=act.device)


def _change_times_slope(
    value: Any, without: torch.Tensor, slopes: torch.Tensor, b: int
) -> torch.Tensor:
    """Return change × slope ``(n, b, k)`` of a result; slopes are ``(k, n, ...)``."""
    k, n = slopes.shape[:2]
    if isinstance(value, UnitSlice):
        change = value.difference_from(without).reshape(b, n, -1)
        taken = torch.stack([value.unit_values_in(s).reshape(b, n, -1) for s in slopes])
        return torch.einsum("bnp,kbnp->nbk", change, taken)
    change = value.unflatten(0, (b, n)) - without
    # In the order it lies in memory, so that nothing is copied.
    order = (0, 1, 3, 4, 2) if change.ndim == 5 else tuple(range(change.ndim))
    change = change.permute(order).reshape(b, n, -1).transpose(0, 1)
    flat = slopes.permute(order).reshape(k, n, -1).permute(1, 2, 0)
    return torch.bmm(change, flat)
