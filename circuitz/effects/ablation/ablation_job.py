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
from circuitz.effects.ablation.exact_ablation import Ablation, Progress, ablate_each_unit
from circuitz.jobs.checkpoint import piece_result_paths, run_unfinished_pieces
from circuitz.jobs.job import Executor, yield_in_piece_order
from circuitz.jobs.network_payload import runtime_from_facts_and_arrays, runtime_to_facts_and_arrays
from circuitz.jobs.serialisation import deserialise_payload, serialise_payload
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.basis import Basis
from circuitz.models.run.network_facts import class_name_for_hashes
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.spliced_network import SplicedNetwork
from circuitz.models.run.unit_axes import unit_axis
from circuitz.patching.baselines import Fill
from circuitz.patching.from_cut import class_margins
from circuitz.z.bases import arrays_with_basis_replaced, basis_parts, basis_sizes

# Units a piece: a wide layer is not left to one worker.
UNITS = 1024
_BASES = "bases."


@dataclass(frozen=True, eq=False)
class AblationJob:
    """Inputs and settings that all pieces share; margins of ``columns`` are read.

    Parameters
    ----------
    runtime, x, fill, donors
        See :func:`circuitz.effects.ablation.exact_ablation.ablate_each_unit`.
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
    def spliced_network(self) -> SplicedNetwork:
        """The network along the bases."""
        return SplicedNetwork(self.runtime, self.bases, self.x[:1])

    def payload(self) -> bytes:
        """Return the network, the inputs and the settings."""
        facts, arrays = runtime_to_facts_and_arrays(self.runtime)
        return serialise_payload(
            facts | self._fill_and_columns(),
            arrays | self._inputs_and_donors_as_arrays() | self._basis_arrays(),
        )

    def _basis_arrays(self) -> dict[str, npt.NDArray[Any]]:
        found: dict[str, npt.NDArray[Any]] = {}
        for place, basis in self.bases.items():
            found = arrays_with_basis_replaced(found, f"{_BASES}{place}", basis.to_arrays())
        return found

    def _fill_and_columns(self) -> dict[str, Any]:
        return {"fill": self.fill, "columns": list(self.columns)}

    def _inputs_and_donors_as_arrays(self) -> dict[str, Any]:
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
            arrays_hash(weights_to_numpy(net)),
            arrays_hash(self._inputs_and_donors_as_arrays()),
            [
                self._fill_and_columns(),
                self.runtime.head,
                class_name_for_hashes(net),
                str(self.runtime.dtype),
            ],
        ]
        return json_hash([*made, arrays_hash(self._basis_arrays())] if self.bases else made)

    @classmethod
    def open(cls, payload: bytes | memoryview) -> Self:
        """Return the job on a worker."""
        facts, arrays = deserialise_payload(payload)
        given = {n: torch.from_numpy(np.array(arrays[n])) for n in ("x", "donors") if n in arrays}
        fill: Any = facts["fill"]
        known = {
            n.removeprefix(_BASES): np.array(a) for n, a in arrays.items() if n.startswith(_BASES)
        }
        bases = {p: Basis.from_arrays(basis_parts(known, p), p) for p in basis_sizes(known)}
        return cls(
            runtime_from_facts_and_arrays(facts, arrays),
            given["x"],
            fill,
            given.get("donors"),
            facts["columns"],
            bases,
        )

    def run(self, piece: bytes | memoryview) -> bytes:
        """Ablate some units of a layer."""
        what, _ = deserialise_payload(piece)
        layer = self.spliced_network.module_name(what["layer"])
        units = {layer: np.arange(what["first"], what["last"])}
        (found,) = ablate_each_unit(
            self.spliced_network.runtime, self.x, [layer], fill=self.fill, donors=self.donors, units=units,
            score=lambda logits: class_margins(logits, self.runtime.head)[:, self.columns],
        )  # fmt: skip
        return serialise_payload({"layer": what["layer"], "method": found.method},
                    {"units": found.units, "drop": found.drop})  # fmt: skip


def yield_ablations_by_piece(
    job: AblationJob,
    layers: Sequence[str],
    executor: Executor | None = None,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
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
    checkpoint
        Folder of finished pieces: what is there is not computed again.
    """
    run, modules = (
        job.spliced_network.runtime,
        [job.spliced_network.module_name(name) for name in layers],
    )
    acts, _ = run.run(job.x[:1], modules)
    asked: list[dict[str, Any]] = []
    for name, module in zip(layers, modules, strict=True):
        size = acts[module].shape[unit_axis(run, module)]
        for first in range(0, size, UNITS):
            asked.append({"layer": name, "first": first, "last": min(size, first + UNITS)})
    pieces = [lambda what=what: serialise_payload(what) for what in asked]
    files = piece_result_paths(checkpoint, job.digest() if checkpoint is not None else "", asked)
    for data in yield_in_piece_order(run_unfinished_pieces(job, pieces, files, executor, progress)):
        facts, arrays = deserialise_payload(data)
        yield Ablation(
            facts["layer"], np.array(arrays["units"]), np.array(arrays["drop"]), facts["method"]
        )
