"""Ablation of every unit as work for other machines, a layer or a part of one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from circuitz.disk.hashing import arrays_hash, json_hash
from circuitz.effects.ablation.exact_ablation import Ablation, Progress, ablate
from circuitz.jobs.checkpoint import piece_files, run_pieces
from circuitz.jobs.job import Executor, in_order
from circuitz.jobs.network_payload import network_of, network_parts
from circuitz.jobs.serialisation import pack, unpack
from circuitz.models.adapters.weight_arrays import to_numpy
from circuitz.models.run.basis import Basis
from circuitz.models.run.network_facts import axis_of_units, type_in_hashes
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.splice import Spliced
from circuitz.patching.baselines import Fill
from circuitz.patching.from_cut import margins
from circuitz.z.bases import basis_parts, basis_sizes, with_basis

# Units a piece: a wide layer is not left to one worker.
UNITS = 1024
_BASES = "bases."


@dataclass(frozen=True, eq=False)
class AblationJob:
    """Inputs and settings that all pieces share; margins of ``columns`` are read.

    Parameters
    ----------
    runtime, x, fill, donors
        See :func:`circuitz.effects.ablation.exact_ablation.ablate`.
    columns
        Classes.
    bases
        Bases by place (``conv4@nmf``), whose directions are ablated where a layer is so called.
    """

    runtime: Runtime
    x: torch.Tensor
    fill: Fill
    donors: torch.Tensor | None
    columns: Sequence[int]
    bases: Mapping[str, Basis] = field(default_factory=dict[str, Basis])

    @cached_property
    def spliced(self) -> Spliced:
        """The network along the bases."""
        return Spliced(self.runtime, self.bases, self.x[:1])

    def parcel(self) -> bytes:
        """Return the network, the inputs and the settings."""
        facts, arrays = network_parts(self.runtime)
        return pack(facts | self._asked(), arrays | self._given() | self._along())

    def _along(self) -> dict[str, npt.NDArray[Any]]:
        found: dict[str, npt.NDArray[Any]] = {}
        for place, basis in self.bases.items():
            found = with_basis(found, f"{_BASES}{place}", basis.parts())
        return found

    def _asked(self) -> dict[str, Any]:
        return {"fill": self.fill, "columns": list(self.columns)}

    def _given(self) -> dict[str, Any]:
        given = {"x": self.x} | ({} if self.donors is None else {"donors": self.donors})
        # Floats in float32: numpy knows no bfloat16, and they are cast where they are run.
        return {
            n: (x.float() if x.is_floating_point() else x).cpu().numpy() for n, x in given.items()
        }

    def digest(self) -> str:
        """Return a hash of all that results are made from."""
        net = self.runtime.module
        made: list[Any] = [
            "ablation 1",
            arrays_hash(to_numpy(net)),
            arrays_hash(self._given()),
            [self._asked(), self.runtime.head, type_in_hashes(net), str(self.runtime.dtype)],
        ]
        return json_hash([*made, arrays_hash(self._along())] if self.bases else made)

    @classmethod
    def open(cls, parcel: bytes | memoryview) -> Self:
        """Return the job on a worker."""
        facts, arrays = unpack(parcel)
        given = {n: torch.from_numpy(np.array(arrays[n])) for n in ("x", "donors") if n in arrays}
        fill: Any = facts["fill"]
        known = {
            n.removeprefix(_BASES): np.array(a) for n, a in arrays.items() if n.startswith(_BASES)
        }
        bases = {p: Basis.load(basis_parts(known, p), p) for p in basis_sizes(known)}
        return cls(
            network_of(facts, arrays),
            given["x"],
            fill,
            given.get("donors"),
            facts["columns"],
            bases,
        )

    def run(self, piece: bytes | memoryview) -> bytes:
        """Ablate some units of a layer."""
        what, _ = unpack(piece)
        layer = self.spliced.name(what["layer"])
        units = {layer: np.arange(what["first"], what["last"])}
        (found,) = ablate(
            self.spliced.runtime, self.x, [layer], fill=self.fill, donors=self.donors, units=units,
            score=lambda logits: margins(logits, self.runtime.head)[:, self.columns],
        )  # fmt: skip
        return pack({"layer": what["layer"], "method": found.method},
                    {"units": found.units, "drop": found.drop})  # fmt: skip


def ablate_pieces(
    job: AblationJob,
    layers: Sequence[str],
    executor: Executor | None = None,
    progress: Progress | None = None,
    store: Path | None = None,
) -> Iterator[Ablation]:
    """Yield effects of the units of layers, in order, a piece after the other.

    Parameters
    ----------
    job, layers
        What is ablated.
    executor
        Who computes; by default this process.
    progress
        Called with pieces done and pieces in all.
    store
        Folder of finished pieces: what is there is not computed again.
    """
    run, modules = job.spliced.runtime, [job.spliced.name(name) for name in layers]
    acts, _ = run.run(job.x[:1], modules)
    asked: list[dict[str, Any]] = []
    for name, module in zip(layers, modules, strict=True):
        size = acts[module].shape[axis_of_units(run.module, module, acts[module])]
        for first in range(0, size, UNITS):
            asked.append({"layer": name, "first": first, "last": min(size, first + UNITS)})
    pieces = [lambda what=what: pack(what) for what in asked]
    files = piece_files(store, job.digest() if store is not None else "", asked)
    for data in in_order(run_pieces(job, pieces, files, executor, progress)):
        facts, arrays = unpack(data)
        yield Ablation(
            facts["layer"], np.array(arrays["units"]), np.array(arrays["drop"]), facts["method"]
        )
