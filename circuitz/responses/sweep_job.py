"""A sweep's shards as work for other machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from circuitz.jobs.checkpoint import Progress, run_unfinished_pieces
from circuitz.jobs.job import Executor, Piece, yield_in_piece_order
from circuitz.jobs.network_payload import (
    layer_spec_from_json,
    runtime_from_facts_and_arrays,
    runtime_to_facts_and_arrays,
)
from circuitz.jobs.serialisation import copy_prefixed_arrays, deserialise_payload, serialise_payload
from circuitz.models.run.basis import Basis
from circuitz.models.run.unit_space import UnitSpace
from circuitz.responses.shard import Shard, ShardCache
from circuitz.responses.sweep_shards import Sweep
from circuitz.z.inputs import InputSet

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class SweepJob:
    """A sweep that is opened once a worker and given the images of a shard at a time."""

    sweep: Sweep

    def payload(self) -> bytes:
        """Return the network, the places that are read, settings, and the scene of each image."""
        job = self.sweep
        facts, arrays = runtime_to_facts_and_arrays(job.runtime)
        for i, place in enumerate(job.spaces):
            if place.basis is not None:
                arrays |= {f"basis.{i}.{n}": a for n, a in place.basis.to_arrays().items()}
        arrays["shown"] = job.reused_exemplars
        if job.inputs.scene is not None:
            arrays["scene"] = job.inputs.scene
        classes = job.runtime.logits(job.inputs.images[:1]).shape[1]
        facts |= {
            "places": [[asdict(p.spec), asdict(p.layer), p.basis is not None] for p in job.spaces],
            "embed": asdict(job.embed),
            "batch": job.batch,
            "responses": job.responses,
            "relevant": job.relevance_candidates_per_class(classes),
            "length": job.length,
            "padding": job.padding,
        }
        return serialise_payload(facts, arrays)

    @classmethod
    def open(cls, payload: bytes | memoryview) -> Self:
        """Return the sweep on a worker, without images."""
        facts, arrays = deserialise_payload(payload)
        places = [
            UnitSpace(
                layer_spec_from_json(spec),
                layer_spec_from_json(layer),
                Basis.from_arrays(copy_prefixed_arrays(arrays, f"basis.{i}."), spec["name"])
                if based
                else None,
            )
            for i, (spec, layer, based) in enumerate(facts["places"])
        ]
        scene = np.array(arrays["scene"]) if "scene" in arrays else None
        return cls(
            Sweep(
                runtime=runtime_from_facts_and_arrays(facts, arrays),
                spaces=tuple(places),
                inputs=InputSet(np.zeros((0, 1, 1, 1), np.uint8), scene=scene),
                batch=facts["batch"],
                responses=facts["responses"],
                relevant=facts["relevant"],
                embed=layer_spec_from_json(facts["embed"]),
                length=facts["length"],
                padding=facts["padding"],
                reused_exemplars=np.array(arrays["shown"]),
            )
        )

    def piece(self, start: int, stop: int) -> Piece:
        """Return what a worker needs of one shard: its images."""
        images = self.sweep.inputs.images
        return lambda: serialise_payload(
            {"start": start}, {"images": np.asarray(images[start:stop])}
        )

    def run(self, piece: bytes | memoryview) -> bytes:
        """Compute one shard."""
        facts, arrays = deserialise_payload(piece)
        images, start = np.array(arrays["images"]), facts["start"]
        job = replace(self.sweep, inputs=replace(self.sweep.inputs, images=images))
        return job.shard(start, start + len(images), first=start).to_bytes()


def run_sweep_shards(
    sweep: Sweep, cache: ShardCache, executor: Executor, progress: Progress | None
) -> Iterator[Shard]:
    """Yield a sweep's shards in order, those that are not on the shelf computed elsewhere.

    Parameters
    ----------
    sweep, cache
        What is computed, and where finished shards lie.
    executor
        Who computes.
    progress
        Called with shards done and shards in all.
    """
    job, stretches = SweepJob(sweep), sweep.shard_ranges()
    files = [cache.shard_path(sweep.inputs, *stretch) for stretch in stretches]
    pieces = [job.piece(*stretch) for stretch in stretches]
    for data in yield_in_piece_order(run_unfinished_pieces(job, pieces, files, executor, progress)):
        yield Shard.from_bytes(data, len(sweep.spaces), "a shard")
