"""Whether the network of a z still is one whose rows are inputs and whose units lie as z says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from circuitz.errors import LayerError
from circuitz.models.run.probe_network import probe_network
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import find_unit_axes

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

# What was checked in this process: of modules that live, and of networks that are built. Other
# weights change none of it.
_live: WeakKeyDictionary[nn.Module, set[Any]] = WeakKeyDictionary()
_built: set[Any] = set()
_SHOWN = 3


def check_rows_and_units_once(z: AnnotatedModel, runtime: Runtime, live: nn.Module | None) -> None:
    """Probe a network the first time it is opened.

    Parameters
    ----------
    z
        Annotated model.
    runtime
        Its network, ready to run.
    live
        The module that z was made from, if it is here.

    Raises
    ------
    LayerError
        If a layer of z does not put out one row an input, or has its units elsewhere than z says.
    NetworkError
        As :func:`circuitz.models.run.probe_network.probe_network` does.
    """
    if _key(z) in _done(live):
        return
    x = _some_inputs(z, runtime)
    probe_network(runtime, x, [spec.name for spec in z.layers]).check_layers_usable()
    if not z.preprocessing.is_tokens:
        _check_units_lie_as_z_says(z, runtime, x)
    note_checked(z, live)


def note_checked(z: AnnotatedModel, live: nn.Module | None) -> None:
    """Remember that a network was probed, as it was when z was made of it."""
    _done(live).add(_key(z))


def _done(live: nn.Module | None) -> set[Any]:
    return _built if live is None else _live.setdefault(live, set())


def _key(z: AnnotatedModel) -> tuple[Any, ...]:
    arguments = json.dumps(z.builder_args, sort_keys=True)
    return z.builder, arguments, z.layers, z.preprocessing, z.head


def _some_inputs(z: AnnotatedModel, runtime: Runtime) -> torch.Tensor:
    for inputs in (z.data, z.concept_set):
        if inputs is not None and len(inputs):
            return runtime.prepare(np.array(inputs.images[:_SHOWN]))
    return runtime.random_inputs(_SHOWN)


def _check_units_lie_as_z_says(z: AnnotatedModel, runtime: Runtime, x: torch.Tensor) -> None:
    """Refuse layers of which an earlier version took rows of a picture for units."""
    doubtful = [
        spec for spec in z.layers
        if len(spec.shape) > 1 and spec.name not in z.notes.get("unit_axes", {})
    ]  # fmt: skip
    plain = Runtime(runtime.module, [], z.preprocessing, runtime.device, z.head)
    for spec in doubtful:
        try:
            lies = find_unit_axes(plain, [spec.name], x)[spec.name]
        except LayerError:  # then z knows better
            continue
        if not lies.guess and lies.axis != spec.unit_axis:
            raise LayerError(
                f"{z.name} takes the {spec.size} places along axis {spec.unit_axis} of {spec.name!r} "
                f"for its units; they lie on axis {lies.axis}.",
                "It was wrapped by an earlier version: wrap the network again, and measure it anew.",
            )
