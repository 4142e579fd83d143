"""A sweep's shards as work for other machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from circuitz.jobs.checkpoint import Progress, run_pieces
from circuitz.jobs.job import Executor, Piece, in_order
from circuitz.jobs.network_payload import network_of, network_parts, spec_of
from circuitz.jobs.serialisation import copied, pack, unpack
from circuitz.models.run.basis import Basis
from circuitz.models.run.unit_space import Place
from circuitz.responses.shard import Shard, Shelf
from circuitz.responses.sweep_layers import Sweep
from circuitz.z.inputs import InputSet

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class SweepJob:
    """A sweep that is opened once a worker and given the images of a shard at a time."""

    sweep: Sweep

    def parcel(self) -> bytes:
        """Return the network, the places that are read, settings, and the scene of each image."""
        job = self.sweep
        facts, arrays = network_parts(job.runtime)
        for i, place in enumerate(job.places):
            if place.basis is not None:
                arrays |= {f"basis.{i}.{n}": a for n, a in place.basis.parts().items()}
        arrays["shown"] = job.shown
        if job.inputs.scene is not None:
            arrays["scene"] = job.inputs.scene
        classes = job.runtime.logits(job.inputs.images[:1]).shape[1]
        facts |= {
            "places": [[asdict(p.spec), asdict(p.layer), p.basis is not None] for p in job.places],
            "embed": asdict(job.embed),
            "batch": job.batch,
            "responses": job.responses,
            "relevant": job.spoken(classes),
            "length": job.length,
            "padding": job.padding,
        }
        return pack(facts, arrays)

    @classmethod
    def open(cls, parcel: bytes | memoryview) -> Self:
        """Return the sweep on a worker, without images."""
        facts, arrays = unpack(parcel)
        places = [
            Place(
                spec_of(spec),
                spec_of(layer),
                Basis.load(copied(arrays, f"basis.{i}."), spec["name"]) if based else None,
            )
            for i, (spec, layer, based) in enumerate(facts["places"])
        ]
        scene = np.array(arrays["scene"]) if "scene" in arrays else None
        return cls(
            Sweep(
                runtime=network_of(facts, arrays),
                places=tuple(places),
                inputs=InputSet(np.zeros((0, 1, 1, 1), np.uint8), scene=scene),
                batch=facts["batch"],
                responses=facts["responses"],
                relevant=facts["relevant"],
                embed=spec_of(facts["embed"]),
                length=facts["length"],
                padding=facts["padding"],
                shown=np.array(arrays["shown"]),
            )
        )

    def piece(self, start: int, stop: int) -> Piece:
        """Return what a worker needs of one shard: its images."""
        images = self.sweep.inputs.images
        return lambda: pack({"start": start}, {"images": np.asarray(images[start:stop])})

    def run(self, piece: bytes | memoryview) -> bytes:
        """Compute one shard."""
        facts, arrays = unpack(piece)
        images, start = np.array(arrays["images"]), facts["start"]
        job = replace(self.sweep, inputs=replace(self.sweep.inputs, images=images))
        return job.shard(start, start + len(images), first=start).write()


def shards(
    sweep: Sweep, shelf: Shelf, executor: Executor, progress: Progress | None
) -> Iterator[Shard]:
    """Yield a sweep's shards in order, those that are not on the shelf computed elsewhere.

    Parameters
    ----------
    sweep, shelf
        What is computed, and where finished shards lie.
    executor
        Who computes.
    progress
        Called with shards done and shards in all.
    """
    job, stretches = SweepJob(sweep), sweep.stretches()
    files = [shelf.file(sweep.inputs, *stretch) for stretch in stretches]
    pieces = [job.piece(*stretch) for stretch in stretches]
    for data in in_order(run_pieces(job, pieces, files, executor, progress)):
        yield Shard.read(data, len(sweep.places), "a shard")
