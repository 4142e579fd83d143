"""Feature visualisation: inputs optimised to activate units, many units at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from circuitz.deprecation import renamed_keywords
from circuitz.errors import UnitError
from circuitz.models.run.fold_batch_norm import make_forward_to_with_folded_norms
from circuitz.models.run.gradient_checks import (
    check_gradient_finite,
    check_gradient_reaches_input,
)
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.responses.optimised import random_views
from circuitz.responses.optimised.adam import Adam
from circuitz.responses.optimised.colour_spectrum import Spectrum
from circuitz.responses.optimised.maco import Phases
from circuitz.responses.optimised.redirect import RedirectedRelu
from circuitz.z.layer import LayerSpec

U8 = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]
Preview = Callable[[Sequence[int], U8], None]
ImageMethod = Literal["fourier", "maco"]

# A short memory and a large, falling rate reach in 32 steps what the usual .9, .999 and .05
# reach in 128 and more.
_RATE, _FALL, _MEMORY, _SQUARE_MEMORY = 0.6, 0.4, 0.5, 0.99
# Phases are angles, and large steps in them are steps at random.
_PHASE_RATE = 0.2
# Share of the steps in which positions where the unit is off are asked to turn on too, and steps
# in which a unit without any gradient is helped on, if that is more.
_ASKED = 0.6
_HELPED = 16
# Side in pixels below which a crop shows nothing any more.
_CROP = 32
_NOISE = 0.08
# How much of its activation a picture gives up for being unlike the others of its unit.
_DIVERSITY = 0.5
_PREVIEW = 8


@outside_inference_mode
@renamed_keywords(how="method")
def visualise(
    runtime: Runtime,
    spec: LayerSpec | UnitSpace,
    units: Sequence[int] | None = None,
    *,
    steps: int = 32,
    batch: int = 64,
    each: int = 1,
    negative: bool = False,
    method: ImageMethod = "fourier",
    strength: npt.NDArray[np.float32] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> U8:
    """Optimise inputs for each unit of a layer, or each direction of a basis.

    The mean of the unit's map is raised by Adam over a decorrelated spectrum, under small random
    shifts, turns and changes of size (Olah, Mordvintsev & Schubert 2017), or over phases alone,
    under random crops (Fel et al. 2023). The network runs up to the layer only. A unit's picture
    does not depend on which others are made with it, save rounding. Where a unit is off its
    rectifier gives no gradient: for the first steps a gradient that would turn it on is let
    through, the unit's own rectifier first, all of the network's only while it has none at all.

    Parameters
    ----------
    runtime, spec
        The network, and the layer or the place of a basis.
    units
        Indices; all by default.
    steps
        Steps of optimisation; 32 show what most units want, deep units of large networks and
        ``maco`` take 128 and more.
    batch
        Pictures at a time.
    each
        Pictures a unit; several are held apart by how alike the layer responds to them.
    negative
        Lower the unit instead.
    method
        ``fourier``, or ``maco``, which often looks better in deep layers.
    strength
        Of the frequencies ``maco`` holds: see :func:`circuitz.responses.optimised.maco.mean_frequency_strength`.
    seed
        Of the start and the transformations.
    progress
        Called with pictures done and pictures in all.
    preview
        Called every eight steps with indices of units and their pictures so far.

    Returns
    -------
    ``(u, H, W, 3)`` uint8 in RGB, of the network's input size; ``(u, each, H, W, 3)`` when
    ``each`` is above 1.

    Raises
    ------
    UnitError
        If an index is out of range.
    GradientError
        If the network turns gradients off before the layer, or they are not finite.
    """
    place = UnitSpace.of_layer(spec)
    size = place.spec.size
    chosen = list(range(size)) if units is None else [int(u) for u in units]
    wrong = [u for u in chosen if not 0 <= u < size]
    if wrong:
        raise UnitError(f"{place.name} has no unit {wrong[0]}.", f"Its units are 0 to {size - 1}.")
    if each < 1 or method not in ("fourier", "maco"):
        raise UnitError(
            f"{each} pictures a unit by {method!r} cannot be made.",
            "Use 1 or more, fourier or maco.",
        )
    height, width = runtime.preprocessing.size
    found = np.zeros((len(chosen), each, height, width, 3), np.uint8)
    total, many = len(chosen) * each, max(1, batch // each)
    for i in range(0, len(chosen), many):
        part = chosen[i : i + many]
        job = _OptimisedBatch(
            runtime, place, part, each, seed, method, strength, -1 if negative else 1
        )

        def report_step(
            step: int, i: int = i, part: list[int] = part, job: _OptimisedBatch = job
        ) -> None:
            if progress is not None:
                progress(each * i + each * len(part) * step // steps, total)
            if preview is not None and step % _PREVIEW == 0 and step < steps:
                preview(part, job.pictures())

        job.optimise(steps, report_step)
        found[i : i + len(part)] = job.pictures()
    if progress is not None and not steps:
        progress(total, total)
    return found[:, 0] if each == 1 else found


class _OptimisedBatch:
    """Some units of a place and the images being optimised for them."""

    def __init__(
        self,
        runtime: Runtime,
        space: UnitSpace,
        units: list[int],
        each: int,
        seed: int,
        method: ImageMethod,
        strength: npt.NDArray[np.float32] | None,
        sign: int,
    ) -> None:
        self._runtime = runtime
        self._space = space
        self._each = each
        self._sign = sign
        self._maco = method == "maco"
        self._units = torch.tensor(units, device=runtime.device).repeat_interleave(each)
        self._rows = torch.arange(len(self._units), device=runtime.device)
        self._rng = np.random.default_rng([seed, 31])
        self._size = runtime.preprocessing.size
        self._noise = torch.Generator().manual_seed(seed)
        starts = [seed * 100_003 + u + 7_919 * e for u in units for e in range(each)]
        channels = len(runtime.preprocessing.mean)
        self._images: Spectrum | Phases = (
            Phases(channels, *self._size, starts, strength, runtime.device)
            if self._maco
            else Spectrum(channels, *self._size, starts, runtime.device)
        )
        with torch.no_grad():
            x = _apply_preprocessing(runtime, self._images.images(self._rows[:2]))
        self._forward_to_layer = make_forward_to_with_folded_norms(runtime, space.layer.name, x)
        check_gradient_reaches_input(runtime.module, self._forward_to_layer, x[:1])

    def optimise(self, steps: int, report_step: Callable[[int], None]) -> None:
        """Run all steps."""
        parameter = self._images.parameter
        optimiser = Adam(
            parameter,
            _PHASE_RATE if self._maco else _RATE,
            steps=steps,
            fall=_FALL,
            memory=_MEMORY,
            square_memory=_SQUARE_MEMORY,
        )
        own, before = self._own_rectifier_and_count_before() if steps else (False, 0)
        for step in range(steps):
            how = self._random_view(step / max(1, steps - 1)).to(parameter.device)
            if own and step < _ASKED * steps:
                with RedirectedRelu(before):
                    grad = self._loss_gradient(how, self._rows)
            else:
                grad = self._loss_gradient(how, self._rows)
            if step < max(_HELPED, _ASKED * steps):
                grad = self._add_gradients_for_dead_units(grad, how, before)
            optimiser.step(grad)
            report_step(step + 1)

    def pictures(self) -> U8:
        """Return the images as they are, ``(u, each, h, w, 3)``."""
        with torch.no_grad():
            images = self._images.images()
            check_gradient_finite(images)
            made = images.mul(255).round().byte().permute(0, 2, 3, 1)
        made = made.unflatten(0, (-1, self._each)) if len(made) else made[:, None]
        return np.broadcast_to(made.cpu().numpy(), (*made.shape[:4], 3))

    def _random_view(self, share: float) -> torch.Tensor:
        if self._maco:
            least = min(0.9, max(0.05, _CROP / min(self._size)))
            most = max(0.5, min(1.0, 2 * least))
            return random_views.random_crop_matrices(self._rng, 1, most + share * (least - most))
        return random_views.random_affine_matrix(self._rng, *self._size)

    def _loss_gradient(self, view: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        # Not backward(): the network's own parameters must not collect gradients.
        return torch.autograd.grad(self._loss(view, rows), self._images.parameter)[0]

    def _add_gradients_for_dead_units(
        self, grad: torch.Tensor, view: torch.Tensor, before: int
    ) -> torch.Tensor:
        """Add redirected gradients for units that have none.

        Mostly it is the unit's own rectifier that is off, so that one is redirected first; only
        where that does not help are all.
        """
        for first in (before, 0):
            dead = torch.nonzero(grad.flatten(1).abs().amax(1) == 0)[:, 0]
            if first < 0 or not len(dead):
                break
            with RedirectedRelu(first):
                grad = grad + self._loss_gradient(view, dead)
        return grad

    def _own_rectifier_and_count_before(self) -> tuple[bool, int]:
        """Return whether the units themselves are rectified, and how many rectifiers lie before."""
        with torch.no_grad():
            x = _apply_preprocessing(self._runtime, self._images.images(self._rows[:1]))
            act = self._forward_to_layer(x)
            with RedirectedRelu() as counted:
                self._forward_to_layer(x)
        own = self._sign > 0 and self._space.basis is None and bool((act >= 0).all())
        return own, counted.rectifier_calls - 1

    def _loss(self, view: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        x = random_views.resample_images_under_view(self._images.images(rows), view)
        if self._maco:
            noise = torch.randn(x.shape[1:], generator=self._noise)
            x = x + _NOISE * noise.to(x.device)
        x = _apply_preprocessing(self._runtime, x).contiguous(memory_format=torch.channels_last)
        act = self._forward_to_layer(x)
        rise = self._sign * self._space.differentiable_map_of_each_input(
            act, self._units[rows]
        ).mean(1)
        loss = -rise.sum()
        if self._each > 1 and len(rows) == len(self._rows):
            loss = loss + (rise.detach().abs() * _DIVERSITY * self._similarity_to_others(act)).sum()
        return loss

    def _similarity_to_others(self, act: torch.Tensor) -> torch.Tensor:
        """Return how alike the layer responds to each picture and the others of its unit, ``(n,)``.

        The cosine of their Gram matrices over positions (Olah, Mordvintsev & Schubert 2017).
        """
        flat = flatten_unit_maps(self._space.layer, act).float()
        gram = torch.einsum("ndp,nep->nde", flat, flat).flatten(1)
        gram = torch.nn.functional.normalize(gram, dim=1).unflatten(0, (-1, self._each))
        alike = torch.einsum("uex,ufx->uef", gram, gram)
        others = alike.sum(2) - alike.diagonal(dim1=1, dim2=2)
        return (others / (self._each - 1)).flatten()


def _apply_preprocessing(runtime: Runtime, x: torch.Tensor) -> torch.Tensor:
    how = runtime.preprocessing
    x = x.flip(1) if how.colour == "BGR" else x
    mean = torch.tensor(how.mean, device=x.device).view(1, -1, 1, 1)
    std = torch.tensor(how.std, device=x.device).view(1, -1, 1, 1)
    return (x - mean) / std
