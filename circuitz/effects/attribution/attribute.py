"""Which parts of an input, or which units, a class or a unit owes its value to: through captum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from circuitz.errors import InputsError, LayerError, UnitError
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.gradient_checks import (
    check_gradient_finite,
    check_gradient_reaches_input,
    gradient_losses_refused,
    gradient_of,
)
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.picture_maps import fold_onto_picture, picture_map_shape
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.z.check_z import check_annotated_model
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Method = Literal["integrated-gradients", "gradient", "occlusion", "grad-cam", "conductance"]

_TOGETHER = 64
_BLUE, _RED = np.array([40, 90, 220]), np.array([220, 40, 30])


@dataclass(frozen=True, eq=False)
class Attribution:
    """What the target owes to each part of some inputs.

    Parameters
    ----------
    values
        ``(n, h, w)`` float32 over the network's input, channels summed; positive raises the
        target. Of a layer of patches without what its other tokens are owed; all the same where it
        is not known where in a picture the layer's positions lie.
    units
        ``(n, u)`` float32 what it owes to each unit of the layer, positions summed; only of
        ``conductance``, and of ``grad-cam`` the weight of each unit.
    target, method, layer
        What was asked.
    images
        ``(n, h, w, c)`` uint8 the inputs, at the network's size.
    """

    values: F32
    units: F32 | None
    target: str
    method: str
    layer: str
    images: U8

    def pictures(self, only: Literal["", "raises", "lowers"] = "") -> U8:
        """Draw attributions over the inputs: red raises, blue lowers; ``(n, h, w, 3)`` uint8.

        Full colour is the 99th percentile of the sizes in each picture, also when only what
        raises or only what lowers is drawn.
        """
        base = self.images.astype(np.float64)
        grey = 255 - 0.6 * (255 - base.mean(3, keepdims=True).repeat(3, 3))
        size = np.abs(self.values)
        top = np.percentile(size.reshape(len(size), -1), 99, axis=1)[:, None, None]
        drawn = {"": size, "raises": self.values.clip(min=0), "lowers": -self.values.clip(max=0)}
        share = np.clip(drawn[only] / np.maximum(top, 1e-12), 0, 1)[..., None]
        colour = np.where(self.values[..., None] > 0, _RED, _BLUE)
        return np.round(grey * (1 - share) + colour * share).astype(np.uint8)


@outside_inference_mode
def attribute(
    z: AnnotatedModel,
    images: U8 | Sequence[int],
    target: str | Unit,
    method: Method = "integrated-gradients",
    *,
    layer: str = "",
    baseline: U8 | None = None,
    steps: int = 32,
    window: int = 0,
) -> Attribution:
    """Attribute a class or a unit to the parts of some inputs.

    Parameters
    ----------
    z
        Annotated model.
    images
        ``(n, h, w, c)`` uint8, or indices into its concept set.
    target
        A class, ``output:husky``: its logit. Or a unit, ``conv4:17`` or ``conv4@nmf:5``: its
        mean over positions; the network then runs up to its layer only.
    method
        ``integrated-gradients`` (Sundararajan, Taly & Yan 2017) and ``gradient`` over the input;
        ``occlusion``, what changes when a window is hidden (Zeiler & Fergus 2014); of classes
        also ``grad-cam`` (Selvaraju et al. 2017) and ``conductance`` (Dhamdhere, Sundararajan &
        Yan 2019) at a layer.
    layer
        For the last two; the cut by default.
    baseline
        ``(h, w, c)`` uint8 an input that shows nothing; by default the preprocessing's mean.
    steps
        Of the integral.
    window
        Side of what is hidden, in pixels; an eighth of the input by default. It moves by half.

    Raises
    ------
    InputsError
        If images, baseline or method cannot be used.
    UnitError
        If there is no such class or unit.
    LayerError
        If there is no such layer, or it has no maps.
    GradientError
        If the network turns gradients off where they are needed, or they are not finite.
    """
    check_annotated_model(z)
    if method not in get_args(Method) or steps < 1:
        raise InputsError(
            f"There is no attribution by {method!r} in {steps} steps.",
            f"Use one of {', '.join(get_args(Method))}.",
        )
    if z.preprocessing.is_tokens:
        raise InputsError(
            "Token sequences have no parts to attribute to.", "Look at attention, or patch."
        )
    run = runtime(z)
    x = run.prepare(_resolve_images(z, images))
    if not len(x):
        raise InputsError("There are no images to attribute to.", "Give at least one.")
    start = torch.zeros_like(x[:1]) if baseline is None else run.prepare(np.asarray(baseline)[None])
    shown = _prepared_inputs_to_8bit_images(run, x)
    name = str(target)
    if method in ("grad-cam", "conductance"):
        if name not in z.classes and ":" in name and not Unit.parse(target).is_output:
            raise UnitError(
                f"{method} is of classes: what the units of a layer hand on to a logit. {name} is "
                "a unit.",
                "Take integrated-gradients, gradient or occlusion for a unit, or name a class: "
                f"output:{z.classes[0]}.",
            )
        place = _unit_space_of_layer(z, layer)
        values, units = _attribute_to_layer(
            run, place, x, start, _class_index(z, target), method, steps
        )
        return Attribution(values, units, name, method, place.name, shown)
    function = _target_response_function(z, run, target)
    if method != "occlusion":
        for inputs in (x[:1], start):
            check_gradient_reaches_input(run.module, function, inputs)
    found = _attribute_to_input(
        function, x, start, method, steps, window or max(1, min(x.shape[2:]) // 8)
    )
    check_gradient_finite(found)
    return Attribution(found.sum(1).detach().float().cpu().numpy(), None, name, method, "", shown)


def _attribute_to_input(
    function: Callable[[torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    start: torch.Tensor,
    method: str,
    steps: int,
    window: int,
) -> torch.Tensor:
    from captum.attr import (  # noqa: PLC0415 (takes two seconds to import)
        IntegratedGradients,
        Occlusion,
        Saliency,
    )

    if method == "integrated-gradients":
        job = IntegratedGradients(function)
        return job.attribute(
            x, start.expand_as(x), n_steps=steps, internal_batch_size=max(_TOGETHER, len(x))
        )
    if method == "gradient":
        return Saliency(function).attribute(x.clone().requires_grad_(True), abs=False)
    channels, height, width = x.shape[1:]
    size = (channels, min(window, height), min(window, width))
    move = (channels, max(1, size[1] // 2), max(1, size[2] // 2))
    with torch.no_grad():
        found = Occlusion(function).attribute(x, size, move, baselines=start.expand_as(x))
    # captum gives every channel of a window the whole change.
    return found / channels


def _attribute_to_layer(
    runtime: Runtime,
    space: UnitSpace,
    x: torch.Tensor,
    start: torch.Tensor,
    k: int,
    method: str,
    steps: int,
) -> tuple[F32, F32]:
    act, grad = _output_and_gradient(runtime, space, x, k)
    if method == "conductance":
        from captum.attr import LayerConductance  # noqa: PLC0415

        job = LayerConductance(runtime.forward, find_layer(runtime.module, space.layer.name))
        with torch.enable_grad():
            found: Any = job.attribute(
                x, start.expand_as(x), target=k, n_steps=steps,
                internal_batch_size=max(_TOGETHER, len(x)),
            )  # fmt: skip
        flat = flatten_unit_maps(space.layer, found.detach())
        units = flat.sum(2)
        maps = fold_onto_picture(space.layer, flat.sum(1), "sum")
    else:
        if picture_map_shape(space.layer) == (1, 1):
            raise LayerError(
                f"{space.layer.name!r} has no maps for grad-cam: where in a picture its positions lie "
                "is not known.",
                "Choose a convolutional layer, or one of patches that wrap found the places of.",
            )
        # Of Selvaraju et al., for channels on any axis: each unit's mean gradient weighs its map.
        units = flatten_unit_maps(space.layer, grad).mean(2)
        weighed = flatten_unit_maps(space.layer, act) * units[:, :, None]
        maps = fold_onto_picture(space.layer, weighed.sum(1), "sum")
    check_gradient_finite(maps)
    grown = functional.interpolate(
        maps[:, None].float(), x.shape[2:], mode="bilinear", align_corners=False
    )
    return grown[:, 0].cpu().numpy(), units.float().cpu().numpy()


def _output_and_gradient(
    runtime: Runtime, space: UnitSpace, x: torch.Tensor, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a layer's output for each input, and the gradient of a logit there."""
    with torch.no_grad():
        act = runtime.forward_to(space.layer.name, x).clone()
    act.requires_grad_(True)
    with gradient_losses_refused(runtime.module):
        grad = gradient_of(runtime.resume(space.layer.name, act, x)[:, k], act)
    check_gradient_finite(grad)
    return act.detach(), grad


