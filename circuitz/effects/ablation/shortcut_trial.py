"""A few ablations run by hooks through the whole network, to try a shortcut on."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from circuitz.effects.ablation.logit_score import LogitScore
from circuitz.models.run.cut_network import HookCut
from circuitz.models.run.runtime import Runtime
from circuitz.patching.fast.unit_slice import UnitSlice

_INPUTS = 4  # inputs on which a shortcut is tried


@dataclass(frozen=True, eq=False)
class ShortcutTrial:
    """What is ablated, to be tried on the units and inputs where most changes.

    Parameters
    ----------
    runtime, read
        The network and what is read of it.
    x
        Inputs ``(n, ...)`` as the network takes them.
    layer, axis
        The layer and the axis of its units.
    units
        ``(u,)`` units of the layer.
    donor_values
        ``(n, ...)`` outputs of the layer the units take their values from; ``None``: zero.
    sizes
        ``(n, u)`` largest change of each unit at the layer, on each input.
    """

    runtime: Runtime
    read: LogitScore
    x: torch.Tensor
    layer: str
    axis: int
    units: torch.Tensor
    donor_values: torch.Tensor | None
    sizes: torch.Tensor

    def agrees(self, drop: torch.Tensor, done: torch.Tensor) -> bool | None:
        """Whether drops ``(u, n, k)``, of which those in ``done`` are made, are right.

        Tried are the unit that moves a logit most and the one that changes most at the layer, on
        the inputs where they do, and some more. ``None``: all that was compared is zero.
        """
        picked: list[int] = []
        rows: list[int] = []
        for of in (drop.abs().amax(2).T, self.sizes):
            best = int(of[:, done].argmax())
            rows.append(best // len(done))
            picked.append(int(done[best % len(done)]))
        n = len(self.x)
        rows += [i * n // _INPUTS for i in range(_INPUTS)]
        rows = list(dict.fromkeys(rows))[:_INPUTS]
        which = torch.tensor(list(dict.fromkeys(picked)), device=drop.device)
        plain, logit = self._plain_drops(which, torch.tensor(rows, device=drop.device))
        ours = drop[which][:, rows]
        if not bool(plain.any()) and not bool(ours.any()):
            return None
        gap = float((plain - ours).abs().max())
        # Rounding grows with the logits, a mistake with the drops.
        return gap <= 1e-3 * float(plain.abs().max()) + 1e-5 * logit

    def _plain_drops(self, which: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, float]:
        """Return drops ``(u, n, k)`` by hooks, without a graph, and the largest logit."""
        some, few = self.x[rows], self.units[which]
        acts, logits = self.runtime.run(some, [self.layer])
        before = self.read.score_logits(logits)
        donors = None if self.donor_values is None else self.donor_values[rows]
        patched = outputs_with_each_unit_replaced(acts[self.layer], self.axis, few, donors)
        cut = HookCut(self.runtime.module, self.layer)
        after = self.read(cut.run_after(patched, repeat_inputs(some, len(few))))
        return before - after.unflatten(0, (len(few), len(some))), float(logits.abs().max())


def change_sizes(
    act: torch.Tensor, axis: int, units: torch.Tensor, donor_values: torch.Tensor | None
) -> torch.Tensor:
    """Return ``(n, u)`` the largest change of each unit of a layer's output on each input."""
    change = act if donor_values is None else donor_values - act
    change = change.movedim(axis, 1)[:, units].abs()
    return change.reshape(len(act), len(units), -1).amax(2)


def outputs_with_each_unit_replaced(
    act: torch.Tensor, axis: int, units: torch.Tensor, donor_values: torch.Tensor | None
) -> torch.Tensor:
    """Return the layer's outputs ``(u * n, ...)`` with each unit by itself replaced."""
    unit = UnitSlice(act.new_zeros(0), units, axis)
    value = (
        torch.zeros_like(unit.unit_values_in(act))
        if donor_values is None
        else unit.unit_values_in(donor_values)
    )
    return unit.with_value(value).full_outputs_per_unit(act)


def repeat_inputs(x: torch.Tensor, times: int) -> torch.Tensor:
    """Return all inputs, that many times over."""
    return x.unsqueeze(0).expand(times, *x.shape).flatten(0, 1)
