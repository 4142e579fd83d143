"""The effects of a cut's units as pieces of work: some units, or some sets of units, at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from circuitz.disk.hashing import arrays_hash, json_hash
from circuitz.jobs.checkpoint import Progress, piece_result_paths, run_unfinished_pieces
from circuitz.jobs.job import Executor, yield_in_piece_order
from circuitz.jobs.network_payload import (
    layer_spec_from_json,
    runtime_from_facts_and_arrays,
    runtime_to_facts_and_arrays,
)
from circuitz.jobs.serialisation import copy_prefixed_arrays, deserialise_payload, serialise_payload
from circuitz.measurement.activation_effect import OffOnPairs, margin_change_off_to_on
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.network_facts import class_name_for_hashes
from circuitz.models.run.runtime import Runtime
from circuitz.patching.from_cut import Downstream
from circuitz.patching.source_rows import Sources
from circuitz.patching.trials import (
    sufficiency_and_necessity_by_group,
    sufficiency_and_necessity_by_unit,
)
from circuitz.z.layer import LayerSpec

Array = npt.NDArray[Any]
F32 = npt.NDArray[np.float32]

# Of a wide layer: a piece is worth the way to another machine, and is lost when that dies.
_PIECES = 256
_UNITS = 8
_GROUPS = 4


@dataclass(frozen=True, eq=False)
class CutJob:
    """What all pieces share; every unit and set is run by itself, so that any pieces give the same.

    Parameters
    ----------
    runtime, spec
        The network, and the layer of the cut.
    acts
        ``(m, ...)`` what it puts out on the sources, and then on the pool units are switched on.
    sources
        The sources and their donors.
    switch
        Where units are off and on, in the pool.
    scale
        ``(k,)`` whole effect of each class.
    """

    runtime: Runtime
    spec: LayerSpec
    acts: torch.Tensor
    sources: Sources
    switch: OffOnPairs
    scale: F32

    @cached_property
    def downstream(self) -> Downstream:
        """What follows the cut."""
        return Downstream(self.runtime, self.spec, self.acts)

    def _shared_arrays(self) -> dict[str, Array]:
        # In float32: numpy knows no bfloat16, and nothing is lost.
        found: dict[str, Array] = {"acts": self.acts.float().cpu().numpy(), "scale": self.scale}
        for name, part in (("sources", self.sources), ("switch", self.switch)):
            found |= {f"{name}.{f.name}": getattr(part, f.name) for f in fields(part)}
        return found

    def payload(self) -> bytes:
        """Return the network from the cut on, and what it is asked about."""
        facts, arrays = runtime_to_facts_and_arrays(self.runtime)
        facts |= {"spec": asdict(self.spec), "channels_last": _is_channels_last(self.acts)}
        return serialise_payload(facts, arrays | self._shared_arrays())

    @classmethod
    def open(cls, payload: bytes | memoryview) -> Self:
        """Return the job on a worker."""
        facts, arrays = deserialise_payload(payload)
        run = runtime_from_facts_and_arrays(facts, arrays)
        acts = torch.from_numpy(np.array(arrays["acts"])).to(run.device, run.dtype)
        if facts["channels_last"]:  # sums are rounded in the order they lie in memory
            acts = acts.to(memory_format=torch.channels_last)
        return cls(
            runtime=run,
            spec=layer_spec_from_json(facts["spec"]),
            acts=acts,
            sources=Sources(**copy_prefixed_arrays(arrays, "sources.")),
            switch=OffOnPairs(**copy_prefixed_arrays(arrays, "switch.")),
            scale=np.array(arrays["scale"]),
        )

    def run(self, piece: bytes | memoryview) -> bytes:
        """Run some units by themselves, or some sets."""
        what, _ = deserialise_payload(piece)
        if "groups" in what:
            found = sufficiency_and_necessity_by_group(
                self.downstream, self.sources, self.scale, what["groups"]
            )
            return serialise_payload(
                {}, dict(zip(("sufficiency", "necessity"), found, strict=True))
            )
        units = slice(what["first"], what["last"])
        sufficiency, necessity = sufficiency_and_necessity_by_unit(
            self.downstream, self.sources, self.scale, units=units
        )
        driven, error = margin_change_off_to_on(
            self.downstream, self.switch, len(self.sources), self.scale, units
        )
        return serialise_payload(
            {},
            {
                "sufficiency": sufficiency,
                "necessity": necessity,
                "drive": driven,
                "drive_error": error,
            },
        )

    def hash_of_job_inputs(self) -> str:
        """Return a hash of all that results are made from."""
        how = self.runtime.preprocessing
        return json_hash(
            [
                "cut effects 2",
                arrays_hash(weights_to_numpy(self.runtime.module)),
                arrays_hash(self._shared_arrays()),
                [asdict(self.spec), asdict(how), self.runtime.head, str(self.runtime.dtype)],
                class_name_for_hashes(self.runtime.module),
            ]
        )

    def measure_unit_effects(
        self, checkpoint: Path | None, executor: Executor | None, progress: Progress | None
    ) -> dict[str, F32]:
        """Return ``sufficiency`` and ``necessity`` ``(n, u, k)``, ``drive`` and its error ``(u, k)``.

        Parameters
        ----------
        checkpoint
            Folder of finished pieces.
        executor
            Who runs them; by default this process.
        progress
            Called with pieces done, and in all.
        """
        size = self.spec.size
        step = max(_UNITS, -(-size // _PIECES))
        asked = [{"first": i, "last": min(i + step, size)} for i in range(0, size, step)]
        parts = [
            deserialise_payload(data)[1]
            for data in self._run_pieces(asked, checkpoint, executor, progress)
        ]
        found = {n: np.concatenate([p[n] for p in parts], 1) for n in ("sufficiency", "necessity")}
        return found | {n: np.concatenate([p[n] for p in parts]) for n in ("drive", "drive_error")}

    def measure_group_effects(
        self, groups: Sequence[Sequence[int]], checkpoint: Path | None, executor: Executor | None
    ) -> tuple[F32, F32]:
        """Return sufficiency and necessity of sets, ``(g, n, k)`` each."""
        step = _GROUPS
        asked = [{"groups": [list(g) for g in groups[i : i + step]]}
                 for i in range(0, len(groups), step)]  # fmt: skip
        parts = [
            deserialise_payload(data)[1]
            for data in self._run_pieces(asked, checkpoint, executor, None)
        ]
        return (
            np.concatenate([p["sufficiency"] for p in parts]),
            np.concatenate([p["necessity"] for p in parts]),
        )

    def _run_pieces(
        self,
        requests: Sequence[dict[str, Any]],
        checkpoint: Path | None,
        executor: Executor | None,
        progress: Progress | None,
    ) -> Iterator[bytes]:
        pieces = [lambda what=what: serialise_payload(what) for what in requests]
        files = piece_result_paths(
            checkpoint, self.hash_of_job_inputs() if checkpoint is not None else "", requests
        )
        return yield_in_piece_order(run_unfinished_pieces(self, pieces, files, executor, progress))


def _is_channels_last(acts: torch.Tensor) -> bool:
    return (
        acts.ndim == 4
        and not acts.is_contiguous()
        and acts.is_contiguous(memory_format=torch.channels_last)
    )