def _target_response_function(
    z: AnnotatedModel, runtime: Runtime, target: str | Unit
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the function of inputs ``(n, ...)`` whose value ``(n,)`` is attributed."""
    if str(target) in z.classes or Unit.parse(target).is_output:
        k = _class_index(z, target)
        return lambda x: runtime.forward(x)[:, k]
    unit = Unit.parse(target)
    place = resolve_unit_space(z, f"{unit.layer}@{unit.basis}" if unit.basis else unit.layer)
    if unit.index >= place.spec.size:
        raise UnitError(
            f"There is no unit {unit}.", f"{place.name} has units 0 to {place.spec.size - 1}."
        )

    def mean_unit_response(x: torch.Tensor) -> torch.Tensor:
        act = runtime.forward_to(place.layer.name, x)
        return place.maps_of_units(act)[:, unit.index].flatten(1).float().mean(1)

    return mean_unit_response


def _class_index(z: AnnotatedModel, target: str | Unit) -> int:
    name = str(target).removeprefix("output:")
    if name not in z.classes:
        raise UnitError(
            f"{str(target)[:80]!r} is not a class of {z.name}.",
            f"Its classes are {', '.join(z.classes)}.",
        )
    return z.classes.index(name)


def _unit_space_of_layer(z: AnnotatedModel, layer: str) -> UnitSpace:
    wanted = layer or (z.cut[0] if z.cut else "")
    spec = next((s for s in z.layers if s.name == wanted), None)
    if spec is None:
        names = ", ".join(s.name for s in z.layers)
        raise LayerError(f"{z.name} has no layer {wanted!r}.", f"It has {names}.")
    return UnitSpace.of_layer(spec)


def _resolve_images(z: AnnotatedModel, images: U8 | Sequence[int]) -> U8:
    given: npt.NDArray[Any] = np.asarray(images)
    if given.ndim == 1 and given.dtype.kind in "iu":
        known = z.concept_set
        if known is None or (len(given) and not 0 <= given.min() <= given.max() < len(known)):
            many = 0 if known is None else len(known)
            raise InputsError(
                f"The concept set has {many} images, not all of {given[:8].tolist()}.",
                "Give indices into it, or images.",
            )
        return np.array(known.images[given])
    return given


def _prepared_inputs_to_8bit_images(runtime: Runtime, x: torch.Tensor) -> U8:
    """Return prepared inputs as 8-bit images again, at the network's size."""
    how = runtime.preprocessing
    mean = x.new_tensor(how.mean).view(1, -1, 1, 1)
    std = x.new_tensor(how.std).view(1, -1, 1, 1)
    plain = (x * std + mean).clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1)
    plain = plain.flip(3) if how.colour == "BGR" else plain
    return plain.cpu().numpy()
