"""How the directions of a layer are kept among a z's arrays.

``conv4@nmf`` holds one row a direction; what reading it takes besides lies beside it under
``conv4@nmf#part``, every part with two axes. No torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from circuitz.disk.arrays import Arrays
from circuitz.errors import BasisError, UnitError
from circuitz.z.layer import LayerSpec

Array = npt.NDArray[Any]
PART = "#"
# Parts with a column a unit of the layer, and those with a column a direction; the row counts of
# the first are those of the directions, or one.
_A_ROW_EACH = ("", "readers")
_OF_UNITS = (*_A_ROW_EACH, "centre")
_OF_DIRECTIONS = ("offset", "threshold")
# Arrays never change: those whose numbers were looked at once need not be again.
_FINITE: WeakSet[Arrays] = WeakSet()
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


def arrays_with_basis_replaced(
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


def check_bases_fit_layers(bases: Arrays, layers: Sequence[LayerSpec]) -> None:
    """Refuse bases that do not fit the layers they name.

    Parameters
    ----------
    bases
        Every basis of a z, with its parts.
    layers
        Its layers.

    Raises
    ------
    BasisError
        If a basis is of a layer that does not exist, or is called as one; if it has no directions,
        or none as wide as the layer; or if a number of it is not finite. The message names
        the basis, its layer and the sizes.
    """
    sizes = {layer.name: layer.size for layer in layers}
    for name, array in bases.items():
        place, _, part = name.partition(PART)
        layer, _, called = place.partition("@")
        if place in sizes:
            raise BasisError(
                f"{place!r} is the name of a layer, and of a basis.", "Call the basis otherwise."
            )
        if layer not in sizes or not called:
            raise BasisError(
                f"The basis {place[:80]!r} is of {layer[:80]!r}, which is no layer of this model; "
                f"it has {', '.join(sizes) or 'none'}.",
                "Name it layer@name, for instance conv4@nmf, after one of them, or leave it out.",
            )
        if place not in bases:
            raise BasisError(
                f"{name[:80]!r} is part of a basis {place[:80]!r} that is not there.",
                "Leave it out, or put the directions in as well.",
            )
        _check_basis_part_shape(place, part, array.shape, bases[place].shape, layer, sizes[layer])
    if bases not in _FINITE:
        _check_finite_and_nonzero_rows(bases)
        _FINITE.add(bases)


def _check_basis_part_shape(
    place: str,
    part: str,
    shape: tuple[int, ...],
    rows: tuple[int, ...],
    layer: str,
    width: int,
) -> None:
    if len(rows) != 2 or not rows[0]:
        raise BasisError(
            f"The basis {place!r} of {layer!r} has the shape {rows}: no rows of directions.",
            f"Give one row or more, of {width} numbers each, as {layer!r} has units.",
        )
    if rows[1] != width:
        raise BasisError(
            f"The basis {place!r} has directions of {rows[1]} numbers, but {layer} has {width} "
            "units.",
            "It was made for another layer or network: choose that layer, or fit it again.",
        )
    if part in _OF_UNITS:
        fits = shape == ((rows[0] if part in _A_ROW_EACH else 1), width)
    else:
        fits = shape == (1, rows[0]) if part in _OF_DIRECTIONS else len(shape) == 2
    if not fits:
        raise BasisError(
            f"The {part} of the basis {place!r} have the shape {shape}, which does not fit "
            f"{rows[0]} directions of {layer!r} with {width} units.",
            "Fit it again, or load a copy.",
        )


def _check_finite_and_nonzero_rows(bases: Arrays) -> None:
    for name, array in bases.items():
        place, _, part = name.partition(PART)
        what = f"The {part or 'directions'} of the basis {place!r}, of shape {array.shape},"
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise BasisError(
                f"{what} are not finite.", "Fit it again, or leave out the rows with NaN in them."
            )
        if not part and f"{place}{PART}readers" not in bases:
            zero = np.flatnonzero(~array.any(axis=1))
            if len(zero):  # nothing is read along it; learnt readers may still have such rows
                raise BasisError(
                    f"{what} point nowhere at row {zero[0]}: it is all zero.", "Leave it out."
                )
