"""Where the units of a layer lie: read off a network by running it a few times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import nn

from circuitz.models.run.patch_grid import find_patch_grids
from circuitz.models.run.probe_network import NetworkProbe, probe_network
from circuitz.models.run.receptive_field import receptive_field
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import UnitAxis, find_unit_axes, told_unit_axes
from circuitz.z.layer import LayerSpec, Preprocessing


@dataclass(frozen=True)
class LayerDescriptions:
    """Layers of a network, and what had to be assumed.

    Parameters
    ----------
    specs
        One a layer.
    remarks
        Sentences about what is a guess.
    of_network
        Sentences about the whole network.
    """

    specs: tuple[LayerSpec, ...]
    remarks: tuple[str, ...] = field(default_factory=tuple)
    of_network: tuple[str, ...] = ()


def describe_layers(
    net: nn.Module, names: Sequence[str], sample: torch.Tensor, head: str = "softmax"
) -> tuple[LayerSpec, ...]:
    """Describe layers of a network.

    Parameters
    ----------
    net
        The network.
    names
        Dotted names of modules.
    sample
        Prepared inputs ``(n, c, h, w)`` to run it on; one is enough.
    head
        What its logits mean.

    Returns
    -------
    One spec a layer: see :func:`describe_layers_by_running`.
    """
    prep = Preprocessing((0.0,) * sample.shape[1], (1.0,) * sample.shape[1], _image_size(sample))
    return describe_layers_by_running(Runtime(net, names, prep, head=head), names, sample).specs


def describe_layers_by_running(
    runtime: Runtime,
    names: Sequence[str],
    sample: torch.Tensor,
    axes: Mapping[str, int] | None = None,
    probe: NetworkProbe | None = None,
) -> LayerDescriptions:
    """Describe layers of a network, and say what had to be assumed.

    Parameters
    ----------
    runtime
        The network.
    names
        Dotted names of modules.
    sample
        Prepared inputs ``(n, c, h, w)`` to run it on.
    axes
        Axes of units that the user names, by layer.
    probe
        What running it on the sample told, if that was done.

    Returns
    -------
    One spec a layer. Of maps ``(n, u, h, w)``, and ``(n, u, length)`` of one-dimensional
    convolutions, units lie on axis 1; of maps whose channels come last, ``(n, h, w, u)``, and of
    token sequences ``(n, tokens, u)`` on the last.

    Raises
    ------
    LayerError
        If a layer does not exist, is not called exactly once, has no axis of units, or does not put
        out one row an input.
    NetworkError
        As :func:`circuitz.models.run.probe_network.probe_network` does.
    """
    if probe is None or not set(names) <= set(probe.acts):
        probe = probe_network(runtime, sample, names)
    for name in names:
        if name in probe.unusable:
            raise probe.unusable[name]
    shapes = {name: tuple(probe.acts[name].shape) for name in names}
    runtime.unit_axes |= told_unit_axes(names, axes or {}, shapes)
    lie = find_unit_axes(runtime, names, sample)
    bare = {name: _layer_spec(name, lie[name], shapes[name]) for name in names}
    in_a_row = [name for name, spec in bare.items() if has_one_axis_of_positions(spec)]
    grids = (
        find_patch_grids(runtime, sample, {n: bare[n] for n in in_a_row})
        if sample.ndim == 4 and sample.is_floating_point()
        else {}
    )
    specs = tuple(
        replace(
            spec,
            patches=grids.get(name, (0, 0, 0)),
            receptive=receptive_field(runtime.module, name)
            if spec.spatial_axes == (2, 3)
            else (0, 0, 0),
        )
        for name, spec in bare.items()
    )
    remarks = [one.guess for one in lie.values() if one.guess]
    lost = [repr(name) for name in in_a_row if name not in grids]
    if lost:
        shown = ", ".join(lost[:4]) + (f" and {len(lost) - 4} others" if len(lost) > 4 else "")
        remarks.append(f"how positions of {shown} lie in a picture is not known: no map is drawn")
    return LayerDescriptions(specs, tuple(remarks), probe.remarks)


def _image_size(sample: torch.Tensor) -> tuple[int, int]:
    return int(sample.shape[-2]), int(sample.shape[-1])


def has_one_axis_of_positions(spec: LayerSpec) -> bool:
    """Whether positions of a layer lie in a row, whose place in a picture shape alone does not tell."""
    axes = (*spec.spatial_axes, *spec.token_axes)
    return len(axes) == 1 and spec.shape[axes[0] - 1] > 1


def _layer_spec(name: str, unit: UnitAxis, shape: tuple[int, ...]) -> LayerSpec:
    rest = tuple(i for i in range(1, len(shape)) if i != unit.axis)
    tokens = len(shape) == 3 and unit.axis == 2
    return LayerSpec(
        name=name,
        size=int(shape[unit.axis]),
        unit_axis=unit.axis,
        spatial_axes=() if tokens else rest,
        token_axes=rest if tokens else (),
        shape=tuple(int(s) for s in shape[1:]),
    )


def flatten_unit_maps(spec: LayerSpec, act: torch.Tensor) -> torch.Tensor:
    """Return a layer's output as ``(n, units, positions)``; a plain neuron has one position.

    A view where possible; gradients flow.
    """
    return act.movedim(spec.unit_axis, 1).flatten(2) if act.ndim > 2 else act.unsqueeze(2)


def unflatten_unit_maps(spec: LayerSpec, flat: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Undo :func:`flatten_unit_maps`: return ``(n, units, positions)`` in the shape and dtype of ``like``."""
    axis = spec.unit_axis
    shape = [like.shape[0], like.shape[axis]]
    shape += [s for i, s in enumerate(like.shape) if i not in (0, axis)]
    return flat.reshape(shape).movedim(1, axis).to(like.dtype)
