"""Weights from files that networks are shared in, without running what they hold."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from circuitz.errors import NetworkError, WeightsError
from circuitz.models.adapters.tied_weights import with_tied_weights
from circuitz.models.adapters.weight_arrays import dense_numpy_array, load_numpy_weights
from circuitz.models.adapters.weight_shards import (
    INDEX,
    check_shards,
    read_sharded_state_dict,
    refuse_single_shard,
    weight_file_of_folder,
)

_INSIDE = ("state_dict", "model_state_dict", "model", "net", "network", "ema")
# What DataParallel, torch.compile and Lightning put before every name.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
# What stands beside weights in fewer bits: without it they are not the weights.
_QUANTISED = re.compile(
    r"(^|\.)(weight_scale(_inv)?|scale_weight|input_scale|scale_input|scaled_fp8|SCB|absmax|"
    r"quant_map|quant_state\..*|qweight|qzeros|g_idx|weight_packed|weight\.(absmax|quant_map|"
    r"quant_state\..*|nested_.*))$"
)
_LFS = b"version https://git-lfs"


def read_state_dict(path: str | Path) -> dict[str, torch.Tensor]:
    """Read a state dict from a ``.safetensors`` file, or from one of torch's.

    torch's files are read with ``weights_only=True``, which takes tensors and plain containers
    and refuses anything that would run code. A state dict inside a checkpoint is found. Of a model
    in several files the index is read (``model.safetensors.index.json``), or its folder.

    Raises
    ------
    WeightsError
        If there is no such file, it is damaged or holds anything but tensors, or a file that an
        index names is missing.
    """
    file = Path(path)
    if file.is_dir():
        file = weight_file_of_folder(file)
    if not file.is_file():
        raise WeightsError(f"There is no file {file}.", "Check the path.")
    if file.name.endswith(INDEX):
        return read_sharded_state_dict(file, _read_one_file)
    refuse_single_shard(file)
    return _read_one_file(file)


def _read_one_file(file: Path) -> dict[str, torch.Tensor]:
    with file.open("rb") as start:
        if start.read(len(_LFS)) == _LFS:
            raise WeightsError(
                f"{file} is a pointer of Git LFS, not the weights themselves.",
                "Fetch them: git lfs pull.",
            )
    found: Any = (
        _read_safetensors(file) if file.suffix == ".safetensors" else _read_torch_file(file)
    )
    return _extract_state_dict(found, file)


def _read_safetensors(file: Path) -> Any:
    try:
        with safe_open(file, framework="pt", device="cpu") as tensors:
            state: dict[str, torch.Tensor] = {
                name: tensors.get_tensor(name)
                for name in tensors.keys()  # noqa: SIM118
            }
            about: dict[str, str] = tensors.metadata() or {}
    except (SafetensorError, OSError, ValueError, KeyError) as problem:
        raise WeightsError(
            f"{file} is no whole safetensors file: {problem}.", "Copy or download it again."
        ) from problem
    # Where a tensor had two names, save_model keeps one and notes the other.
    return state | {
        name: state[kept] for name, kept in about.items() if kept in state and name not in state
    }


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
    given = with_tied_weights(own, given)
    _refuse_quantised(net, given)
    load_numpy_weights(net, {name: dense_numpy_array(value, name) for name, value in given.items()})
    return prefix


def narrow_precisions(state_dict: Mapping[str, torch.Tensor]) -> str:
    """Return which types of fewer bits the weights are in, and how they are read; mostly empty."""
    kept = (torch.float64, torch.float32)
    found = {v.dtype for v in state_dict.values() if v.is_floating_point() and v.dtype not in kept}
    names = sorted(str(dtype).removeprefix("torch.") for dtype in found)
    return f"{', '.join(names)}, read as they are into the network's own type" if names else ""


def _refuse_quantised(net: nn.Module, state_dict: Mapping[str, torch.Tensor]) -> None:
    own = net.state_dict()
    scale = next((n for n in state_dict if n not in own and _QUANTISED.search(n)), None)
    numbers = next(
        (
            name
            for name, parameter in net.named_parameters(remove_duplicate=False)
            if name in state_dict
            and parameter.is_floating_point()
            and not (state_dict[name].is_floating_point() or state_dict[name].is_complex())
        ),
        None,
    )
    if scale is not None or numbers is not None:
        what = f"it holds {scale}" if scale else f"{numbers} is {state_dict[str(numbers)].dtype}"
        raise WeightsError(
            f"The weights are quantised ({what}): as they stand they are not those of this network.",
            "Dequantise them first, and save them in float32, float16 or bfloat16.",
        )


def check_hugging_face_folder(folder: Path) -> None:
    """Refuse a folder that is no whole Hugging Face model with safetensors.

    Raises
    ------
    NetworkError
        Naming the file that is not there, of several files of weights too.
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
    for index in folder.glob(f"*.safetensors{INDEX}"):
        check_shards(index)
