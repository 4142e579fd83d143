"""A layer's output in which one unit alone differs from what it was."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class UnitSlice:
    """Outputs of one step of a network, one for each unit that is changed by itself.

    The rest of the output is as it was, so it is not held.

    Parameters
    ----------
    value
        ``(b, n, ...)`` what the changed unit now is, for ``b`` units and ``n`` inputs: the
        step's output without its axis of units.
    index
        ``(b,)`` which unit of this step it is.
    axis
        Axis of units in the step's whole output, the batch axis being 0.
    block
        Features each unit owns one after the other along that axis; 1 but after a flatten. The
        value is then ``(b, n, block)``.
    """

    value: torch.Tensor
    index: torch.Tensor
    axis: int
    block: int = 1

    def with_value(self, value: torch.Tensor, axis: int | None = None) -> UnitSlice:
        """Return the same units with another value."""
        return replace(self, value=value, axis=self.axis if axis is None else axis)

    def unit_values_in(self, base: torch.Tensor) -> torch.Tensor:
        """Return what the units are in ``base``, the whole output for ``n`` inputs: as ``value``."""
        if self.block > 1:
            return base.unflatten(1, (-1, self.block)).movedim(1, 0)[self.index]
        return base.movedim(self.axis, 0)[self.index]

    def difference_from(self, base: torch.Tensor) -> torch.Tensor:
        """Return how far the units are from what they are in ``base``."""
        return self.value - self.unit_values_in(base)

    def full_outputs_per_unit(self, base: torch.Tensor) -> torch.Tensor:
        """Return whole outputs ``(b * n, ...)``, one input after the other within a unit."""
        b = len(self.index)
        out = base.unsqueeze(0).repeat(b, *[1] * base.ndim)
        rows = torch.arange(b, device=base.device)
        view = out.unflatten(2, (-1, self.block)) if self.block > 1 else out
        view.movedim(self.axis + 1, 1)[rows, self.index] = self.value
        return out.flatten(0, 1)

    def add_difference_in_place(self, out: torch.Tensor, base: torch.Tensor) -> None:
        """Add the units' change to whole outputs ``(b * n, ...)`` in place."""
        b = len(self.index)
        rows = torch.arange(b, device=base.device)
        view = out.unflatten(0, (b, -1))
        view = view.unflatten(2, (-1, self.block)) if self.block > 1 else view
        view.movedim(self.axis + 1, 1)[rows, self.index] += self.difference_from(base)
