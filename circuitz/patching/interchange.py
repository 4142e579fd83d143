"""What is exchanged between two inputs, one unit or direction at a time, and what is then read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import BasisError
from circuitz.models.run.basis import Basis
from circuitz.models.run.layer_specs import flatten_unit_maps, unflatten_unit_maps
from circuitz.models.run.unit_space import UnitSpace

I64 = npt.NDArray[np.int64]


def count_exchangeable_parts(place: UnitSpace) -> int:
    """Return how many parts a layer is exchanged in: its units, or directions and the rest."""
    return place.spec.size + (place.basis is not None)


def check_basis_not_over_heads(place: UnitSpace) -> None:
    """Refuse a basis over attention heads: it is one of norms, along which nothing can be moved.

    Raises
    ------
    BasisError
        If it is one.
    """
    if place.basis is not None and place.layer.unit_axis == 2 and len(place.layer.shape) == 3:
        raise BasisError(
            f"{place.name!r} is a basis of how much heads gather, along which none can be moved.",
            "Choose the heads themselves, or a basis over another layer.",
        )


@dataclass(frozen=True, eq=False)
class Exchange:
    """A layer's output on some inputs, of which parts become as on others.

    A unit takes the values it has there. A direction adds itself by as much as its coordinate
    differs, position by position; the part after the last direction is the rest, all that the
    basis does not explain. All parts together make the whole of the other output.

    Parameters
    ----------
    place
        The units, or directions.
    base, other
        ``(n, ...)`` the layer's output on the two inputs.
    """

    place: UnitSpace
    base: torch.Tensor
    other: torch.Tensor

    def differing_parts(self) -> npt.NDArray[np.bool_]:
        """Return which parts differ at all, ``(parts,)``."""
        if self.place.basis is None:
            axis = self.place.layer.unit_axis
            moved = (self.other != self.base).movedim(axis, 0).flatten(1).any(1)
        else:
            moved = torch.cat([(self._coordinate_differences != 0).movedim(1, 0).flatten(1).any(1),
                               self._unexplained_difference.any()[None]])  # fmt: skip
        return moved.cpu().numpy()

    def output_with_parts_swapped(self, *parts: int) -> torch.Tensor:
        """Return the output with some parts exchanged together, ``(n, ...)``."""
        axis, basis = self.place.layer.unit_axis, self.place.basis
        if basis is None:
            act = self.base.clone()
            for part in parts:
                act.select(axis, part).copy_(self.other.select(axis, part))
            return act
        return unflatten_unit_maps(
            self.place.layer, self._base_maps + self._map_change_from_parts(basis, parts), self.base
        )

    def first_order_effects(self, slope: torch.Tensor) -> torch.Tensor:
        """Return what a gradient ``(n, ...)`` says each part brings about, ``(n, parts)``."""
        flat = flatten_unit_maps(self.place.layer, slope)
        basis = self.place.basis
        if basis is None:
            return flatten_unit_maps(self.place.layer, slope * (self.other - self.base)).sum(2)
        each = (
            basis.gradient_along_directions(
                flat.float() * basis.normalisation_scale(self._base_maps)
            )
            * self._coordinate_differences
        )
        rest = (flat.float() * self._unexplained_difference).sum((1, 2))
        return torch.cat([each.sum(2), rest[:, None]], 1)

    def _map_change_from_parts(self, basis: Basis, parts: Sequence[int]) -> torch.Tensor:
        found = (
            self._unexplained_difference
            if len(basis) in parts
            else torch.zeros_like(self._base_maps)
        )
        which = [part for part in parts if part < len(basis)]
        if not which:
            return found
        rows = torch.from_numpy(basis.directions[which]).to(self.base.device)
        moved = torch.einsum("kd,nkp->ndp", rows, self._coordinate_differences[:, which])
        return found + moved * basis.normalisation_scale(self._base_maps)

    @cached_property
    def _base_maps(self) -> torch.Tensor:
        return flatten_unit_maps(self.place.layer, self.base).float()

    @cached_property
    def _coordinate_differences(self) -> torch.Tensor:
        """By how much coordinates differ, ``(n, k, positions)``."""
        assert self.place.basis is not None
        other = flatten_unit_maps(self.place.layer, self.other)
        return self.place.basis.coordinates(other) - self.place.basis.coordinates(self._base_maps)

    @cached_property
    def _unexplained_difference(self) -> torch.Tensor:
        assert self.place.basis is not None
        other = flatten_unit_maps(self.place.layer, self.other).float()
        return (
            other
            - self._base_maps
            - self.place.basis.activation_change(self._coordinate_differences, self._base_maps)
        )


@dataclass(frozen=True, eq=False)
class MeanResponse:
    """What some units respond: means over positions, of texts over their tokens.

    Parameters
    ----------
    place
        The units, or directions, whose coordinates are read.
    units
        ``(v,)`` which.
    padding
        Number of the token that fills up short texts; -1 for none.
    device
        Where it runs.
    """

    place: UnitSpace
    units: I64
    padding: int
    device: str

    def __call__(self, act: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        """Return ``(n, v)`` given the layer's output and the inputs it belongs to."""
        maps = flatten_unit_maps(self.place.layer, act).float()
        if self.place.basis is not None:
            maps = self.place.basis.coordinates(maps)
        maps = maps[:, torch.from_numpy(self.units).to(self.device)]
        there = self.place.token_mask(inputs, self.padding)
        if there is None:
            return maps.mean(2)
        # Heads put out several numbers a token.
        there = there.to(self.device).repeat_interleave(maps.shape[2] // there.shape[1], 1)
        return maps.masked_fill(~there[:, None], 0).sum(2) / there.sum(1, keepdim=True).clamp(min=1)
