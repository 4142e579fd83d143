"""Units taken out in the weights: whatever the input, they put out one number.

An ablation holds only while a network is watched. Here the weights that make a unit are set to
zero and its bias to a level, so that what was cut stays cut where the network is saved, trained on
or used elsewhere. Which parameter makes a unit is not read off the architecture, but tried.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.errors import LayerError
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.runtime import Runtime
from circuitz.z.intervention import Intervention
from circuitz.z.layer import LayerSpec

# Modules next to the layer that are tried where it has no weights itself (an activation alone).
_NEXT = 4
# Biases tried, in powers of two, before the one that gives the level is looked for between them.
_POWERS = range(-8, 9)
_HALVINGS = 40
# What a constant may vary by, in steps of its own last digit: a mean of equal numbers is rounded.
_DIGITS = 4
_HINT = (
    "Train without them instead (circuitz search), or cut at a layer whose units one module makes: "
    "a convolution or linear layer, with its norm and activation."
)


def silenced_weights(
    runtime: Runtime,
    layer: LayerSpec,
    units: Sequence[int],
    level: npt.NDArray[np.float32],
    images: npt.NDArray[Any],
) -> dict[str, npt.NDArray[Any]]:
    """Return weights with which some units put out a constant, and all else is as before.

    The last module with one slice of weights a unit is tried first: the slices are set to zero, and
    biases so that the layer puts out the level, found by bisection where an activation follows. A
    trial counts when, on the images and on their pixels in random order, the units are constant
    over inputs and positions, the layer's others are as before, and so are the logits with the
    units clamped to that constant in the network as it was.

    Parameters
    ----------
    runtime
        The network; it is left as it is.
    layer
        Where the units are.
    units
        ``u`` indices along the layer's axis of units, each once.
    level
        ``(u,)`` what each is to put out. Where that cannot be had (there is no bias), the nearest
        constant is taken.
    images
        ``(n, ...)`` 8-bit images or token sequences to try the network on.

    Returns
    -------
    State dict, as :func:`circuitz.models.adapters.weight_arrays.weights_to_numpy` gives it.

    Raises
    ------
    LayerError
        If no module makes these units by itself: of a residual sum, of attention heads, or where
        weights are used twice.
    """
    named = f"{layer.name}:{units[0]}" + (f" and {len(units) - 1} more" if units[1:] else "")
    if not any(_candidate_modules(runtime.module, layer)):
        raise LayerError(
            f"{named} cannot be silenced: no module in or next to {layer.name!r} has one slice of "
            "weights for each of its units.",
            _HINT,
        )
    net = _copy_of_network(runtime, named)
    trial = _SilencingTrial(
        runtime, net, layer, units, level, _trial_inputs_with_noise(runtime, images)
    )
    best: dict[str, npt.NDArray[Any]] | None = None
    nearest, why = np.inf, ""
    for name, module, axis in _candidate_modules(net, layer):
        held = {n: p.detach().clone() for n, p in module.named_parameters(recurse=False)}
        found = trial.try_silencing_with_module(module, axis)
        if isinstance(found, str):
            why = why or f"with the weights of {name!r} at zero {found}"
        else:
            miss = float((found - trial.level).abs().max())
            if miss < nearest:
                best, nearest = weights_to_numpy(net), miss
            if miss <= trial.tolerance:
                break
        with torch.no_grad():
            for n, p in module.named_parameters(recurse=False):
                p.copy_(held[n])
    if best is None:
        raise LayerError(f"{named} cannot be silenced: {why}.", _HINT)
    return best


def can_silence_layer(runtime: Runtime, layer: LayerSpec, images: npt.NDArray[Any]) -> bool:
    """Whether some module makes a layer's units by itself, tried on the unit that varies most.

    A residual sum's units go on varying whatever weights are zero; to offer a cut there would be to
    offer what then fails.

    Parameters
    ----------
    runtime
        The network; it is left as it is.
    layer
        Where the units are.
    images
        ``(n, ...)`` a few 8-bit images or token sequences.
    """
    try:
        net = _copy_of_network(runtime, layer.name)
    except LayerError:
        return False
    acts, _ = runtime.run(x := _trial_inputs_with_noise(runtime, images), [layer.name])
    maps = flatten_unit_maps(layer, acts[layer.name])
    unit = int((maps.amax((0, 2)) - maps.amin((0, 2))).argmax())
    trial = _SilencingTrial(runtime, net, layer, [unit], np.zeros(1, np.float32), x)
    for _, module, axis in _candidate_modules(net, layer):
        own = dict(module.named_parameters(recurse=False))
        slices, bias = own["weight"].detach().movedim(axis, 0), own.get("bias")
        held = slices[unit].clone()
        slices[unit] = 0
        alone = trial.silences_its_units_alone()
        if not alone and bias is not None and len(bias) == layer.size:
            # What is padded with zeros afterwards varies from its edge on, unless it is zero too.
            kept = bias.detach()[unit].clone()
            bias.detach()[unit] = 0
            alone = trial.silences_its_units_alone()
            bias.detach()[unit] = kept
        slices[unit] = held
        if alone:
            return True
    return False


def _copy_of_network(runtime: Runtime, named: str) -> nn.Module:
    try:
        return copy.deepcopy(runtime.module)
    # What a module copies of itself is anybody's code.
    except Exception as problem:
        raise LayerError(
            f"{named} cannot be silenced: the network cannot be copied ({problem}).", _HINT
        ) from problem


def _units_are_constant(values: torch.Tensor) -> bool:
    """Whether units ``(n, u, positions)`` put out the same on all inputs, at all positions.

    But for the last digits of each unit itself: next to a large unit, a small one that still
    varies would pass for rounding.
    """
    low, high = values.amin((0, 2)), values.amax((0, 2))
    return bool((high - low <= _DIGITS * torch.finfo(values.dtype).eps * high.abs()).all())


def _candidate_modules(net: nn.Module, layer: LayerSpec) -> Iterator[tuple[str, nn.Module, int]]:
    """Modules and axes of their weights that may count the layer's units, the likeliest first."""
    whole = find_layer(net, layer.name)
    inside = list(whole.named_modules(prefix=layer.name))
    modules = list(net.named_modules())
    start = next(i for i, (_, module) in enumerate(modules) if module is whole)
    own = {module for _, module in inside}
    near = [
        i
        for i, (_, m) in enumerate(modules)
        if m not in own and _weight_axes_of_size(m, layer.size)
    ]
    near.sort(key=lambda i: abs(i - start))
    for name, module in [*reversed(inside), *(modules[i] for i in near[:_NEXT])]:
        for axis in _weight_axes_of_size(module, layer.size):
            yield name, module, axis


