"""Weights from files that networks are shared in, without running what they hold."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from circuitz.errors import NetworkError, WeightsError
from circuitz.models.adapters.weight_arrays import load_numpy_weights

_INSIDE = ("state_dict", "model_state_dict", "model", "net", "network", "ema")
# What DataParallel, torch.compile and Lightning put before every name.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.")


def read_state_dict(path: str | Path) -> dict[str, torch.Tensor]:
    """Read a state dict from a ``.safetensors`` file, or from one of torch's.

    torch's files are read with ``weights_only=True``, which takes tensors and plain containers
    and refuses anything that would run code. A state dict inside a checkpoint is found.

    Raises
    ------
    WeightsError
        If there is no such file, it is damaged or holds anything but tensors.
    """
    file = Path(path)
    if not file.is_file():
        raise WeightsError(f"There is no file {file}.", "Check the path.")
    found: Any = (
        _read_safetensors(file) if file.suffix == ".safetensors" else _read_torch_file(file)
    )
    return _extract_state_dict(found, file)


def _read_safetensors(file: Path) -> Any:
    try:
        return load_file(file)
    except (SafetensorError, OSError, ValueError) as problem:
        raise WeightsError(
            f"{file} is no whole safetensors file: {problem}.", "Copy or download it again."
        ) from problem


def _read_torch_file(file: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as problem:
        raise WeightsError(
            f"{file} holds more than weights, and was not opened: reading the rest would run "
            "code out of the file.",
            "Save the weights alone: torch.save(net.state_dict(), FILE).",
        ) from problem
    except Exception as problem:  # damaged files fail in many ways
        raise WeightsError(
            f"{file} cannot be read: {type(problem).__name__}: {problem}",
            "Give a .safetensors file, or one written by torch.save(net.state_dict(), FILE).",
        ) from problem


def _extract_state_dict(contents: Any, file: Path) -> dict[str, torch.Tensor]:
    if isinstance(contents, Mapping):
        for key in _INSIDE:
            inside = cast(Mapping[Any, Any], contents).get(key)
            if isinstance(inside, Mapping) and inside:
                contents = cast(Mapping[Any, Any], inside)
                break
    state = cast(Mapping[Any, Any], contents) if isinstance(contents, Mapping) else {}
    if not state:
        raise WeightsError(
            f"{file} holds a {type(contents).__name__}, no state dict.",
            "Write it with torch.save(net.state_dict(), FILE).",
        )
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise WeightsError(
                f"{str(name)[:80]!r} in {file} is a {type(value).__name__}, not a tensor.",
                "Write the file with torch.save(net.state_dict(), FILE).",
            )
    return cast(dict[str, torch.Tensor], dict(state))


def load_foreign_state_dict(net: nn.Module, state_dict: Mapping[str, torch.Tensor]) -> str:
    """Put a state dict into a network; on any error the network is as before.

    Parameters
    ----------
    net, state_dict
        The network, and tensors for every name of its own state dict. A prefix that all names
        share and the network does not know is left out.

    Returns
    -------
    The prefix that was left out; mostly empty.

    Raises
    ------
    WeightsError
        If names are missing or unexpected, shapes differ, or a weight is not finite.
    """
    own = net.state_dict()
    given, prefix = dict(state_dict), ""
    while not set(given) & set(own):
        shared = next((p for p in _PREFIXES if all(n.startswith(p) for n in given)), None)
        if shared is None:
            break
        given = {name.removeprefix(shared): value for name, value in given.items()}
        prefix += shared
    for name, tensor in own.items():
        # A counter that old files lack and that no prediction depends on.
        if name.endswith("num_batches_tracked") and name not in given:
            given[name] = tensor
    load_numpy_weights(net, {name: _as_dense_numpy(value) for name, value in given.items()})
    return prefix


def _as_dense_numpy(value: torch.Tensor) -> Any:
    plain = value.detach().cpu()
    if plain.is_sparse or plain.is_quantized:
        raise WeightsError("A weight is sparse or quantized.", "Save plain dense weights.")
    return (plain.float() if plain.dtype is torch.bfloat16 else plain).numpy()


def check_hugging_face_folder(folder: Path) -> None:
    """Refuse a folder that is no Hugging Face model with safetensors.

    Raises
    ------
    NetworkError
        Naming the file that is not there.
    """
    if not (folder / "config.json").is_file():
        raise NetworkError(
            f"There is no Hugging Face model at {folder}: no config.json.", "Check the path."
        )
    if not any(folder.glob("*.safetensors")):
        raise NetworkError(
            f"{folder} has no weights as .safetensors.",
            "Save them so: model.save_pretrained(folder, safe_serialization=True).",
        )
