"""What units do to a class while others are held at what they are on other inputs.

Held units take the values they have on an input of their own, in the run with the change and in the
run without: as where the class is not there (*without* their help) or as where it is (*with* it).
What is left is the effect of the sources given those values, a controlled direct effect in the
words of Pearl (2001).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import InputsError
from circuitz.models.run.runtime import Runtime
from circuitz.patching.patch import UnitSet, run_patched
from circuitz.patching.source_rows import Sources

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
HeldAs = Literal["without", "with"]
BATCH = 64


def draw_donors_for_held_units(
    sources: Sources, rows: I64, k: int, present: bool, seed: int
) -> I64:
    """Return an input that lends held units their values, for each source and donor.

    Parameters
    ----------
    sources
        All inputs.
    rows
        ``(n,)`` the sources.
    k
        The class.
    present
        Whether lenders show the class.
    seed
        The same arguments give the same lenders.

    Returns
    -------
    ``(n, r)`` positions in ``sources``, of the source's split and never the source itself.

    Raises
    ------
    InputsError
        If there is no other input to lend.
    """
    draw = np.random.default_rng([seed, 51])
    found = np.empty((len(rows), sources.donors.shape[2]), np.int64)
    for i, row in enumerate(rows):
        fits = (sources.split == sources.split[row]) & (sources.shows[:, k] == present)
        fits[row] = False
        pool = np.flatnonzero(fits)
        if not len(pool):
            raise InputsError(
                "No other input can lend held units their values.", "Draw more: images=240."
            )
        found[i] = draw.choice(pool, found.shape[1])
    return found


def changes_with_units_held(
    runtime: Runtime,
    images: npt.NDArray[Any],
    source: I64,
    donor: I64,
    held_donor: I64,
    units: UnitSet,
    held: UnitSet,
    read: Callable[[torch.Tensor], torch.Tensor],
    progress: Callable[[int, int], None] | None = None,
) -> F32:
    """Return what units taking a donor's values change while others keep a lender's, ``(t,)``.

    Parameters
    ----------
    runtime, images
        The network, and 8-bit images or token sequences.
    source, donor, held_donor
        ``(t,)`` positions among the images: the input that is changed, the one the units take
        their values from, and the one the held units do.
    units, held
        The two sets.
    read
        From logits ``(n, k)`` to one number an input.
    progress
        Called with trials done, and in all.
    """
    parts: list[torch.Tensor] = []
    for i in range(0, len(source), BATCH):
        at = slice(i, i + BATCH)
        x, lent, other = (
            runtime.prepare(np.asarray(images[place[at]])) for place in (source, donor, held_donor)
        )
        keep = (held, runtime.run(other, held.layers)[0])
        before = read(run_patched(runtime, x, [keep])[1])
        change = (units, runtime.run(lent, units.layers)[0])
        parts.append(read(run_patched(runtime, x, [keep, change])[1]) - before)
        if progress is not None:
            progress(min(i + BATCH, len(source)), len(source))
    return torch.cat(parts).float().cpu().numpy()
