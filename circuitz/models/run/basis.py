"""Directions in a layer: how their strength is read, and what it writes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch

from circuitz.disk.hashing import arrays_hash
from circuitz.errors import BasisError, CircuitzError, UnitError
from circuitz.z.bases import basis_parts, basis_sizes

F32 = npt.NDArray[np.float32]
Read = Literal["linear", "relu", "tanh-relu", "jumprelu", "topk", "nonnegative"]
Normalise = Literal["none", "norm", "layer_norm"]

_UPDATES = 40
_TINY = 1e-8


@dataclass(frozen=True, eq=False)
class Basis:
    """Directions of a layer with ``d`` units.

    A position's activations x are explained as ``centre + coordinates · directions``.

    Parameters
    ----------
    directions
        ``(k, d)`` float32: what one unit of each coordinate adds to the activations.
    readers
        ``(k, d)`` float32: a coordinate is ``f(readers · (x - centre) + offset)``, f as
        ``read_as`` says.
    centre, offset
        ``(d,)`` and ``(k,)`` float32.
    read_as
        ``linear``; ``relu``; ``tanh-relu``, the tanh of that; ``jumprelu``, zero up to its
        threshold; ``topk``, all but the largest are zero; ``nonnegative``, the coordinates,
        none negative, that explain x best together (as in NMF; the readers are not used then).
    threshold
        ``(k,)`` float32 of ``jumprelu``.
    top
        How many coordinates ``topk`` leaves at a position.
    normalise
        What is done to x first: nothing, scaling to the norm √d, or layer norm.
    kind
        How the basis was made, for people.
    """

    directions: F32
    readers: F32
    centre: F32
    offset: F32
    read_as: Read = "linear"
    threshold: F32 | None = None
    top: int = 0
    normalise: Normalise = "none"
    kind: str = "matrix"

    def __post_init__(self) -> None:
        k, d = self.directions.shape
        arrays = {
            "directions": (self.directions, (k, d)),
            "readers": (self.readers, (k, d)),
            "centre": (self.centre, (d,)),
            "offset": (self.offset, (k,)),
        }
        if self.threshold is not None:
            arrays["threshold"] = (self.threshold, (k,))
        for name, (array, shape) in arrays.items():
            if array.shape != shape or not np.isfinite(array).all():
                raise BasisError(
                    f"The basis's {name} have the shape {array.shape}, or are not finite.",
                    f"Give finite numbers of the shape {shape}.",
                )
        known = get_args(Read), get_args(Normalise)
        wrong = self.read_as not in known[0] or self.normalise not in known[1]
        if wrong or (self.read_as == "jumprelu") != (self.threshold is not None):
            raise BasisError(
                f"A basis that is read as {self.read_as!r} after {self.normalise!r} is not known.",
                f"Read as one of {known[0]} (jumprelu with thresholds), after one of {known[1]}.",
            )
        if self.read_as == "topk" and not 0 < self.top <= k:
            raise BasisError(f"The {self.top} largest of {k} cannot be left.", f"Give 1 to {k}.")

    @classmethod
    def from_rows(cls, directions: npt.ArrayLike, kind: str = "matrix") -> Basis:
        """Make a basis of rows: a coordinate is the length of the projection on its row.

        Raises
        ------
        BasisError
            If it is no matrix of finite numbers, or a row is zero.
        """
        try:
            rows = np.array(directions, np.float32)
        except (TypeError, ValueError) as problem:
            raise BasisError(f"The basis is no array of numbers: {problem}.", _ROWS) from problem
        if rows.ndim == 1:
            rows = rows[None]
        if rows.ndim != 2 or not rows.size:
            raise BasisError(f"The basis has the shape {rows.shape}: it is no matrix.", _ROWS)
        finite = np.isfinite(rows).all(1)
        if not finite.all():
            raise BasisError(
                f"Direction {int(finite.argmin())} of {len(rows)} is not finite.", "Leave it out."
            )
        square = (rows.astype(np.float64) ** 2).sum(1)
        if not square.any():
            raise BasisError(f"All {len(rows)} directions are zero.", _ROWS)
        if not (square > 0).all():
            raise BasisError(
                f"Direction {int(square.argmin())} of {len(rows)} is zero.", "Leave it out."
            )
        readers = (rows / square[:, None]).astype(np.float32)
        k, d = rows.shape
        return cls(rows, readers, np.zeros(d, np.float32), np.zeros(k, np.float32), kind=kind)

    def __len__(self) -> int:
        return len(self.directions)

    @cached_property
    def hash(self) -> str:
        """Hash of everything but the kind."""
        return arrays_hash(replace(self, kind="").to_arrays())

    # -- running -------------------------------------------------------------------------

    def coordinates(self, flat: torch.Tensor) -> torch.Tensor:
        """Return coordinates ``(n, k, positions)`` of activations ``(n, d, positions)``."""
        x = self._normalise_activations(flat.float())
        if self.read_as == "nonnegative":
            return self._nonnegative_coordinates(x)
        found = self._linear_coordinates(x)
        if self.read_as == "relu":
            return found.relu()
        if self.read_as == "tanh-relu":
            return found.relu().tanh()
        if self.read_as == "jumprelu":
            return torch.where(
                found > self._field_as_tensor("threshold", found)[:, None], found, 0.0
            )
        if self.read_as == "topk":
            best = found.topk(self.top, dim=1)
            return torch.zeros_like(found).scatter(1, best.indices, best.values.relu())
        return found

    def linear_coordinate_of_each_input(
        self, flat: torch.Tensor, chosen: torch.Tensor
    ) -> torch.Tensor:
        """Return one coordinate of each input before anything is cut off: gradients always flow.

        Parameters
        ----------
        flat
            ``(n, d, positions)`` activations.
        chosen
            ``(n,)`` which coordinate of each.

        Returns
        -------
        ``(n, positions)``.
        """
        x = self._subtract_centre(self._normalise_activations(flat.float()))
        readers = self._field_as_tensor("readers", x)[chosen]
        return (
            torch.einsum("nd,ndp->np", readers, x)
            + self._field_as_tensor("offset", x)[chosen, None]
        )

    def gradient_along_directions(self, grad: torch.Tensor) -> torch.Tensor:
        """Return slopes along the directions ``(n, k, positions)`` of a gradient ``(n, d, …)``."""
        return torch.einsum("kd,ndp->nkp", self._field_as_tensor("directions", grad), grad.float())

    def activation_change(self, change: torch.Tensor, flat: torch.Tensor) -> torch.Tensor:
        """Return what a change of coordinates ``(n, k, positions)`` does to the activations.

        Parameters
        ----------
        flat
            ``(n, d, positions)`` activations it is added to: normalisation is undone by them.
        """
        added = torch.einsum(
            "kd,nkp->ndp", self._field_as_tensor("directions", change), change.float()
        )
        return added * self.normalisation_scale(flat.float())

    def reconstruct(self, coordinates: torch.Tensor, flat: torch.Tensor) -> torch.Tensor:
        """Return the activations that coordinates explain; normalisation is undone by ``flat``."""
        x = flat.float()
        mean = x.mean(1, keepdim=True) if self.normalise == "layer_norm" else 0.0
        centre = self._field_as_tensor("centre", x)[:, None] * self.normalisation_scale(x)
        return self.activation_change(coordinates, x) + centre + mean

    def _linear_coordinates(self, x: torch.Tensor) -> torch.Tensor:
        readers, offset = self._field_as_tensor("readers", x), self._field_as_tensor("offset", x)
        return torch.einsum("kd,ndp->nkp", readers, self._subtract_centre(x)) + offset[:, None]

    def _subtract_centre(self, x: torch.Tensor) -> torch.Tensor:
        return x - self._field_as_tensor("centre", x)[:, None]

    def _nonnegative_coordinates(self, x: torch.Tensor) -> torch.Tensor:
        """Return non-negative least squares by multiplicative updates (Lee & Seung 2001)."""
        rows = self._field_as_tensor("directions", x)
        aim = torch.einsum("kd,ndp->nkp", rows, self._subtract_centre(x)).clamp(min=0)
        gram = rows @ rows.T
        found = aim / gram.sum(1)[:, None].clamp(min=_TINY)
        for _ in range(_UPDATES):
            found = found * aim / torch.einsum("kl,nlp->nkp", gram, found).clamp(min=_TINY)
        return found

    def normalisation_scale(self, x: torch.Tensor) -> torch.Tensor:
        """Return what normalisation divides activations ``(n, d, positions)`` by."""
        if self.normalise == "norm":
            return x.norm(dim=1, keepdim=True) / x.shape[1] ** 0.5
        if self.normalise == "layer_norm":
            return x.std(1, keepdim=True) + 1e-5
        return torch.ones((), device=x.device)

    def _normalise_activations(self, x: torch.Tensor) -> torch.Tensor:
        if self.normalise == "layer_norm":
            x = x - x.mean(1, keepdim=True)
        return x if self.normalise == "none" else x / self.normalisation_scale(x).clamp(min=_TINY)

    def _field_as_tensor(self, name: str, like: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(getattr(self, name)).to(like.device)

    # -- keeping -------------------------------------------------------------------------

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the basis as two-dimensional arrays, ``""`` the directions."""
        about = {"read": self.read_as, "top": self.top, "normalise": self.normalise}
        text = json.dumps(about | {"kind": self.kind}, sort_keys=True).encode()
        found: dict[str, npt.NDArray[Any]] = {
            "": self.directions,
            "readers": self.readers,
            "centre": self.centre[None],
            "offset": self.offset[None],
            "about": np.frombuffer(text, np.uint8)[None],
        }
        if self.threshold is not None:
            found["threshold"] = self.threshold[None]
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], place: str) -> Basis:
        """Return what :meth:`to_arrays` gave; a bare matrix of directions also makes a basis.

        Raises
        ------
        BasisError
            If the parts do not fit together.
        """
        if set(arrays) == {""}:
            return cls.from_rows(arrays[""])
        try:
            about = json.loads(bytes(np.asarray(arrays["about"], np.uint8)).decode())
            row = {
                n: _as_float32(arrays[n])[0]
                for n in ("centre", "offset", "threshold")
                if n in arrays
            }
            return cls(
                directions=_as_float32(arrays[""]),
                readers=_as_float32(arrays["readers"]),
                centre=row["centre"],
                offset=row["offset"],
                threshold=row.get("threshold"),
                read_as=about["read"],
                top=int(about["top"]),
                normalise=about["normalise"],
                kind=str(about["kind"]),
            )
        except CircuitzError:
            raise
        except (KeyError, IndexError, TypeError, ValueError) as problem:
            raise BasisError(
                f"The parts of {place} do not make a basis.", "Fit it again, or load a copy."
            ) from problem


_ROWS = "Give one row a direction, as wide as the layer has units."


def _as_float32(array: npt.NDArray[Any]) -> F32:
    return np.array(array, np.float32)


def load_basis(arrays: Mapping[str, npt.NDArray[Any]], place: str) -> Basis:
    """Return one of a z's bases.

    Parameters
    ----------
    arrays
        A z's arrays of bases.
    place
        Which, as ``conv4@nmf``.

    Raises
    ------
    UnitError
        If there is no such basis.
    """
    sizes = basis_sizes(arrays)
    if place not in sizes:
        raise UnitError(
            f"There is no basis {place[:80]!r}.", f"There are {', '.join(sizes) or 'none'}."
        )
    return Basis.from_arrays(basis_parts(arrays, place), place)


def check_basis_fits(basis: Basis, size: int, layer: str) -> None:
    """Refuse a basis that does not fit its layer.

    Raises
    ------
    BasisError
        If its directions are not as wide as the layer.
    """
    k, width = basis.directions.shape
    if width != size:
        raise BasisError(
            f"The basis has directions of {width} numbers, but {layer} has {size} units.",
            f"It has a column a direction: transpose it, to {width} rows of {k}."
            if k == size
            else "It was made for another layer or network: choose that layer, or fit it again.",
        )
