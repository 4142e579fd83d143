"""Running a network with chosen units of any layers put at given values, by hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from circuitz.errors import UnitError
from circuitz.models.network import find_layer
from circuitz.models.runtime import Runtime
from circuitz.models.state import hooked
from circuitz.z.layer import LayerSpec
from circuitz.z.unit import Unit

Acts = Mapping[str, torch.Tensor]


class UnitSet:
    """Units of any layers, at all positions or at one, whose values can be put together.

    Parameters
    ----------
    units
        Ids; a direction of a basis is no such unit, nor is a class.
    specs
        The layers, by name.
    but
        Units left out.

    Raises
    ------
    UnitError
        If one is of another kind.
    """

    def __init__(
        self, units: Sequence[str], specs: Mapping[str, LayerSpec], but: UnitSet | None = None
    ) -> None:
        self._but = but
        self.units = tuple(dict.fromkeys(units))
        self._specs = specs
        self._by_layer: dict[str, list[Unit]] = {}
        for unit in map(Unit.parse, self.units):
            if unit.is_output or unit.basis or unit.layer not in specs:
                raise UnitError(
                    f"{unit} cannot be put at a value.", "Name units of a layer, as conv4:7."
                )
            self._by_layer.setdefault(unit.layer, []).append(unit)
        self._masks: dict[tuple[str, torch.Size], torch.Tensor] = {}

    @property
    def layers(self) -> tuple[str, ...]:
        """Layers that have units of the set."""
        return tuple(self._by_layer)

    def put(self, layer: str, act: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Return a layer's output ``(n, ...)``, its units of the set as they are in ``values``."""
        return torch.where(self.mask(layer, act), values, act)

    def mask(self, layer: str, act: torch.Tensor) -> torch.Tensor:
        """Return where the set's units lie in one input's output of a layer."""
        key = (layer, act.shape[1:])
        if key not in self._masks:
            spec = self._specs[layer]
            mask = torch.zeros(act.shape[1:], dtype=torch.bool, device=act.device)
            for unit in self._by_layer[layer]:
                place: list[Any] = [slice(None)] * mask.ndim
                place[spec.unit_axis - 1] = unit.index
                if unit.position is not None:
                    place[spec.token_axes[0] - 1] = unit.position
                mask[tuple(place)] = True
            if self._but is not None and layer in self._but.layers:
                mask &= ~self._but.mask(layer, act)
            self._masks[key] = mask
        return self._masks[key]


def run_put(
    runtime: Runtime,
    x: torch.Tensor,
    puts: Sequence[tuple[UnitSet, Acts]],
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
    puts
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
    for units, acts in puts:
        for layer in units.layers:
            module = find_layer(runtime.module, layer)
            written.setdefault(module, []).append((layer, units, acts[layer]))

    def write(module: nn.Module, _args: Any, out: torch.Tensor) -> torch.Tensor:
        for layer, units, values in written[module]:
            out = units.put(layer, out, values)
        return out

    # All that is written is read as well: that each layer is called once is checked there.
    names = [*read, *(layer for units, _ in puts for layer in units.layers)]
    with hooked(dict.fromkeys(written, write)):
        acts, logits = runtime.run(x, list(dict.fromkeys(names)))
    return {name: acts[name] for name in read}, logits
