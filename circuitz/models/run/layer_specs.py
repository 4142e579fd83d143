"""Where the units of a layer lie: read off a network by running it once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from circuitz.models.run.network_facts import axis_of_units
from circuitz.models.run.receptive_field import receptive_field
from circuitz.models.run.runtime import Runtime
from circuitz.z.layer import LayerSpec, Preprocessing


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
    One spec a layer. Maps ``(n, u, h, w)`` and ``(n, u, length)`` of one-dimensional
    convolutions have their units on axis 1, token sequences ``(n, tokens, u)`` on axis 2.

    Raises
    ------
    LayerError
        If a layer does not exist, is not called exactly once, or has no unit axis.
    """
    prep = Preprocessing((0.0,) * sample.shape[1], (1.0,) * sample.shape[1], _image_size(sample))
    acts, _ = Runtime(net, names, prep, head=head).run(sample[:1], names)
    return tuple(_layer_spec_from_output(net, name, acts[name]) for name in names)


def _image_size(sample: torch.Tensor) -> tuple[int, int]:
    return int(sample.shape[-2]), int(sample.shape[-1])


def _layer_spec_from_output(net: nn.Module, name: str, act: torch.Tensor) -> LayerSpec:
    unit = axis_of_units(net, name, act)
    spatial, tokens = (), ()
    if act.ndim > 2:
        spatial, tokens = ((), (1,)) if unit == 2 else (tuple(range(2, act.ndim)), ())
    return LayerSpec(
        name=name,
        size=int(act.shape[unit]),
        unit_axis=unit,
        spatial_axes=spatial,
        token_axes=tokens,
        shape=tuple(int(s) for s in act.shape[1:]),
        receptive=receptive_field(net, name) if len(spatial) == 2 else (0, 0, 0),
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
