"""One pass over the concept set: what every unit of every layer responds to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError
from circuitz.jobs.job import Executor
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.responses.shard import Shard, ShardCache
from circuitz.responses.sweep_shards import Sweep
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import LayerMeasurements

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]


def sweep(
    runtime: Runtime,
    specs: Sequence[LayerSpec | UnitSpace],
    inputs: InputSet,
    *,
    batch: int = 64,
    responses: bool = True,
    relevant: int | None = None,
    embed: LayerSpec | None = None,
    reused: Mapping[str, LayerMeasurements] | None = None,
    checkpoint: Path | None = None,
    shard: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> dict[str, LayerMeasurements]:
    """Measure what all units respond to in one streaming pass.

    Statistics, histograms, exemplars by activation, the activation spectrum, co-active units and
    scores of how much a unit means one thing come from the pass; a second look at the few inputs
    that speak most for each class gives exemplars by relevance. The batch size changes results
    only by rounding.

    Parameters
    ----------
    runtime
        The network.
    specs
        Layers, and bases over layers, to measure all at once.
    inputs
        The concept set (n images).
    batch
        Images at a time.
    responses
        Whether to keep two numbers an image and unit, which concept match and checks need.
        Without them memory does not grow with the number of images.
    relevant
        Inputs a class to search for exemplars by relevance: by default a fortieth of all,
        shared among classes, at least 8 and at most 48 each; 0 leaves relevance out.
    embed
        Layer whose means over positions say how alike two images are; by default the last of
        ``specs`` that is not the logits: in most networks the penultimate layer.
    reused
        Measurements on these very inputs, by place, of units whose responses are what they were.
        Of them only what also depends on the rest of the network is measured: exemplars by
        relevance, and scores by embedding.
    checkpoint
        Folder of finished shards. A sweep that was killed goes on where it was; shards are
        found again by the hash of the network, the settings and their images.
    shard
        Images a shard; by default 4,096, and fewer where there are very many units. The same for
        the same shards, bit for bit, whoever computes them; else up to rounding.
    executor
        Who computes the shards; by default this process, one after the other.
    progress
        Called with images done and images in all, or with shards where an executor is given.

    Returns
    -------
    One :class:`~circuitz.z.measurements.LayerMeasurements` a layer.

    Raises
    ------
    InputsError
        If there are no images, or they do not fit the network.
    MeasurementError
        If a unit's response is not finite.
    BuilderError
        If an executor is given and the network was not made by a registered builder.
    """
    if not len(inputs):
        raise InputsError("The concept set is empty.", "Units are measured on images: add some.")
    job = Sweep.plan(
        runtime, specs, inputs, batch=batch, responses=responses, relevant=relevant, embed=embed,
        reused=reused, shard=shard,
    )  # fmt: skip
    shelf = ShardCache(checkpoint, job.settings_hash() if checkpoint is not None else "")
    kept: list[tuple[tuple[F32, ...], tuple[F32, ...]]] = []
    whole: Shard | None = None
    if executor is None:
        found = _load_or_compute_shards(job, shelf, progress)
    else:
        from circuitz.responses.sweep_job import run_sweep_shards  # noqa: PLC0415 (it needs this class)

        found = run_sweep_shards(job, shelf, executor, progress)
    for part in found:
        kept.append((part.responses, part.peaks))
        whole = (
            part
            if whole is None
            else whole.plus_later(part, job.spaces, inputs.scene, job.reused_exemplars)
        )
    assert whole is not None
    return job.measurements_from_shards(whole, kept, reused or {})


def _load_or_compute_shards(
    job: Sweep, cache: ShardCache, progress: Progress | None
) -> Iterator[Shard]:
    for start, stop in job.shard_ranges():
        file = cache.shard_path(job.inputs, start, stop)
        shard = cache.load_shard(file, len(job.spaces))
        if shard is None:
            shard = job.shard(start, stop, progress)
            cache.save_shard(file, shard)
        elif progress is not None:
            progress(stop, len(job.inputs))
        yield shard
