"""Weights as named numpy arrays: out of a network, and back into one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.errors import WeightsError

Weights = Mapping[str, npt.NDArray[Any]]
_NUMPY_FLOATS = (torch.float64, torch.float32, torch.float16)


def weights_to_numpy(net: nn.Module) -> dict[str, npt.NDArray[Any]]:
    """Return a copy of a network's state dict, its order kept.

    bfloat16 and float8, which numpy does not have, become float32; no bit is lost on the way back.

    Raises
    ------
    WeightsError
        If the state holds something that is no tensor, or a weight is not finite.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, tensor in net.state_dict().items():
        if not isinstance(tensor, torch.Tensor):
            raise WeightsError(
                f"State {name!r} is a {type(tensor).__name__}, not a tensor.",
                "Keep such state in the builder's arguments.",
            )
        # Contiguous, so that a channels-last network gives the same arrays and the same hash.
        arrays[name] = np.array(dense_numpy_array(tensor, name), order="C")
    check_weights_finite(arrays)
    return arrays


def dense_numpy_array(tensor: torch.Tensor, name: str) -> npt.NDArray[Any]:
    """Return a tensor as numpy holds it; types numpy does not have become float32.

    Raises
    ------
    WeightsError
        If it is sparse or quantised, or of a type that has no single numbers.
    """
    plain = tensor.detach().cpu()
    if plain.is_sparse or plain.is_quantized:
        raise WeightsError(f"{name} is sparse or quantised.", "Save plain dense weights.")
    try:
        wide = not plain.is_floating_point() or plain.dtype in _NUMPY_FLOATS
        return (plain if wide else plain.float()).numpy()
    except (TypeError, RuntimeError, NotImplementedError) as problem:
        raise WeightsError(
            f"{name} is of the type {plain.dtype}, which is not read.",
            "Save it in float32, float16 or bfloat16.",
        ) from problem


def load_numpy_weights(net: nn.Module, weights: Weights) -> None:
    """Put weights into a network; on any error the network is as before.

    Parameters
    ----------
    net
        Network whose state dict has the same names and shapes.
    weights
        Name to array; cast to the network's own type.

    Raises
    ------
    WeightsError
        If names are missing or unexpected, shapes differ, or a weight is not finite.
    """
    state = net.state_dict()
    missing = [name for name in state if name not in weights]
    unexpected = [name for name in weights if name not in state]
    shapes = [
        f"{name} has shape {tuple(weights[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in state.items()
        if name in weights and tuple(weights[name].shape) != tuple(tensor.shape)
    ]
    problems = [
        _describe_wrong_names("missing", missing),
        _describe_wrong_names("unexpected", unexpected),
        _join_first_three(shapes),
    ]
    if any(problems):
        raise WeightsError(
            f"Weights do not fit the architecture: {'; '.join(p for p in problems if p)}.",
            "Build the network with the arguments these weights were trained with.",
        )
    check_weights_finite(weights)
    with torch.no_grad():
        for name, tensor in state.items():
            tensor.copy_(torch.from_numpy(np.array(weights[name])))


def check_weights_finite(weights: Weights) -> None:
    """Refuse NaN and infinite weights.

    Raises
    ------
    WeightsError
        Naming the first array that holds one.
    """
    for name, array in weights.items():
        if np.issubdtype(array.dtype, np.inexact) and not np.isfinite(array).all():
            raise WeightsError(
                f"Weights {name!r} hold NaN or infinite values.",
                "Training probably diverged: load an earlier checkpoint or lower the rate.",
            )


def _describe_wrong_names(what: str, names: Iterable[str]) -> str:
    return f"{what} {_join_first_three(list(names))}" if names else ""


def _join_first_three(texts: list[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(texts[:3]) + more
