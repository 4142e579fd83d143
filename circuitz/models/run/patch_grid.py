"""Which patch of a picture each position of a layer is about, found out by changing patches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks
from circuitz.z.layer import LayerSpec

if TYPE_CHECKING:
    from circuitz.models.run.runtime import Runtime

Grid = tuple[int, int, int]

# Positions that may stand before those of the patches: of the class, of distillation, registers.
_BEFORE = 16
# Patches that are changed, and grids that are tried.
_CHANGED, _GRIDS = 8, 12
# Modules whose positions are watched: the first that have as many, where nothing is mixed yet.
_WITNESSES = 3
_NO_GRID: Grid = (0, 0, 0)


class _Seen(BaseException):
    """Leaves a forward pass once the module has spoken; no ``except Exception`` may eat it."""


def find_patch_grids(
    runtime: Runtime, x: torch.Tensor, specs: Mapping[str, LayerSpec]
) -> dict[str, Grid]:
    """Return ``(first, height, width)`` of layers whose positions are patches of the picture.

    The grid is one into which the picture divides. It is tried out: a patch of the picture is
    changed, and of the first module that has as many positions the one that must be about this
    patch has to change most, for every patch that is tried.

    Parameters
    ----------
    runtime
        The network.
    x
        Prepared pictures ``(n, c, h, w)``; the first is used.
    specs
        Layers with one axis of positions.

    Returns
    -------
    Layers whose grid was established; positions from ``first`` run over it row by row.
    """
    x = runtime.cast_inputs(x[:1])
    lengths = {name: _length(spec) for name, spec in specs.items()}
    witnesses = _first_modules_with_positions(runtime, x, set(lengths.values()))
    grids: dict[int, Grid] = {}
    for length in set(lengths.values()):
        for module, axis in witnesses.get(length, []):
            grids[length] = _grid_by_trial(runtime, x, module, axis, length)
            if grids[length] != _NO_GRID:
                break
    found = {name: grids.get(length, _NO_GRID) for name, length in lengths.items()}
    return {name: grid for name, grid in found.items() if grid != _NO_GRID}


def _length(spec: LayerSpec) -> int:
    (axis,) = (*spec.spatial_axes, *spec.token_axes)
    return spec.shape[axis - 1]


def _first_modules_with_positions(
    runtime: Runtime, x: torch.Tensor, lengths: set[int]
) -> dict[int, list[tuple[nn.Module, int]]]:
    """Return the first modules that put out so many positions, and on which axis."""
    found: dict[int, list[tuple[nn.Module, int]]] = {length: [] for length in lengths}

    def note_length(module: nn.Module, _args: Any, out: Any) -> None:
        if not isinstance(out, torch.Tensor) or out.ndim != 3 or len(out) != 1:
            return
        for axis in (1, 2):
            many = found.get(out.shape[axis])
            if many is not None and len(many) < _WITNESSES and (module, axis) not in many:
                many.append((module, axis))

    hooks = dict.fromkeys(runtime.module.modules(), note_length)
    with torch.no_grad(), eval_mode(runtime.module), temporary_forward_hooks(hooks):
        runtime.module(x)
    return found


def _grid_by_trial(
    runtime: Runtime, x: torch.Tensor, module: nn.Module, axis: int, length: int
) -> Grid:
    for first, rows, columns in _likely_grids(length, int(x.shape[2]), int(x.shape[3])):
        chosen = _spread_patches(rows * columns)
        with suppress(Exception):  # what is written for one picture may refuse many
            moved = _positions_that_change_most(runtime, x, module, axis, chosen, (rows, columns))
            if moved == [first + patch for patch in chosen]:
                return first, rows, columns
    return _NO_GRID


def _likely_grids(length: int, height: int, width: int) -> list[Grid]:
    """Return grids into which a picture divides, squarest patches first, then fewest before them."""
    ranked: list[tuple[float, Grid]] = []
    for first in range(min(_BEFORE, length - 1) + 1):
        patches = length - first
        for rows in range(1, patches + 1):
            columns = patches // rows
            if rows * columns != patches or rows > height or columns > width:
                continue
            if patches < 2 or height % rows or width % columns:
                continue
            ranked.append((abs(math.log(height / rows * columns / width)), (first, rows, columns)))
    return [grid for _, grid in sorted(ranked)[:_GRIDS]]


def _spread_patches(count: int) -> list[int]:
    """Return patches all over the picture: corners, and others between them."""
    if count <= _CHANGED:
        return list(range(count))
    step = (count - 1) / (_CHANGED - 1)
    return sorted({round(i * step) for i in range(_CHANGED)})


def _positions_that_change_most(
    runtime: Runtime,
    x: torch.Tensor,
    module: nn.Module,
    axis: int,
    patches: list[int],
    grid: tuple[int, int],
) -> list[int]:
    height, width = int(x.shape[2]) // grid[0], int(x.shape[3]) // grid[1]
    changed = x.repeat(len(patches) + 1, 1, 1, 1)
    draw = torch.Generator().manual_seed(0)
    noise = torch.randn((x.shape[1], height, width), generator=draw).to(x.device, x.dtype)
    size = float(x.float().std()) or 1.0
    for i, patch in enumerate(patches):
        top, left = patch // grid[1] * height, patch % grid[1] * width
        changed[i + 1, :, top : top + height, left : left + width] += size * noise
    seen: list[torch.Tensor] = []

    def catch_output(_module: nn.Module, _args: Any, out: torch.Tensor) -> None:
        seen.append(out.clone())
        raise _Seen

    hook = temporary_forward_hooks({module: catch_output})
    with torch.no_grad(), eval_mode(runtime.module), hook, suppress(_Seen):
        runtime.module(changed)
    change = (seen[0][1:].double() - seen[0][:1].double()).square().sum(3 - axis)
    return [int(i) for i in change.argmax(1)]
