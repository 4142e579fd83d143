"""The strongest effects of many units: all estimated in a few passes, the likely ones exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from circuitz.effects.ablation.attribution_patching import (
    first_order_attribution,
    propagated_attribution,
)
from circuitz.effects.ablation.exact_ablation import Ablation, Score, ablate_each_unit
from circuitz.errors import InputsError
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import find_unit_axes
from circuitz.patching.fast.traced_program import Program, Programs

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shortlist:
    """Effects of ablating units to zero, estimated for all and exact for some.

    Parameters
    ----------
    estimates
        ``{layer: (u, k)}`` estimated drop of each logit, the mean over inputs; of every unit.
    exact
        Exact ablations of the units most likely to matter; layers without such units have none.
    """

    estimates: Mapping[str, F32]
    exact: Mapping[str, Ablation]


def ablate_shortlist(
    runtime: Runtime,
    x: torch.Tensor,
    layers: Sequence[str] | None = None,
    *,
    share: float = 1 / 12,
    score: Score | None = None,
    batch: int = 16,
    progress: Callable[[int, int], None] | None = None,
) -> Shortlist:
    """Estimate the effect of every unit on every class, and run the largest exactly.

    Parameters
    ----------
    runtime
        The network.
    x
        Prepared inputs ``(n, ...)``.
    layers
        Names of layers; by default those of the runtime.
    share
        Share of all units that is run exactly: those with the largest estimate for any class.
    score
        As in :func:`circuitz.effects.ablation.exact_ablation.ablate_each_unit`.
    batch
        Inputs at a time while estimating.
    progress
        As in :func:`circuitz.effects.ablation.exact_ablation.ablate_each_unit`.

    Raises
    ------
    InputsError
        If there are no inputs, or the share is not in (0, 1].
    LayerError
        If a layer does not exist or has no axis of units.
    """
    if not 0 < share <= 1:
        raise InputsError(f"A share of {share} of the units cannot be run.", "Give 0 < share <= 1.")
    if not len(x):
        raise InputsError("There are no inputs to ablate on.", "Pass prepared inputs.")
    names = tuple(runtime.layers if layers is None else layers)
    programs = Programs(runtime)
    found = estimate_mean_drops(runtime, x, names, score=score, batch=batch, programs=programs)
    strength = np.concatenate([np.abs(found[name]).max(1) for name in names])
    many = max(1, round(share * len(strength)))
    likely = np.sort(np.argsort(-strength, kind="stable")[:many])
    chosen: dict[str, I64] = {}
    first = 0
    for name in names:
        size = len(found[name])
        inside = likely[(likely >= first) & (likely < first + size)] - first
        if len(inside):
            chosen[name] = inside
        first += size
    exact = ablate_each_unit(
        runtime, x, list(chosen), units=chosen, score=score, programs=programs, progress=progress
    )
    return Shortlist(found, {a.layer: a for a in exact})


def estimate_mean_drops(
    runtime: Runtime,
    x: torch.Tensor,
    layers: Sequence[str],
    *,
    score: Score | None = None,
    batch: int = 16,
    programs: Programs | None = None,
) -> dict[str, F32]:
    """Return estimated drops ``{layer: (u, k)}`` when units are ablated to zero, mean over inputs.

    Parameters
    ----------
    runtime, x, layers, score, batch
        See :func:`ablate_shortlist`.
    programs
        Traces of the network made before, to be used again.
    """
    axes = {name: one.axis for name, one in find_unit_axes(runtime, layers, x).items()}
    programs = programs or Programs(runtime)
    traced = {name: axis for name, axis in axes.items() if programs.forced_leaf_name(name) is None}
    program = programs.cached_program_or_none(next(iter(traced))) if traced else None
    total: dict[str, F32] = {}
    for i in range(0, len(x), batch):
        rows = x[i : i + batch]
        found = (
            _propagated_estimates_if_finite(program, runtime, rows, traced, score)
            if program is not None
            else {}
        )
        rest = [name for name in layers if name not in found]
        found |= first_order_attribution(runtime, rows, rest, score=score) if rest else {}
        for name, part in found.items():
            total[name] = total.get(name, np.float32(0)) + part.sum(0)
    return {name: total[name] / np.float32(len(x)) for name in layers}


def _propagated_estimates_if_finite(
    program: Program,
    runtime: Runtime,
    x: torch.Tensor,
    axes: dict[str, int],
    score: Score | None,
) -> dict[str, F32]:
    try:
        found = propagated_attribution(program, runtime, x, axes, score=score)
    except Exception:  # a step that takes its arguments in a way not foreseen
        return {}
    return found if all(np.isfinite(f).all() for f in found.values()) else {}
