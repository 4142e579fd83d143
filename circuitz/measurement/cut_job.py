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
from circuitz.jobs.checkpoint import Progress, piece_files, run_pieces
from circuitz.jobs.job import Executor, in_order
from circuitz.jobs.network_payload import network_of, network_parts, spec_of
from circuitz.jobs.serialisation import copied, pack, unpack
from circuitz.measurement.activation_effect import Switch, drive
from circuitz.models.adapters.weight_arrays import to_numpy
from circuitz.models.run.network_facts import type_in_hashes
from circuitz.models.run.runtime import Runtime
from circuitz.patching.from_cut import Downstream
from circuitz.patching.source_rows import Sources
from circuitz.patching.trials import group_effects, single_effects
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
    switch: Switch
    scale: F32

    @cached_property
    def down(self) -> Downstream:
        """What follows the cut."""
        return Downstream(self.runtime, self.spec, self.acts)

    def _shared(self) -> dict[str, Array]:
        # In float32: numpy knows no bfloat16, and nothing is lost.
        found: dict[str, Array] = {"acts": self.acts.float().cpu().numpy(), "scale": self.scale}
        for name, part in (("sources", self.sources), ("switch", self.switch)):
            found |= {f"{name}.{f.name}": getattr(part, f.name) for f in fields(part)}
        return found

    def parcel(self) -> bytes:
        """Return the network from the cut on, and what it is asked about."""
        facts, arrays = network_parts(self.runtime)
        facts |= {"spec": asdict(self.spec), "channels_last": _channels_last(self.acts)}
        return pack(facts, arrays | self._shared())

    @classmethod
    def open(cls, parcel: bytes | memoryview) -> Self:
        """Return the job on a worker."""
        facts, arrays = unpack(parcel)
        run = network_of(facts, arrays)
        acts = torch.from_numpy(np.array(arrays["acts"])).to(run.device, run.dtype)
        if facts["channels_last"]:  # sums are rounded in the order they lie in memory
            acts = acts.to(memory_format=torch.channels_last)
        return cls(
            runtime=run,
            spec=spec_of(facts["spec"]),
            acts=acts,
            sources=Sources(**copied(arrays, "sources.")),
            switch=Switch(**copied(arrays, "switch.")),
            scale=np.array(arrays["scale"]),
        )

    def run(self, piece: bytes | memoryview) -> bytes:
        """Run some units by themselves, or some sets."""
        what, _ = unpack(piece)
        if "groups" in what:
            found = group_effects(self.down, self.sources, self.scale, what["groups"])
            return pack({}, dict(zip(("sufficiency", "necessity"), found, strict=True)))
        units = slice(what["first"], what["last"])
        sufficiency, necessity = single_effects(self.down, self.sources, self.scale, units=units)
        driven = drive(self.down, self.switch, len(self.sources), self.scale, units)
        return pack(
            {}, {"sufficiency": sufficiency, "necessity": necessity, "drive": driven}
        )  # fmt: skip

    def digest(self) -> str:
        """Return a hash of all that results are made from."""
        how = self.runtime.preprocessing
        return json_hash(
            [
                "cut effects 1",
                arrays_hash(to_numpy(self.runtime.module)),
                arrays_hash(self._shared()),
                [asdict(self.spec), asdict(how), self.runtime.head, str(self.runtime.dtype)],
                type_in_hashes(self.runtime.module),
            ]
        )

    def singles(
        self, store: Path | None, executor: Executor | None, progress: Progress | None
    ) -> dict[str, F32]:
        """Return ``sufficiency`` and ``necessity`` ``(n, u, k)``, and ``drive`` ``(u, k)``.

        Parameters
        ----------
        store
            Folder of finished pieces.
        executor
            Who runs them; by default this process.
        progress
            Called with pieces done, and in all.
        """
        size = self.spec.size
        step = max(_UNITS, -(-size // _PIECES))
        asked = [{"first": i, "last": min(i + step, size)} for i in range(0, size, step)]
        parts = [unpack(data)[1] for data in self._done(asked, store, executor, progress)]
        found = {n: np.concatenate([p[n] for p in parts], 1) for n in ("sufficiency", "necessity")}
        return found | {"drive": np.concatenate([p["drive"] for p in parts])}

    def groups(
        self, groups: Sequence[Sequence[int]], store: Path | None, executor: Executor | None
    ) -> tuple[F32, F32]:
        """Return sufficiency and necessity of sets, ``(g, n, k)`` each."""
        step = _GROUPS
        asked = [{"groups": [list(g) for g in groups[i : i + step]]}
                 for i in range(0, len(groups), step)]  # fmt: skip
        parts = [unpack(data)[1] for data in self._done(asked, store, executor, None)]
        return (
            np.concatenate([p["sufficiency"] for p in parts]),
            np.concatenate([p["necessity"] for p in parts]),
        )

    def _done(
        self,
        asked: Sequence[dict[str, Any]],
        store: Path | None,
        executor: Executor | None,
        progress: Progress | None,
    ) -> Iterator[bytes]:
        pieces = [lambda what=what: pack(what) for what in asked]
        files = piece_files(store, self.digest() if store is not None else "", asked)
        return in_order(run_pieces(self, pieces, files, executor, progress))


def _channels_last(acts: torch.Tensor) -> bool:
    return (
        acts.ndim == 4
        and not acts.is_contiguous()
        and acts.is_contiguous(memory_format=torch.channels_last)
    )
