from __future__ import annotations

import numpy as np
import pytest

from circuitz.cluster.connect import connected
from circuitz.effects.ablation import ablate
from circuitz.effects.ablation_job import AblationJob, ablate_elsewhere
from circuitz.effects.downstream import margins


@pytest.mark.parametrize("fill", ["zero", "mean", "resample"])
def test_effects_of_all_units_on_workers_are_those_here_bit_for_bit(dask_cluster, ready, fill):
    runtime, _, inputs = ready
    x = runtime.prepare(inputs.images[:12])
    donors = x.flip(0) if fill == "resample" else None
    layers = ["conv1", "conv2"]
    here = list(
        ablate(
            runtime,
            x,
            layers,
            fill=fill,
            donors=donors,
            batch=12,
            score=lambda logits: margins(logits)[:, [2, 0]],
        )
    )
    told: list[int] = []
    with connected(dask_cluster) as executor:
        job = AblationJob(runtime, x, fill, donors, [2, 0])
        there = list(
            ablate_elsewhere(job, layers, executor, progress=lambda done, n: told.append(done))
        )
    assert told == [0, 1, 2]
    for a, b in zip(here, there, strict=True):
        assert (a.layer, a.method) == (b.layer, b.method)
        assert np.array_equal(a.units, b.units)
        assert a.drop.tobytes() == b.drop.tobytes()
        assert np.abs(a.drop).max() > 0


def test_the_verb_takes_a_cluster_and_gives_the_same_table(dask_cluster, ready):
    from circuitz.effects.table import ablate as table

    runtime, _, inputs = ready
    x = runtime.prepare(inputs.images[:8])
    here = table(runtime.module, x, layers=["conv1", "conv2"])
    there = table(runtime.module, x, layers=["conv1", "conv2"], cluster=dask_cluster)
    assert here.equals(there)
