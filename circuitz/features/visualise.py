"""Feature visualisation: inputs optimised to activate units, many units at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from circuitz.errors import UnitError
from circuitz.features.adam import Adam
from circuitz.features.colour import Spectrum
from circuitz.features.redirect import RedirectedRelu
from circuitz.models.runtime import Runtime
from circuitz.models.specs import unit_maps
from circuitz.z.layer import LayerSpec

Progress = Callable[[int, int], None]

_RATE = 5e-2
# Steps in which a unit without any gradient is helped on: sixteen are usual, but a unit that
# needs longer would otherwise stay grey, so half of a longer run is allowed.
_HELPED = 16
# Transformations for images of 224 pixels; lengths shrink with the image.
_REFERENCE = 224
_SHIFT = 8 + 4
_SCALE = (0.9, 1.1)
_TURN = 10.0


def visualise(
    runtime: Runtime,
    spec: LayerSpec,
    units: Sequence[int] | None = None,
    *,
    steps: int = 64,
    batch: int = 64,
    seed: int = 0,
    progress: Progress | None = None,
) -> npt.NDArray[np.uint8]:
    """Optimise one input for each unit of a layer.

    The mean of the unit's map is raised by Adam over a decorrelated spectrum, under small random
    shifts, turns and changes of size (Olah, Mordvintsev & Schubert 2017). The network runs up to
    the layer only. A unit's picture does not depend on which others are made with it, save
    rounding.

    Parameters
    ----------
    runtime, spec
        The network, and the layer.
    units
        Indices; all by default.
    steps
        Steps of optimisation; 64 show what a unit of a small network wants, 512 are usual for
        deep ones.
    batch
        Units at a time.
    seed
        Of the start and the transformations.
    progress
        Called with units done and units in all.

    Returns
    -------
    ``(u, H, W, 3)`` uint8 in RGB, of the network's input size.

    Raises
    ------
    UnitError
        If an index is out of range.
    """
    chosen = list(range(spec.size)) if units is None else [int(u) for u in units]
    wrong = [u for u in chosen if not 0 <= u < spec.size]
    if wrong:
        raise UnitError(
            f"{spec.name} has no unit {wrong[0]}.", f"Its units are 0 to {spec.size - 1}."
        )
    height, width = runtime.preprocessing.size
    found = np.zeros((len(chosen), height, width, 3), np.uint8)
    for i in range(0, len(chosen), batch):
        part = chosen[i : i + batch]

        def tick(step: int, start: int = i, size: int = len(part)) -> None:
            if progress is not None:
                progress(start + size * step // steps, len(chosen))

        found[i : i + len(part)] = _Batch(runtime, spec, part, seed).optimise(steps, tick)
    if progress is not None and not steps:
        progress(len(chosen), len(chosen))
    return found


class _Batch:
    """Some units of a layer and the images being optimised for them."""

    def __init__(self, runtime: Runtime, spec: LayerSpec, units: list[int], seed: int) -> None:
        self._runtime = runtime
        self._spec = spec
        self._units = torch.tensor(units, device=runtime.device)
        self._rows = torch.arange(len(units), device=runtime.device)
        self._draw = np.random.default_rng([seed, 31])
        self._size = runtime.preprocessing.size
        starts = [seed * 100_003 + u for u in units]
        channels = len(runtime.preprocessing.mean)
        self._spectrum = Spectrum(channels, *self._size, starts, runtime.device)

    def optimise(self, steps: int, tick: Callable[[int], None]) -> npt.NDArray[np.uint8]:
        """Run all steps and return the images ``(u, h, w, 3)`` uint8."""
        spectrum = self._spectrum.parameter
        optimiser = Adam(spectrum, _RATE)
        for step in range(steps):
            how = _transformation(self._draw, *self._size).to(spectrum.device)
            grad = self._gradient(how, self._rows)
            if step < max(_HELPED, steps // 2):
                grad = self._helped(grad, how)
            optimiser.step(grad)
            tick(step + 1)
        with torch.no_grad():
            made = self._spectrum.images().mul(255).round().byte().permute(0, 2, 3, 1)
        return np.broadcast_to(made.cpu().numpy(), (*made.shape[:3], 3))

    def _gradient(self, how: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        # Not backward(): the network's own parameters must not collect gradients.
        return torch.autograd.grad(self._loss(how, rows), self._spectrum.parameter)[0]

    def _helped(self, grad: torch.Tensor, how: torch.Tensor) -> torch.Tensor:
        """Add redirected gradients for units that have none.

        Mostly it is the unit's own rectifier that is off, so that one is redirected first; only
        where that does not help are all.
        """
        last = self._rectifiers(how) - 1
        for first in (last, 0):
            dead = torch.nonzero(grad.flatten(1).abs().amax(1) == 0)[:, 0]
            if first < 0 or not len(dead):
                break
            with RedirectedRelu(first):
                grad = grad + self._gradient(how, dead)
        return grad

    def _rectifiers(self, how: torch.Tensor) -> int:
        with torch.no_grad(), RedirectedRelu() as counted:
            self._loss(how, self._rows[:1])
        return counted.seen

    def _loss(self, how: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        x = self._spectrum.images(rows)
        grid = functional.affine_grid(how.expand(len(x), 2, 3), list(x.shape), align_corners=False)
        x = functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
        x = _normalised(self._runtime, x).contiguous(memory_format=torch.channels_last)
        maps = unit_maps(self._spec, self._runtime.forward_to(self._spec.name, x)).float()
        return -maps[self._rows[: len(x)], self._units[rows]].mean(1).sum()


def _normalised(runtime: Runtime, x: torch.Tensor) -> torch.Tensor:
    how = runtime.preprocessing
    x = x.flip(1) if how.colour == "BGR" else x
    mean = torch.tensor(how.mean, device=x.device).view(1, -1, 1, 1)
    std = torch.tensor(how.std, device=x.device).view(1, -1, 1, 1)
    return (x - mean) / std


def _transformation(draw: np.random.Generator, height: int, width: int) -> torch.Tensor:
    """Return one random shift, turn and change of size as a ``(1, 2, 3)`` matrix."""
    reach = _SHIFT * max(height, width) / _REFERENCE
    dx, dy = draw.uniform(-reach, reach, 2)
    turn = math.radians(draw.uniform(-_TURN, _TURN))
    scale = draw.uniform(*_SCALE)
    c, s = math.cos(turn) / scale, math.sin(turn) / scale
    rows = [[c, -s, 2 * dx / width], [s, c, 2 * dy / height]]
    return torch.tensor([rows], dtype=torch.float32)
