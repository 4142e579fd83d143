"""How the directions of a layer are kept among a z's arrays.

``conv4@nmf`` holds one row a direction; what reading it takes besides lies beside it under
``conv4@nmf#part``, every part with two axes. No torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import UnitError

Array = npt.NDArray[Any]
PART = "#"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def basis_sizes(bases: Mapping[str, Array]) -> dict[str, int]:
    """Return how many directions each basis has, by place (``conv4@nmf``)."""
    return {place: len(rows) for place, rows in bases.items() if PART not in place}


def basis_place(layer: str, name: str) -> str:
    """Return the place of a basis.

    Raises
    ------
    UnitError
        If the name cannot be part of a unit's id.
    """
    if not _NAME.fullmatch(name):
        raise UnitError(
            f"{name[:80]!r} is no name for a basis.",
            "Use letters, digits, dots, dashes and underscores, for instance nmf.",
        )
    return f"{layer}@{name}"


def with_basis(
    bases: Mapping[str, Array], place: str, parts: Mapping[str, Array] | None
) -> dict[str, Array]:
    """Return the arrays with a basis put in (or, given ``None``, taken out).

    Parameters
    ----------
    parts
        ``""`` to the directions, and the other parts by name.
    """
    kept = {k: v for k, v in bases.items() if k.partition(PART)[0] != place}
    for part, array in (parts or {}).items():
        kept[f"{place}{PART}{part}" if part else place] = np.atleast_2d(array)
    return kept


def basis_parts(bases: Mapping[str, Array], place: str) -> dict[str, Array]:
    """Return the parts of a basis by name, ``""`` the directions; empty if there is none."""
    return {
        name.partition(PART)[2]: array
        for name, array in bases.items()
        if name.partition(PART)[0] == place
    }
