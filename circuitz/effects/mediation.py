"""How much of an effect runs through a set of units, and how much around it.

The sources take the values of another input; mediators are what the effect may run through. With
y(s, m) for the target when the sources are at s and the mediators at m, and m(s) for what the
mediators are when the sources are at s (Pearl 2001, *Direct and indirect effects*):

    total    y(s', m(s')) − y(s, m(s))
    through  y(s, m(s')) − y(s, m(s))     natural indirect effect
    around   y(s', m(s)) − y(s, m(s))     natural direct effect
    rest     total − through − around     what neither does without the other

``through + rest`` is what goes when the mediators are held: total less around. With ``direct``, the
mediators are what they are when the sources change and all other units of z's layers keep their
values, so that only what goes straight from sources to mediators counts: path patching (Wang et
al. 2022; Goldowsky-Dill et al. 2023). What reaches them by way of others is then part of the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from circuitz.models.run.runtime import Runtime
from circuitz.patching.patch import UnitSet, run_patched

F32 = npt.NDArray[np.float32]
Read = Callable[[torch.Tensor], torch.Tensor]
PARTS = ("total", "through", "around", "rest")


def change_parts_by_path(
    runtime: Runtime,
    x: torch.Tensor,
    donors: torch.Tensor,
    units: UnitSet,
    through: UnitSet,
    read: Read,
    *,
    held: UnitSet | None = None,
    quiet: UnitSet | None = None,
) -> F32:
    """Return the four parts of what sources do to a target, ``(4, n)`` in the order of ``PARTS``.

    Five passes of the network and one more with ``quiet``; exact, whatever lies between.

    Parameters
    ----------
    runtime
        The network.
    x, donors
        Prepared inputs ``(n, ...)``, and those the sources take their values from, row by row.
    units, through
        The two sets.
    read
        The target: from logits ``(n, k)`` to one number an input.
    held
        Units that keep their values on ``x`` in every run.
    quiet
        Units that keep them while it is found what the mediators become.
    """
    names = [*through.layers, *_layers_of_set(held), *_layers_of_set(quiet)]
    base, logits = runtime.run(x, list(dict.fromkeys(names)))
    keep: list[tuple[UnitSet, Any]] = [] if held is None else [(held, base)]
    change = (units, runtime.run(donors, units.layers)[0])
    made, total = run_patched(runtime, x, [*keep, change], through.layers)
    if quiet is not None and quiet.units:
        made, _ = run_patched(runtime, x, [(quiet, base), *keep, change], through.layers)
    _, alone = run_patched(runtime, x, [*keep, (through, made)])
    _, around = run_patched(runtime, x, [*keep, (through, base), change])
    before = read(logits)
    parts = torch.stack([read(out) - before for out in (total, alone, around)])
    rest = parts[0] - parts[1] - parts[2]
    return torch.cat([parts, rest[None]]).detach().float().cpu().numpy()


def _layers_of_set(units: UnitSet | None) -> tuple[str, ...]:
    return () if units is None else units.layers
