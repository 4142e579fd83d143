"""State dicts that lie in several files, with an index of which tensor lies in which."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from circuitz.disk.json_io import loads
from circuitz.errors import CircuitzError, WeightsError

INDEX = ".index.json"
_SHARD = re.compile(r"(?P<stem>.*)-\d{5}-of-(?P<count>\d{5})(?P<suffix>\.\w+)")
# What a folder may hold, best first.
_WHOLE = ("model.safetensors", "pytorch_model.bin")

State = dict[str, torch.Tensor]


def weight_file_of_folder(folder: Path) -> Path:
    """Return the file of weights in a folder, or the index of several.

    Raises
    ------
    WeightsError
        If there is none, or there are several of which none is the usual one.
    """
    usual = [folder / name for whole in _WHOLE for name in (whole, whole + INDEX)]
    found = [file for file in usual if file.is_file()] or sorted(folder.glob(f"*{INDEX}"))
    alone = found or [
        file for file in sorted(folder.glob("*.safetensors")) if not _SHARD.fullmatch(file.name)
    ]
    if not found and len(alone) != 1:
        shards = sorted(file.name for file in folder.glob("*.safetensors"))
        raise WeightsError(
            f"{folder} holds {len(alone) or 'no'} files of weights"
            + (f": {', '.join(shards[:3])}." if shards else "."),
            "Name the file, or the .index.json of a model in several.",
        )
    return alone[0]


def refuse_single_shard(file: Path) -> None:
    """Refuse one file of several: the others hold the rest of the network.

    Raises
    ------
    WeightsError
        Naming the index that belongs to it.
    """
    part = _SHARD.fullmatch(file.name)
    if part is not None and int(part["count"]) > 1:
        raise WeightsError(
            f"{file} is one of {int(part['count'])} files that hold the weights together.",
            f"Give {part['stem']}{part['suffix']}{INDEX}, or the folder.",
        )


def _tensor_places(index: Path) -> dict[str, str]:
    """Return in which file each tensor lies."""
    try:
        record: Any = loads(index.read_bytes(), str(index))
    except (OSError, CircuitzError) as problem:
        raise WeightsError(f"{index} cannot be read: {problem}", "Download it again.") from problem
    places: Any = record.get("weight_map") if isinstance(record, dict) else None
    if not isinstance(places, dict) or not places:
        raise WeightsError(
            f"{index} is no index of weights: it has no weight_map.", "Download it again."
        )
    return {str(name): str(place) for name, place in places.items()}


def check_shards(index: Path) -> list[str]:
    """Return the names of the files that an index names, all of which lie beside it.

    Raises
    ------
    WeightsError
        If the index is none, or a file it names is not there.
    """
    return _present_shards(index, _tensor_places(index))


def _present_shards(index: Path, files: dict[str, str]) -> list[str]:
    shards = sorted(set(files.values()))
    outside = [name for name in shards if Path(name).name != name]
    if outside:
        raise WeightsError(
            f"{index} names {outside[0][:120]!r}, which does not lie beside it.",
            "Put all files into the folder of the index.",
        )
    missing = [name for name in shards if not (index.parent / name).is_file()]
    if missing:
        raise WeightsError(
            f"{index} names {len(shards)} files; missing {'is' if len(missing) == 1 else 'are'} "
            f"{', '.join(missing[:3])}{' and more' if len(missing) > 3 else ''}.",
            f"Download {'it' if len(missing) == 1 else 'them'} into {index.parent}.",
        )
    return shards


def read_sharded_state_dict(index: Path, read_file: Callable[[Path], State]) -> State:
    """Read all files that an index names.

    Parameters
    ----------
    index
        As Hugging Face writes it: ``{"weight_map": {name: file}}``.
    read_file
        Reads one of them.

    Raises
    ------
    WeightsError
        If the index is none, a file it names is not there, or lacks a tensor it should hold.
    """
    files = _tensor_places(index)
    shards = _present_shards(index, files)
    state: State = {}
    for shard in shards:
        state |= read_file(index.parent / shard)
    lost = [name for name in files if name not in state]
    if lost:
        raise WeightsError(
            f"{index} says that {lost[0][:120]!r} lies in {files[lost[0]]}, which does not hold it.",
            "The index and the files are not of one model: download them again.",
        )
    return state
