"""A network as facts and arrays: built by name on the other side, its weights put in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy.typing as npt
import torch

from circuitz import __version__
from circuitz.errors import BuilderError, ClusterError
from circuitz.jobs.serialisation import copy_prefixed_arrays
from circuitz.models.adapters.adapted_network import adapt_network
from circuitz.models.adapters.weight_arrays import load_numpy_weights, weights_to_numpy
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import UnitAxis
from circuitz.models.zoo.builders import build
from circuitz.z.layer import LayerSpec, Preprocessing

Array = npt.NDArray[Any]
_WEIGHTS = "weights."


def runtime_to_facts_and_arrays(runtime: Runtime) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return facts and arrays from which :func:`runtime_from_facts_and_arrays` makes the network.

    Raises
    ------
    BuilderError
        If the network was not made by a registered builder: code does not travel.
    """
    builder = getattr(runtime.module, "circuitz_builder", None)
    if builder is None:
        raise BuilderError(
            f"Workers cannot build a {type(runtime.module).__name__} that exists only here.",
            "Register a function that returns it with @circuitz.models.zoo.builders.register, or "
            "name it as package.module:function, and build the network by that name.",
        )
    how = asdict(runtime.preprocessing)
    facts = {
        "version": __version__,
        "builder": list(builder),
        "preprocessing": how,
        "layers": list(runtime.layers),
        "head": runtime.head,
        "output": getattr(runtime.module, "circuitz_output", ""),
        "unit_axes": {name: lies.axis for name, lies in runtime.unit_axes.items()},
        "dtype": str(runtime.dtype).removeprefix("torch."),
    }
    return facts, {_WEIGHTS + n: a for n, a in weights_to_numpy(runtime.module).items()}


def runtime_from_facts_and_arrays(facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Runtime:
    """Return the network on a worker.

    Raises
    ------
    ClusterError
        If the worker has another version of circuitz.
    BuilderError
        If it does not know the builder, or was not told to trust it.
    """
    if facts["version"] != __version__:
        raise ClusterError(
            f"A worker has circuitz {__version__}, this process {facts['version']}.",
            "Install the same version on all machines.",
        )
    name, args = facts["builder"]
    net = build(name, args).to(getattr(torch, facts["dtype"])).eval()
    load_numpy_weights(net, copy_prefixed_arrays(arrays, _WEIGHTS))
    how = Preprocessing(**_lists_to_tuples(facts["preprocessing"]))
    net = adapt_network(net, facts.get("output", ""), how.padding, how.masking)
    axes = {name: UnitAxis(axis) for name, axis in facts["unit_axes"].items()}
    return Runtime(net, facts["layers"], how, head=facts["head"], unit_axes=axes)


def layer_spec_from_json(facts: Mapping[str, Any]) -> LayerSpec:
    """Return a layer, given what ``dataclasses.asdict`` made of it and JSON of that."""
    return LayerSpec(**_lists_to_tuples(facts))


def _lists_to_tuples(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in facts.items()}
