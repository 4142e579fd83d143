"""The layers of a network that a z is made of: those named, or those that can be read."""

from __future__ import annotations

import torch

from circuitz.errors import LayerError
from circuitz.models.run.choose_layers import (
    LayerNames,
    choose_layers,
    remarks_on_shared_modules,
    requested_layers,
)
from circuitz.models.run.layer_specs import LayerDescriptions, describe_layers_by_running
from circuitz.models.run.probe_network import probe_network
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import find_unit_axes

_TOLD = 2  # layers that are left out of which it is told why


def choose_and_describe_layers(
    runtime: Runtime, sample: torch.Tensor, layers: LayerNames | None
) -> LayerDescriptions:
    """Describe the layers that are named, or by default those that can be read.

    Parameters
    ----------
    runtime
        The network.
    sample
        Prepared inputs to run it on.
    layers
        See :func:`circuitz.wrapping.wrap.wrap`.

    Raises
    ------
    LayerError
        If a layer that is named cannot be read, or none can.
    NetworkError
        As :func:`circuitz.models.run.probe_network.probe_network` does.
    """
    if layers is not None:
        names, axes = requested_layers(layers)
        if not names:
            raise LayerError("No layer is named.", "Name at least one in layers=, or leave it out.")
        return describe_layers_by_running(runtime, names, sample, axes)
    candidates = choose_layers(runtime.module, sample)
    probe = probe_network(runtime, sample, candidates)
    names, problems = readable_layers(runtime, candidates, sample, probe.unusable)
    if not names:
        raise next(iter(problems.values()))
    remarks = [
        f"{name!r} is left out. {problem.message.rstrip('.')}"
        for name, problem in list(problems.items())[:_TOLD]
    ]
    if len(problems) > _TOLD:
        others = ", ".join(repr(name) for name in list(problems)[_TOLD:])
        remarks.append(f"so are {others}")
    remarks += remarks_on_shared_modules(runtime.module, sample, names)
    made = describe_layers_by_running(runtime, names, sample, probe=probe)
    return LayerDescriptions(made.specs, (*remarks, *made.remarks), probe.remarks)


def readable_layers(
    runtime: Runtime,
    candidates: tuple[str, ...],
    sample: torch.Tensor,
    unusable: dict[str, LayerError],
) -> tuple[list[str], dict[str, LayerError]]:
    """Return the layers whose rows and units are known, and what is wrong with the others."""
    names: list[str] = []
    problems = dict(unusable)
    for name in candidates:
        if name in problems:
            continue
        try:
            find_unit_axes(runtime, [name], sample)
            names.append(name)
        except LayerError as problem:
            problems[name] = problem
    return names, problems
