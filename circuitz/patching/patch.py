"""Running a network with chosen units of any layers put at given values, by hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from circuitz.errors import UnitError
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.restore_state import temporary_forward_hooks
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.patching.interchange import Exchange
from circuitz.z.layer import LayerSpec
from circuitz.z.unit import Unit

Acts = Mapping[str, torch.Tensor]


class UnitSet:
    """Units of any layers, at all positions or at one, whose values can be put together.

    Or directions of bases: activations move along each by as much as its coordinate differs from
    what is put, and what the basis does not explain stays.

    Parameters
    ----------
    units
        Ids; a class is no such unit.
    places
        Layers, or bases over them, by name (``conv4``, ``conv4@nmf``).
    excluding
        Units left out.

    Raises
    ------
    UnitError
        If one is of another kind, or units of a layer are named in two ways.
    """

    def __init__(
        self,
        units: Sequence[str],
        places: Mapping[str, LayerSpec] | Mapping[str, UnitSpace],
        excluding: UnitSet | None = None,
    ) -> None:
        self._excluded = excluding
        self.units = tuple(dict.fromkeys(units))
        self._places: dict[str, UnitSpace] = {}
        self._by_layer: dict[str, list[Unit]] = {}
        for unit in map(Unit.parse, self.units):
            if unit.is_output or unit.place not in places:
                raise UnitError(
                    f"{unit} cannot be put at a value.", "Name units of a layer, as conv4:7."
                )
            place = UnitSpace.of_layer(places[unit.place])
            known = self._places.setdefault(unit.layer, place)
            if known.name != place.name:
                raise UnitError(
                    f"Units of {unit.layer} are named along {known.name} and along {place.name}.",
                    "Name all of a layer's in one way: its own units, or directions of one basis.",
                )
            self._by_layer.setdefault(unit.layer, []).append(unit)
        self._masks: dict[tuple[str, torch.Size], torch.Tensor] = {}

    @property
    def layers(self) -> tuple[str, ...]:
        """Layers that have units of the set."""
        return tuple(self._by_layer)

    def write(self, layer: str, act: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Return a layer's output ``(n, ...)``, its units of the set as they are in ``values``."""
        if self._places[layer].basis is None:
            out = torch.where(self._unit_mask(layer, act), values, act)
        else:
            out = self._output_moved_along_directions(layer, act, values)
        if self._excluded is not None and layer in self._excluded.layers:
            out = self._excluded.write(layer, out, act)
        return out

    def _unit_mask(self, layer: str, act: torch.Tensor) -> torch.Tensor:
        """Return where the set's units lie in one input's output of a layer."""
        key = (layer, act.shape[1:])
        if key not in self._masks:
            spec = self._places[layer].layer
            mask = torch.zeros(act.shape[1:], dtype=torch.bool, device=act.device)
            for unit in self._by_layer[layer]:
                place: list[Any] = [slice(None)] * mask.ndim
                place[spec.unit_axis - 1] = unit.index
                if unit.position is not None:
                    place[spec.token_axes[0] - 1] = unit.position
                mask[tuple(place)] = True
            self._masks[key] = mask
        return self._masks[key]

    def _output_moved_along_directions(
        self, layer: str, act: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """Return a layer's output moved along the set's directions."""
        place = self._places[layer]
        swap = Exchange(place, act, values)
        parts: dict[int | None, list[int]] = {}
        for unit in self._by_layer[layer]:
            parts.setdefault(unit.position, []).append(unit.index)
        everywhere = parts.pop(None, [])
        out = swap.output_with_parts_swapped(*everywhere) if everywhere else act
        for position, which in parts.items():
            assert position is not None
            at: list[Any] = [slice(None)] * act.ndim
            at[place.layer.token_axes[0]] = position
            both = swap.output_with_parts_swapped(*dict.fromkeys([*everywhere, *which]))
            out = out.clone()
            out[tuple(at)] = both[tuple(at)]
        return out


def run_patched(
    runtime: Runtime,
    x: torch.Tensor,
    patches: Sequence[tuple[UnitSet, Acts]],
    read: Sequence[str] = (),
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Run a network with sets of units put at values, all at once.

    What comes after them in the network is computed from them.

    Parameters
    ----------
    runtime
        The network.
    x
        Prepared inputs ``(n, ...)``.
    patches
        Sets, each with whole outputs ``(n, ...)`` of its layers that lend the values; of sets that
        share a unit the last one has its way.
    read
        Layers whose outputs are wanted, as they are with everything put.

    Returns
    -------
    Outputs of ``read``, and logits, without gradient.

    Raises
    ------
    LayerError
        If a layer does not exist or is not called exactly once.
    """
    written: dict[nn.Module, list[tuple[str, UnitSet, torch.Tensor]]] = {}
    for units, acts in patches:
        for layer in units.layers:
            module = find_layer(runtime.module, layer)
            written.setdefault(module, []).append((layer, units, acts[layer]))

    def write_units_hook(module: nn.Module, _args: Any, out: torch.Tensor) -> torch.Tensor:
        for layer, units, values in written[module]:
            out = units.write(layer, out, values)
        return out

    # All that is written is read as well: that each layer is called once is checked there.
    names = [*read, *(layer for units, _ in patches for layer in units.layers)]
    with temporary_forward_hooks(dict.fromkeys(written, write_units_hook)):
        acts, logits = runtime.run(x, list(dict.fromkeys(names)))
    return {name: acts[name] for name in read}, logits
