"""Which patch of a picture each position of a layer is about, found out by changing patches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks
from circuitz.z.layer import LayerSpec

if TYPE_CHECKING:
    from circuitz.models.run.runtime import Runtime

Grid = tuple[int, int, int]

# Positions that may stand before those of the patches: of the class, of distillation, registers.
_BEFORE = 16
# Patches that are changed, grids that are tried, and how far from square their patches may be.
_CHANGED, _GRIDS, _ASPECT = 8, 3, 2.0
# Share of the changed patches whose position has to change most; and in a layer that has as many
# positions as one of which that is known, since what mixes patches rarely puts them in another order.
_RIGHT, _RIGHT_IN_LIKE_LAYER = 0.75, 0.375


def find_patch_grids(
    runtime: Runtime, x: torch.Tensor, specs: Mapping[str, LayerSpec]
) -> dict[str, Grid]:
    """Return ``(first, height, width)`` of layers whose positions are patches of the picture.

    The grid is one into which the picture divides. It is tried out: the middle of a patch of the
    picture is changed, and the position that must be about this patch has to change most, compared
    with what other patches change there; for three of four patches, since later layers mix them.

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
    by_length: dict[int, list[str]] = {}
    for name, spec in specs.items():
        by_length.setdefault(_length(spec), []).append(name)
    found: dict[str, Grid] = {}
    for length, names in by_length.items():
        for grid in _likely_grids(length, int(x.shape[2]), int(x.shape[3])):
            pending = {name: specs[name] for name in names if name not in found}
            if not pending:
                break
            shares = _shares_following_grid(runtime, x, pending, grid)
            if max(shares.values(), default=0.0) >= _RIGHT:
                found |= {n: grid for n, s in shares.items() if s >= _RIGHT_IN_LIKE_LAYER}
    return found


def _length(spec: LayerSpec) -> int:
    (axis,) = (*spec.spatial_axes, *spec.token_axes)
    return spec.shape[axis - 1]


def _likely_grids(length: int, height: int, width: int) -> list[Grid]:
    """Return grids into which a picture divides, squarest patches first, then fewest before them."""
    ranked: list[tuple[float, Grid]] = []
    for first in range(min(_BEFORE, length - 1) + 1):
        patches = length - first
        for rows in range(1, patches + 1):
            columns = patches // rows
            if rows * columns != patches or patches < 2 or height % rows or width % columns:
                continue
            aspect = abs(math.log(height / rows * columns / width))
            if aspect <= math.log(_ASPECT) + 1e-9:
                ranked.append((aspect, (first, rows, columns)))
    found = [grid for _, grid in sorted(ranked)[:_GRIDS]]
    # What reads a picture row by row, or column by column.
    found += [(0, height, 1)] * (length == height) + [(0, 1, width)] * (length == width)
    return found


def _spread_patches(count: int) -> list[int]:
    """Return patches all over the picture: corners, and others between them."""
    if count <= _CHANGED:
        return list(range(count))
    step = (count - 1) / (_CHANGED - 1)
    return sorted({round(i * step) for i in range(_CHANGED)})


def _shares_following_grid(
    runtime: Runtime, x: torch.Tensor, specs: Mapping[str, LayerSpec], grid: Grid
) -> dict[str, float]:
    """Return by layer for which share of the changed patches their position changes most."""
    first, rows, columns = grid
    patches = _spread_patches(rows * columns)
    try:
        outputs = _outputs_with_patches_changed(runtime, x, list(specs), patches, (rows, columns))
    except Exception:  # what is written for one picture may refuse many
        return {}
    right = torch.tensor([first + patch for patch in patches])
    found: dict[str, float] = {}
    for name, out in outputs.items():
        (axis,) = (*specs[name].spatial_axes, *specs[name].token_axes)
        change = (out[1:].double() - out[:1].double()).square().sum(3 - axis).nan_to_num()
        change = change.cpu()
        # Some positions, as that of the class, change whatever is changed: by how much more here?
        usual = change.mean(0, keepdim=True) + change.mean()
        hits = (change / usual.clamp(min=1e-300)).argmax(1) == right
        found[name] = float(hits.double().mean())
    return found


def _outputs_with_patches_changed(
    runtime: Runtime,
    x: torch.Tensor,
    names: Sequence[str],
    patches: Sequence[int],
    grid: tuple[int, int],
) -> dict[str, torch.Tensor]:
    """Return what layers put out for a picture, and for it with each patch changed."""
    height, width = int(x.shape[2]) // grid[0], int(x.shape[3]) // grid[1]
    tall, wide = max(1, height // 2), max(1, width // 2)
    draw = torch.Generator().manual_seed(0)
    noise = torch.randn((x.shape[1], tall, wide), generator=draw).to(x.device, x.dtype)
    noise = noise * 2 * (float(x.float().std()) or 1.0)
    changed = x.repeat(1 + len(patches), 1, 1, 1)
    for i, patch in enumerate(patches):
        # The middle of it: of a wrong grid that is the middle of no patch, or of another.
        top = patch // grid[1] * height + (height - tall) // 2
        left = patch % grid[1] * width + (width - wide) // 2
        changed[1 + i, :, top : top + tall, left : left + wide] += noise
    seen: dict[str, torch.Tensor] = {}
    modules = {find_layer(runtime.module, name): name for name in names}

    def catch_output(module: Any, _args: Any, out: torch.Tensor) -> None:
        seen[modules[module]] = out.clone()

    hook = temporary_forward_hooks(dict.fromkeys(modules, catch_output))
    with torch.no_grad(), eval_mode(runtime.module), hook:
        runtime.module(changed)
    return seen
