"""Edges between units of a network: how far one drives another, its other parents held.

A unit of an earlier layer takes the values it has on another input; everything else that the
later unit is computed from stays as it is, units of layers between the two included. What then
changes in the later unit is the direct effect, run exactly. With the layers between left free it
is the total effect. Both are in shares of what happens when all units of the earlier layer are
exchanged.

Where there are more units than can be run, integrated gradients along the exchange (EAP-IG on
activations, Hanna et al. 2024) say which to run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.errors import InterventionError, LayerError
from circuitz.models.run.gradient_checks import (
    check_gradient_finite,
    check_hands_gradients_on,
    gradient_losses_refused,
)
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.restore_state import temporary_forward_hooks
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.patching.interchange import Exchange, MeanResponse, count_exchangeable_parts
from circuitz.patching.segment import PlacedSegment, Segment
from circuitz.z.layer import LayerSpec

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

_BATCH = 64


@dataclass(frozen=True, eq=False)
class ResponseChanges:
    """What later units do when earlier ones take another input's values, an input.

    Parameters
    ----------
    source_units, target_units
        ``(u,)`` and ``(v,)`` indices of units of the two layers.
    change
        ``(n, u, v)`` float32: change of each target's response (its mean over positions) when one
        source is exchanged.
    whole
        ``(n, v)`` float32: when the whole source layer is.
    traced
        Whether only what lies between the layers was run.
    """

    source_units: I64
    target_units: I64
    change: F32
    whole: F32
    traced: bool


def exact_response_changes(
    runtime: Runtime,
    source: LayerSpec | UnitSpace,
    target: LayerSpec | UnitSpace,
    x: torch.Tensor,
    donors: torch.Tensor,
    *,
    held: Sequence[str] = (),
    source_units: Sequence[int] | I64 | None = None,
    target_units: Sequence[int] | I64 | None = None,
    both: bool = False,
    padding: int = -1,
    progress: Progress | None = None,
) -> ResponseChanges:
    """Exchange one unit after the other and read what the units of a later layer do.

    What one unit brings about depends on the others. With ``both`` it is the mean of what it does
    as the first to be exchanged and as the last, when all others are already: where units work in
    pairs at most these sum to the whole (they are Shapley values), while either alone does not.

    Parameters
    ----------
    runtime
        The network.
    source, target
        The two layers, or bases over them: then the units are directions, and one more part of
        the source is the rest, which its basis does not explain.
    x, donors
        Prepared inputs ``(n, ...)``, and those that lend values, row by row.
    held
        Layers between the two that stay as they are on ``x``.
    source_units, target_units
        Units of the layers; all by default.
    both
        Whether units are also exchanged last: back to ``x`` on the inputs that lend.
    padding
        Number of the token that fills up short texts: responses are means over the tokens of the
        input that is changed, as what a probe reads is. -1: over all positions.
    progress
        Called with batches of units done, and in all.

    Raises
    ------
    InterventionError
        If there are no inputs, or not as many that lend.
    LayerError
        If a layer does not exist or is not called exactly once.
    """
    before, after = UnitSpace.of_layer(source), UnitSpace.of_layer(target)
    us = _checked_unit_indices(before, source_units, count_exchangeable_parts(before))
    vs = _checked_unit_indices(after, target_units, after.spec.size)
    _check_donors_fit(x, donors)
    name = before.layer.name
    segment = Segment(runtime, name, after.layer.name, held)
    read = MeanResponse(after, vs, padding, runtime.device)
    ways = 1 + both
    tick = _progress_ticker(progress, ways * -(-len(x) // _BATCH) * len(us))
    change = np.zeros((len(x), len(us), len(vs)), np.float32)
    whole = np.zeros((len(x), len(vs)), np.float32)
    traced = True
    with torch.no_grad():
        for start in range(0, len(x), _BATCH):
            rows = slice(start, start + _BATCH)
            ends = [(x[rows], donors[rows]), (donors[rows], x[rows])][:ways]
            for (base, other), sign in zip(ends, (1, -1), strict=False):
                placed = segment.place_on_inputs(base)
                traced &= placed.traced
                act = runtime.run(other, [name])[0][name]
                swap = Exchange(before, placed.source, act)
                part, all_of_it = _response_changes_by_exchanged_unit(
                    placed, swap, us, read, base, tick
                )
                change[rows] += sign * part / ways
                whole[rows] += sign * all_of_it / ways
    return ResponseChanges(us, vs, change, whole, traced)


def _response_changes_by_exchanged_unit(
    placed: PlacedSegment,
    swap: Exchange,
    source_units: I64,
    read: MeanResponse,
    inputs: torch.Tensor,
    tick: Callable[[], None],
) -> tuple[F32, F32]:
    """Return changes ``(n, u, v)`` of one part each, and ``(n, v)`` of the whole layer."""
    before, n = read(placed.target, inputs), len(inputs)
    change = np.zeros((n, len(source_units), len(read.units)), np.float32)
    whole = np.zeros((n, len(read.units)), np.float32)
    if placed.reached:
        whole = _to_numpy(read(placed.target_output_given_source(swap.other), inputs) - before)
    # Else no way leads there, the held layers aside.
    moved = (
        swap.differing_parts()
        if whole.any()
        else np.zeros(count_exchangeable_parts(swap.place), bool)
    )
    for j, u in enumerate(source_units):
        if moved[u]:
            after = read(
                placed.target_output_given_source(swap.output_with_parts_swapped(int(u))), inputs
            )
            change[:, j] = _to_numpy(after - before)
        tick()
    return change, whole


def _progress_ticker(progress: Progress | None, total: int) -> Callable[[], None]:
    done = 0

    def report_one_more_done() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return report_one_more_done


def estimated_response_changes(
    runtime: Runtime,
    source: LayerSpec | UnitSpace,
    target: LayerSpec | UnitSpace,
    x: torch.Tensor,
    donors: torch.Tensor,
    *,
    held: Sequence[str] = (),
    target_units: Sequence[int] | I64 | None = None,
    steps: int = 5,
    padding: int = -1,
) -> F32:
    """Return estimates of the same changes by integrated gradients, ``(n, u, v)`` float32.

    The gradient of each target's response is averaged over ``steps`` points between the layer's
    output on the inputs and that on those that lend (one step: the gradient at the inputs, plain
    attribution patching), and multiplied by the difference. A backward pass a target and step
    gives all sources at once.

    Parameters
    ----------
    runtime, source, target, x, donors, held, target_units, padding
        As for :func:`exact_response_changes`.
    steps
        Points the gradient is taken at.

    Raises
    ------
    GradientError
        If the network turns gradients off between the layers, or they are not finite.
    """
    before, after = UnitSpace.of_layer(source), UnitSpace.of_layer(target)
    vs = _checked_unit_indices(after, target_units, after.spec.size)
    _check_donors_fit(x, donors)
    name = before.layer.name
    found = np.zeros((len(x), count_exchangeable_parts(before), len(vs)), np.float32)
    segment = Segment(runtime, name, after.layer.name, held)
    read = MeanResponse(after, vs, padding, runtime.device)
    places = [0.0] if steps == 1 else [(i + 0.5) / steps for i in range(steps)]
    for start in range(0, len(x), _BATCH):
        rows = slice(start, start + _BATCH)
        placed = segment.place_on_inputs(x[rows])
        other = runtime.run(donors[rows], [name])[0][name]
        if not placed.reached:
            continue
        swap = Exchange(before, placed.source, other)
        for place in places:
            at = placed.source + place * (other - placed.source)
            for j, slope in enumerate(
                _response_gradients(runtime.module, read, placed, at, x[rows])
            ):
                found[rows, :, j] += _to_numpy(swap.first_order_effects(slope)) / len(places)
    return found


def unit_mean_responses(
    runtime: Runtime,
    layer: LayerSpec | UnitSpace,
    x: torch.Tensor,
    units: Sequence[int] | I64 | None = None,
    padding: int = -1,
) -> F32:
    """Return the mean over positions (of texts: tokens) of each unit, ``(n, u)`` float32."""
    place = UnitSpace.of_layer(layer)
    read = MeanResponse(
        place, _checked_unit_indices(place, units, place.spec.size), padding, runtime.device
    )
    parts: list[F32] = []
    for start in range(0, len(x), _BATCH):
        inputs = x[start : start + _BATCH]
        act = runtime.run(inputs, [place.layer.name])[0][place.layer.name]
        parts.append(_to_numpy(read(act, inputs)))
    return np.concatenate(parts)


def _response_gradients(
    net: nn.Module,
    read: MeanResponse,
    placed: PlacedSegment,
    act: torch.Tensor,
    inputs: torch.Tensor,
) -> list[torch.Tensor]:
    act = act.detach().requires_grad_(True)
    with gradient_losses_refused(net):
        sums = read(placed.target_output_given_source(act), inputs).sum(0)
        check_hands_gradients_on(sums)
        slope = partial(torch.autograd.grad, inputs=act, retain_graph=True, materialize_grads=True)
        found = [slope(one)[0] for one in sums]
    for one in found:
        check_gradient_finite(one)
    return found


def layers_in_call_order(runtime: Runtime, layers: Sequence[str], x: torch.Tensor) -> list[str]:
    """Return layers in the order in which they are done when the network runs.

    Raises
    ------
    LayerError
        If one does not exist or is not called exactly once.
    """
    done: list[str] = []
    modules = {find_layer(runtime.module, name): name for name in layers}
    with (
        torch.no_grad(),
        temporary_forward_hooks({m: lambda m, _a, _o: done.append(modules[m]) for m in modules}),
    ):
        runtime.forward(x[:1])
    odd = [name for name in layers if done.count(name) != 1]
    if odd:
        raise LayerError(
            f"Layer {odd[0]!r} is called {done.count(odd[0])} times in one forward pass.",
            "Choose modules that forward() calls exactly once, each under one name.",
        )
    return done


def _to_numpy(values: torch.Tensor) -> F32:
    return values.detach().float().cpu().numpy()


def _checked_unit_indices(place: UnitSpace, indices: Sequence[int] | I64 | None, size: int) -> I64:
    units = np.arange(size) if indices is None else np.asarray(indices, np.int64).ravel()
    bad = units[(units < 0) | (units >= size)]
    if len(bad):
        raise InterventionError(
            f"{place.name!r} has no unit {bad[0]}.", f"It has {size}, counted from 0."
        )
    return units


def _check_donors_fit(x: torch.Tensor, donors: torch.Tensor) -> None:
    if not len(x) or x.shape != donors.shape:
        raise InterventionError(
            f"There are inputs {tuple(x.shape)} and {tuple(donors.shape)} that lend.",
            "Give one or more, and as many that lend, of the same size.",
        )