def _weight_axes_of_size(module: nn.Module, size: int) -> list[int]:
    """Axes of a module's own weight that are as long as the layer; transposed ones have the second."""
    weight = dict(module.named_parameters(recurse=False)).get("weight")
    if weight is None or not weight.is_floating_point():
        return []
    return [axis for axis, n in enumerate(weight.shape[:2]) if n == size]


def _trial_inputs_with_noise(runtime: Runtime, images: npt.NDArray[Any]) -> torch.Tensor:
    images = np.asarray(images)
    if runtime.preprocessing.is_tokens:
        return runtime.prepare(images)
    # A unit that is silent on all pictures at hand need not be so on others.
    noise = np.random.default_rng(0).permuted(images)
    return runtime.prepare(np.concatenate([images, noise]))


@dataclass
class _SilencingTrial:
    """The same units of a network and of its copy, whose weights are tried."""

    runtime: Runtime
    net: nn.Module
    layer: LayerSpec
    units: Sequence[int]
    level_values: npt.NDArray[np.float32]
    x: torch.Tensor

    def __post_init__(self) -> None:
        prep = self.runtime.preprocessing
        self.trial_runtime = Runtime(
            self.net, [self.layer], prep, self.runtime.device, self.runtime.head
        )
        self.original_maps, _ = self._layer_maps_and_logits(self.runtime, self.x)
        named = set(self.units)
        self.others = [u for u in range(self.layer.size) if u not in named]
        exact = self.original_maps.dtype in (torch.float32, torch.float64)
        self.relative = 1e-5 if exact else 1e-2
        self.tolerance = self.relative * float(self.original_maps.abs().max())
        self.level = torch.from_numpy(self.level_values).to(self.original_maps)

    def try_silencing_with_module(self, module: nn.Module, axis: int) -> torch.Tensor | str:
        """Return the constants ``(u,)`` that a module's weights at zero give, or why they do not."""
        own = dict(module.named_parameters(recurse=False))
        bias = own.get("bias")
        with torch.no_grad():
            own["weight"].movedim(axis, 0)[list(self.units)] = 0
        if bias is None or len(bias) != self.layer.size:
            return self._resulting_constants_or_reason()
        self._set_bias_of_units(bias, self.level)
        if self._units_vary():
            # What is padded with zeros afterwards varies from its edge on, unless it is zero too.
            self._set_bias_of_units(bias, torch.zeros_like(self.level))
        else:
            self._solve_bias_for_level(bias)
        return self._resulting_constants_or_reason()

    def _resulting_constants_or_reason(self) -> torch.Tensor | str:
        after, logits = self._layer_maps_and_logits(self.trial_runtime, self.x)
        made = after[:, list(self.units)]
        if not _units_are_constant(made):
            return "they still vary: something else goes into them"
        change = (after[:, self.others] - self.original_maps[:, self.others]).abs()
        if change.numel() and float(change.max()) > self.tolerance:
            return "other units of the layer change as well"
        constant = made[0, :, 0]
        value = tuple(float(v) for v in constant)
        clamp = Intervention(self.layer.name, tuple(self.units), "clamp", value)
        _, held = self.runtime.intervene(self.x, [clamp])
        if float((logits - held).abs().max()) > 10 * self.relative * float(held.abs().max()):
            return "the network changes elsewhere too: they are used twice, or their weights are"
        return constant

    def _solve_bias_for_level(self, bias: nn.Parameter) -> None:
        """Set the bias with which the units put out the level, or what is nearest to it."""
        if bool(((self._unit_constants() - self.level).abs() <= self.tolerance).all()):
            return
        span = max(1.0, float(self.level.abs().max()))
        steps = sorted([0.0, *(sign * span * 2.0**k for k in _POWERS for sign in (-1, 1))])
        grid = [torch.full_like(self.level, step) for step in steps]
        miss = torch.stack([self._level_error_with_bias(bias, one) for one in grid])
        # The first step over which the level is crossed; else the step that comes nearest.
        crosses = miss[:-1].sign() * miss[1:].sign() <= 0
        first = crosses.int().argmax(0)
        nearest = miss.abs().argmin(0)
        at = torch.stack(grid)
        columns = torch.arange(len(self.units), device=miss.device)
        low = torch.where(crosses.any(0), at[first, columns], at[nearest, columns])
        below = miss[first, columns].sign()
        there = ~crosses.any(0) | (below == 0)
        high = torch.where(there, low, at[first + 1, columns])
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            same = self._level_error_with_bias(bias, middle).sign() == below
            low, high = torch.where(same, middle, low), torch.where(same, high, middle)
        self._set_bias_of_units(bias, high)

    def _level_error_with_bias(self, bias: nn.Parameter, value: torch.Tensor) -> torch.Tensor:
        self._set_bias_of_units(bias, value)
        return self._unit_constants() - self.level

    def _set_bias_of_units(self, bias: nn.Parameter, value: torch.Tensor) -> None:
        with torch.no_grad():
            bias[list(self.units)] = value.to(bias)

    def silences_its_units_alone(self) -> bool:
        """Whether, with the weights as they are now, the units are constant and the others as before."""
        after, _ = self._layer_maps_and_logits(self.trial_runtime, self.x)
        change = (after[:, self.others] - self.original_maps[:, self.others]).abs()
        moved = bool(change.numel()) and float(change.max()) > self.tolerance
        return not moved and _units_are_constant(after[:, list(self.units)])

    def _units_vary(self) -> bool:
        return not _units_are_constant(
            self._layer_maps_and_logits(self.trial_runtime, self.x)[0][:, list(self.units)]
        )

    def _unit_constants(self) -> torch.Tensor:
        """Return ``(u,)`` what the units put out; one input tells, where all give the same."""
        return self._layer_maps_and_logits(self.trial_runtime, self.x[:1])[0][
            0, list(self.units), 0
        ]

    def _layer_maps_and_logits(
        self, runtime: Runtime, x: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        acts, logits = runtime.run(x, [self.layer.name])
        return flatten_unit_maps(self.layer, acts[self.layer.name]), logits
