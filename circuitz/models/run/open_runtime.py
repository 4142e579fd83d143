"""The running network of a z."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from circuitz.errors import BuilderError
from circuitz.models.adapters.adapted_network import adapt_network, is_adapted_from
from circuitz.models.adapters.unwrap import readable_network
from circuitz.models.adapters.weight_arrays import load_numpy_weights
from circuitz.models.run.check_opened_network import check_rows_and_units_once
from circuitz.models.run.device import choose_device
from circuitz.models.run.network_facts import device_of
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo import builders
from circuitz.z.check_z import check_annotated_model

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

# Enough for the few z a search holds at a time; each is as large as its network.
_CACHE_SIZE = 4
_cache: OrderedDict[tuple[Any, ...], Runtime] = OrderedDict()


def runtime(z: AnnotatedModel, device: str | None = None) -> Runtime:
    """Return the network of a z, ready to run.

    The live module is used as it is while it holds z's weights. When it was trained on since,
    or z's weights were edited, a copy with z's weights runs instead: results always belong to
    the weights that z names.

    Parameters
    ----------
    z
        Annotated model.
    device
        Where to run; by default where the live module is, or else the CPU. A live module is
        never moved: elsewhere a copy runs.

    Raises
    ------
    BuilderError
        If z has neither a live module nor a registered architecture.
    WeightsError
        If the weights do not fit the architecture or are not finite.
    LayerError
        If a layer of z does not exist in the network.
    DeviceError
        If the device asked for is not there.
    RandomNetworkError, BatchDependenceError
        If its logits are not the same every time, or depend on what else is in the batch.
    InputsError
        If it is no annotated model.
    """
    check_annotated_model(z)
    live = readable_network(z.live) if isinstance(z.live, nn.Module) else None
    if device is not None:
        device = choose_device(device)
    device = str(device or (device_of(live) if live is not None else "cpu"))
    key = (
        z.weights_hash, z.builder, json.dumps(z.builder_args, sort_keys=True), id(live),
        z.layers, z.preprocessing, device, z.head, z.output,
    )  # fmt: skip
    known = _cache.get(key)
    if known is not None and (
        live is None or not is_adapted_from(known.module, live) or _holds_weights_of(live, z)
    ):
        _cache.move_to_end(key)
        if known.bases is not z.bases:
            # The same network, seen along other directions.
            known = _cache[key] = copy.copy(known)
            known.bases = z.bases
        return known
    made = Runtime(
        adapt_network(
            _network_with_weights(z, live, device),
            z.output,
            z.preprocessing.padding,
            z.preprocessing.masking,
        ),
        z.layers,
        z.preprocessing,
        device,
        z.head,
        bases=z.bases,
    )
    check_rows_and_units_once(z, made, live)
    _cache[key] = made
    while len(_cache) > _CACHE_SIZE:
        _cache.popitem(last=False)
    return made


def _network_with_weights(z: AnnotatedModel, live: nn.Module | None, device: str) -> nn.Module:
    if live is not None:
        if _is_on_device(live, device) and _holds_weights_of(live, z):
            return live
        net = copy.deepcopy(live)
    elif z.builder:
        net = builders.build(z.builder, z.builder_args)
    else:
        raise BuilderError(
            f"{z.name} was made from a live module, which this session does not have.",
            "Wrap the module again, or register a builder for it and wrap what it builds.",
        )
    load_numpy_weights(net, z.weights)
    return net


def _is_on_device(net: nn.Module, device: str) -> bool:
    return all(str(p.device) == str(torch.device(device)) for p in net.parameters())


def _holds_weights_of(net: nn.Module, z: AnnotatedModel) -> bool:
    """Whether a module's weights are z's, bit for bit."""
    state = net.state_dict()
    return set(state) == set(z.weights) and all(
        np.array_equal(_tensor_to_numpy(tensor), z.weights[name]) for name, tensor in state.items()
    )


def _tensor_to_numpy(tensor: torch.Tensor) -> Any:
    plain = tensor.detach().cpu()
    return (plain.float() if plain.dtype is torch.bfloat16 else plain).numpy()
