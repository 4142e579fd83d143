"""Ablation of every unit as work for other machines, a layer or a part of one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch

from circuitz.cluster.checkpoint import run_pieces
from circuitz.cluster.job import Executor, Piece, in_order
from circuitz.cluster.network import network_of, network_parts
from circuitz.cluster.wire import pack, unpack
from circuitz.effects.ablation import Ablation, Fill, Progress, ablate
from circuitz.effects.downstream import margins
from circuitz.models.network import axis_of_units
from circuitz.models.runtime import Runtime

# Units a piece: a wide layer is not left to one worker.
UNITS = 1024


@dataclass(frozen=True, eq=False)
class AblationJob:
    """Inputs and settings that all pieces share; margins of ``columns`` are read.

    Parameters
    ----------
    runtime, x, fill, donors
        See :func:`circuitz.effects.ablation.ablate`.
    columns
        Classes.
    """

    runtime: Runtime
    x: torch.Tensor
    fill: Fill
    donors: torch.Tensor | None
    columns: Sequence[int]

    def parcel(self) -> bytes:
        """Return the network, the inputs and the settings."""
        facts, arrays = network_parts(self.runtime)
        arrays["x"] = self.x.cpu().numpy()
        if self.donors is not None:
            arrays["donors"] = self.donors.cpu().numpy()
        return pack(facts | {"fill": self.fill, "columns": list(self.columns)}, arrays)

    @classmethod
    def open(cls, parcel: bytes | memoryview) -> Self:
        """Return the job on a worker."""
        facts, arrays = unpack(parcel)
        given = {n: torch.from_numpy(np.array(arrays[n])) for n in ("x", "donors") if n in arrays}
        fill: Any = facts["fill"]
        return cls(
            network_of(facts, arrays), given["x"], fill, given.get("donors"), facts["columns"]
        )

    def run(self, piece: bytes | memoryview) -> bytes:
        """Ablate some units of a layer."""
        what, _ = unpack(piece)
        units = {what["layer"]: np.arange(what["first"], what["last"])}
        (found,) = ablate(
            self.runtime, self.x, [what["layer"]], fill=self.fill, donors=self.donors, units=units,
            score=lambda logits: margins(logits, self.runtime.head)[:, self.columns],
        )  # fmt: skip
        return pack({"layer": found.layer, "method": found.method},
                    {"units": found.units, "drop": found.drop})  # fmt: skip


def ablate_elsewhere(
    job: AblationJob, layers: Sequence[str], executor: Executor, progress: Progress | None = None
) -> Iterator[Ablation]:
    """Yield effects of the units of layers, computed by somebody else, in order.

    Parameters
    ----------
    job, layers
        What is ablated.
    executor
        Who computes.
    progress
        Called with pieces done and pieces in all.
    """
    acts, _ = job.runtime.run(job.x[:1], layers)
    pieces: list[Piece] = []
    for name in layers:
        size = acts[name].shape[axis_of_units(job.runtime.module, name, acts[name])]
        for first in range(0, size, UNITS):
            what = {"layer": name, "first": first, "last": min(size, first + UNITS)}
            pieces.append(lambda what=what: pack(what))
    files = [None] * len(pieces)
    for data in in_order(run_pieces(job, pieces, files, executor, progress)):
        facts, arrays = unpack(data)
        yield Ablation(
            facts["layer"], np.array(arrays["units"]), np.array(arrays["drop"]), facts["method"]
        )
