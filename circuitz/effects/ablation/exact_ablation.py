"""What each unit by itself adds to every class: exact ablation of all units of any layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from circuitz.effects.ablation.logit_score import LogitScore, Score
from circuitz.effects.ablation.shortcut_trial import (
    ShortcutTrial,
    change_sizes,
    outputs_with_each_unit_replaced,
    repeat_inputs,
)
from circuitz.errors import UnitError
from circuitz.models.run.restore_state import eval_mode
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import find_unit_axes
from circuitz.patching.baselines import (
    Fill,
    check_ablation_inputs,
    mean_layer_outputs,
    replacement_outputs_by_layer,
)
from circuitz.patching.fast.propagate import LayerChange
from circuitz.patching.fast.traced_program import BaselineRun, Program, Programs

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

# Bytes of one batch of patched activations where the network is resumed as it is.
_BYTES = 16 * 2**20
_HELD = 256 * 2**20  # bytes of what is kept of the inputs that are ablated together
# Bytes kept of an input for each of its own, as a rule: a ResNet-18 keeps 60, a small CNN less. A
# VGG-16 keeps 190, and then holds three times as much as is meant.
_GROWTH = 64


@dataclass(frozen=True, eq=False)
class Ablation:
    """Effects of the units of one layer, each ablated by itself.

    Parameters
    ----------
    layer
        Its name.
    units
        ``(u,)`` units that were ablated.
    drop
        ``(n, u, k)`` float32: logit of each class before, less after, an input; or what ``score``
        made of the logits. Positive: the unit speaks for the class.
    method
        ``propagated``: only what changes was computed. ``resumed``: all that is downstream was.
    """

    layer: str
    units: I64
    drop: F32
    method: Literal["propagated", "resumed"]


def ablate_each_unit(
    runtime: Runtime,
    x: torch.Tensor,
    layers: Sequence[str] | None = None,
    *,
    fill: Fill = "zero",
    donors: torch.Tensor | None = None,
    units: Mapping[str, I64] | None = None,
    score: Score | None = None,
    batch: int | None = None,
    shortcut: bool = True,
    programs: Programs | None = None,
    progress: Progress | None = None,
) -> Iterator[Ablation]:
    """Ablate every unit of some layers, one at a time, and read all logits.

    Exact. A change of one unit changes the sums in the next convolution or linear layer by
    that unit's share alone, which is computed as a rank-one update; from there on the network is
    resumed, many units in one batch. Where a network cannot be traced, or the shortcut does not
    give the same numbers as running the network, it is resumed from the layer as it is. So is one
    that carries hooks itself, or whose ``forward`` was replaced: both count.

    Parameters
    ----------
    runtime
        The network.
    x
        Prepared inputs ``(n, ...)``.
    layers
        Names of layers; by default those of the runtime.
    fill
        What a unit becomes: ``zero``; the ``mean`` over ``x`` of what it is at each position;
        or what it is on another input (``resample``).
    donors
        Prepared inputs ``(n, ...)`` that lend values, for ``resample``.
    units
        Units of each layer to ablate; by default all.
    score
        What is read of logits ``(n, k)``, as ``(n, m)``: the margin of some classes, say. By
        default the logits themselves.
    batch
        Inputs at a time; by default as many, up to 64, as fit into memory.
    shortcut
        Whether to take the shortcut; off to compare with the plain way.
    programs
        Traces of the network made before, to be used again.
    progress
        Called with units done and units in all, inputs counted in batches.

    Yields
    ------
    Effects of a layer, in the order of ``layers``.

    Raises
    ------
    LayerError
        If a layer does not exist, is not called exactly once, or has no axis of units.
    UnitError
        If a unit does not exist.
    InputsError
        If there are no inputs, or donors do not fit them.
    NetworkError
        If the network fails on the inputs.
    """
    names = tuple(runtime.layers if layers is None else layers)
    check_ablation_inputs(x, fill, donors)
    acts, logits = runtime.run(x[:1], names)
    axes = {name: one.axis for name, one in find_unit_axes(runtime, names, x).items()}
    chosen = {
        n: _checked_unit_indices(n, acts[n].shape[axes[n]], (units or {}).get(n)) for n in names
    }
    if shortcut:
        programs = programs or Programs(runtime)
        programs.layers = names
    else:
        programs = None
    batch = batch or _batch_size_fitting_memory(acts, programs, runtime.cast_inputs(x[:1]), len(x))
    average = mean_layer_outputs(runtime, x, names, batch) if fill == "mean" else None
    total = sum(map(len, chosen.values())) * -(-len(x) // batch)
    tick = _ProgressCounter(total, progress)
    read = LogitScore(runtime, score)
    many = read.score_logits(logits).shape[1]
    drops = {n: np.zeros((len(x), len(chosen[n]), many), np.float32) for n in names}
    resumed: set[str] = set()
    with torch.no_grad(), eval_mode(runtime.module):
        for i in range(0, len(x), batch):
            rows = slice(i, i + batch)
            given = runtime.cast_inputs(x[rows])
            lent = replacement_outputs_by_layer(
                runtime, names, given, None if donors is None else donors[rows], average
            )
            job = _BatchAblation(runtime, given, programs, read)
            for name in names:
                drops[name][rows], fast = job.ablate_layer(
                    name, axes[name], chosen[name], lent.get(name), tick
                )
                if not fast:
                    resumed.add(name)
    for name in names:
        how: Literal["propagated", "resumed"] = "resumed" if name in resumed else "propagated"
        yield Ablation(name, chosen[name], drops.pop(name), how)


def _batch_size_fitting_memory(
    acts: Mapping[str, torch.Tensor], programs: Programs | None, x: torch.Tensor, many: int
) -> int:
    """Return how many inputs at a time leave room for what has to be kept of them.

    Of inputs so small that networks rarely keep more, that is not tried out: they go together.
    """
    many = min(64, many)
    if many * x.numel() * x.element_size() * _GROWTH <= _HELD:
        return many
    held = max(a.numel() * a.element_size() for a in acts.values())
    with torch.no_grad(), suppress(Exception):  # what cannot be traced is not kept either
        firsts = (
            {programs.forced_leaf_name(name): name for name in acts} if programs is not None else {}
        )
        for name in firsts.values():
            base = programs.run_baseline_for_layer(name, x) if programs is not None else None
            held = max(held, 0 if base is None else base.memory_bytes())
    return max(1, min(64, _HELD // max(1, held)))


class _BatchAblation:
    """Some inputs, ablated layer by layer."""

    def __init__(
        self,
        runtime: Runtime,
        x: torch.Tensor,
        programs: Programs | None,
        read: LogitScore,
    ) -> None:
        self._runtime = runtime
        self._read = read
        self._x = x
        self._programs = programs
        self._bases: dict[Program, BaselineRun | None] = {}

    def ablate_layer(
        self,
        layer: str,
        axis: int,
        units: I64,
        donor_values: torch.Tensor | None,
        tick: _ProgressCounter,
    ) -> tuple[F32, bool]:
        """Return ``(n, u, k)`` and whether the shortcut was taken."""
        which = torch.from_numpy(units).to(self._x.device)
        try:
            change = self._layer_change_or_none(layer, axis)
            found = (
                None
                if change is None
                else self._drops_by_propagating(change, which, donor_values, tick, layer)
            )
        except Exception:  # a step that takes its arguments in a way not foreseen
            found = None  # what is wrong with the layer itself, the plain way says
        if found is not None:
            return found, True
        return self._drops_by_resuming(layer, axis, which, donor_values, tick).cpu().numpy(), False

    def _layer_change_or_none(self, layer: str, axis: int) -> LayerChange | None:
        program = (
            self._programs.cached_program_or_none(layer) if self._programs is not None else None
        )
        if program is None or self._programs is None:
            return None
        if program not in self._bases:
            self._bases[program] = self._programs.run_baseline_for_layer(layer, self._x)
        base = self._bases[program]
        return None if base is None else LayerChange(base, layer, axis)

    def _drops_by_propagating(
        self,
        change: LayerChange,
        units: torch.Tensor,
        donor_values: torch.Tensor | None,
        tick: _ProgressCounter,
        layer: str,
    ) -> F32 | None:
        n = len(self._x)
        before = self._read(change.base.output)
        spread = change.propagate_locally(units, donor_values)
        sizes = change_sizes(change.base.env[change.node], change.axis, units, donor_values)
        stays = ~spread.nonzero_change_mask()
        # The largest first: on those the shortcut is tried.
        moved = (~stays).nonzero()[:, 0]
        moved = moved[sizes.amax(0)[moved].argsort(descending=True, stable=True)]
        drop = before.new_zeros((len(units), n, before.shape[1]))
        tick(len(units) - len(moved))
        trial = ShortcutTrial(
            self._runtime, self._read, self._x, layer, change.axis, units, donor_values, sizes
        )
        trusted = not bool(sizes.any())  # what is replaced by itself changes nothing
        size = spread.max_changes_per_batch()
        for i in range(0, len(moved), size):
            which = moved[i : i + size]
            out = self._read(spread.network_outputs_for_changes(which))
            drop[which] = before - out.unflatten(0, (len(which), n))
            stays[which] = True
            if not trusted:
                found = trial.agrees(drop, stays.nonzero()[:, 0])
                if found is False:
                    return None
                trusted = found is True
            tick(len(which))
        if not trusted and (len(moved) or not trial.agrees(drop, stays.nonzero()[:, 0])):
            return None
        return drop.transpose(0, 1).cpu().numpy()

    def _drops_by_resuming(
        self,
        layer: str,
        axis: int,
        units: torch.Tensor,
        donor_values: torch.Tensor | None,
        tick: _ProgressCounter,
    ) -> torch.Tensor:
        n = len(self._x)
        acts, logits = self._runtime.run(self._x, [layer])
        before = self._read.score_logits(logits)
        act = acts[layer]
        size = max(1, _BYTES // max(1, act.numel() * act.element_size()))
        parts: list[torch.Tensor] = []
        for i in range(0, len(units), size):
            some = units[i : i + size]
            patched = outputs_with_each_unit_replaced(act, axis, some, donor_values)
            after = self._read.score_logits(
                self._runtime.resume(layer, patched, repeat_inputs(self._x, len(some)))
            )
            parts.append(before - after.unflatten(0, (len(some), n)))
            tick(len(some))
        if not parts:
            return before.new_zeros((n, 0, before.shape[1]))
        return torch.cat(parts).transpose(0, 1)


class _ProgressCounter:
    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def __call__(self, more: int) -> None:
        self._done += more
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total)


def _checked_unit_indices(layer: str, size: int, indices: I64 | None) -> I64:
    if indices is None:
        return np.arange(size)
    units = np.asarray(indices, np.int64).reshape(-1)
    bad = units[(units < 0) | (units >= size)]
    if len(bad):
        raise UnitError(f"{layer}:{bad[0]} does not exist.", f"{layer} has units 0 to {size - 1}.")
    return units
