"""What a screen asks of the running network: imported when asked for, since it needs torch."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from circuitz.errors import NetworkError


def import_torch_module(name: str) -> Any:
    """Import a module that needs torch.

    Raises
    ------
    NetworkError
        If torch, or another package it needs, is not installed here.
    """
    try:
        return import_module(name)
    except ImportError as problem:
        raise NetworkError(
            f"Networks cannot be run here: {problem.name or 'torch'} is not installed.",
            "pip install 'circuitz[torch]'",
        ) from problem
