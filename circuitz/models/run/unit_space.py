"""Where units lie: a layer's own axes, or the directions of a basis over it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.zoo.read_out import READ
from circuitz.z.layer import LayerSpec

if TYPE_CHECKING:
    from circuitz.models.run.basis import Basis


@dataclass(frozen=True, eq=False)
class UnitSpace:
    """Units that can be read off one layer.

    Parameters
    ----------
    spec
        How the units lie; its name is that of the measurements (``conv4`` or ``conv4@nmf``).
    layer
        The layer as it is in the network.
    basis
        Directions, for units that are not the layer's own.
    """

    spec: LayerSpec
    layer: LayerSpec
    basis: Basis | None = None

    @classmethod
    def of_layer(cls, spec: LayerSpec | UnitSpace) -> UnitSpace:
        """Return a layer as a place."""
        return spec if isinstance(spec, UnitSpace) else cls(spec, spec)

    @property
    def name(self) -> str:
        """Name of the measurements."""
        return self.spec.name

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of a unit's map; 1 where the layer has no such axis."""
        return map_shape(self.spec)

    def maps_of_units(self, act: torch.Tensor) -> torch.Tensor:
        """Return what the units say, ``(n, u, h, w)``, given the layer's output."""
        if self.basis is None and act.ndim == 4 and self.layer.unit_axis == 1:
            return act
        flat = _flatten_units_with_head_norms(self.layer, act)
        if self.basis is not None:
            flat = self.basis.coordinates(flat)
        return flat.unflatten(2, self.shape)

    def token_mask(self, inputs: torch.Tensor, padding: int) -> torch.Tensor | None:
        """Return ``(n, t)`` bool, where texts have a token; None where all positions count.

        Parameters
        ----------
        inputs
            ``(n, t)`` tokens, or pictures.
        padding
            Number of the token that fills up short texts; -1 for none.
        """
        # What a probe reads is weighed by position already.
        if padding < 0 or not self.layer.token_axes or self.layer.name == READ:
            return None
        return inputs != padding

    def differentiable_map_of_each_input(
        self, act: torch.Tensor, chosen: torch.Tensor
    ) -> torch.Tensor:
        """Return one unit's map for each input, ``(n, positions)``, with gradients that flow.

        Parameters
        ----------
        act
            The layer's output on n inputs.
        chosen
            ``(n,)`` which unit of each. Of a basis the coordinate before it is cut off at zero.
        """
        flat = _flatten_units_with_head_norms(self.layer, act)
        if self.basis is not None:
            return self.basis.linear_coordinate_of_each_input(flat, chosen)
        return flat[torch.arange(len(flat), device=flat.device), chosen].float()

    def attribution(self, act: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
        """Return activation times gradient of each unit, summed over positions, ``(n, u)``.

        Parameters
        ----------
        act
            The layer's output.
        grad
            The gradient of something there.
        """
        flat, slope = flatten_unit_maps(self.layer, act), flatten_unit_maps(self.layer, grad)
        if self.basis is not None:
            flat, slope = self.basis.coordinates(flat), self.basis.gradient_along_directions(slope)
        return (flat.float() * slope.float()).sum(2)


def _flatten_units_with_head_norms(layer: LayerSpec, act: torch.Tensor) -> torch.Tensor:
    """Return ``(n, u, positions)``; of heads how much each gathers at a position, a norm."""
    if act.ndim == 4 and layer.unit_axis == 2 and layer.token_axes:
        return act.float().norm(dim=3).transpose(1, 2)
    return flatten_unit_maps(layer, act)


def map_shape(spec: LayerSpec) -> tuple[int, int]:
    """Return height and width of a unit's map; 1 where the layer has no such axis. Frames lie below one another."""
    sides = [spec.shape[a - 1] for a in (*spec.spatial_axes, *spec.token_axes)]
    *rest, width = sides or [1]
    return math.prod(rest), width
