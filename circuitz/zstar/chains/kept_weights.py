"""Weights of trained networks on disk, one file a network, for a search that goes on."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.disk.atomic import staged_file_replacement
from circuitz.errors import SearchError


def keep_weights(folder: Path, name: str, weights: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write the weights of a network, whole or not at all."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **dict(weights))
    with staged_file_replacement(_place(folder, name), buffer.getvalue()):
        pass


def kept_weights(folder: Path, name: str) -> dict[str, npt.NDArray[Any]]:
    """Read weights back, in their order.

    Raises
    ------
    SearchError
        If they are not there or cannot be read.
    """
    try:
        with np.load(_place(folder, name), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError) as problem:
        raise SearchError(
            f"The weights of {name!r} in {folder} cannot be read: {problem}.",
            "Remove the folder of the search to start anew.",
        ) from problem


def _place(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(' ', '-')}.npz"
