from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import torch

from circuitz.effects.ablation.ablation_job import AblationJob, yield_ablations_by_piece
from circuitz.effects.ablation.exact_ablation import ablate_each_unit
from circuitz.jobs.connect import executor_for_cluster
from circuitz.patching.from_cut import class_margins


@pytest.mark.parametrize("fill", ["zero", "mean", "resample"])
def test_effects_of_all_units_on_workers_are_those_here_bit_for_bit(dask_cluster, ready, fill):
    runtime, _, inputs = ready
    x = runtime.prepare(inputs.images[:12])
    donors = x.flip(0) if fill == "resample" else None
    layers = ["conv1", "conv2"]
    here = list(
        ablate_each_unit(
            runtime,
            x,
            layers,
            fill=fill,
            donors=donors,
            batch=12,
            score=lambda logits: class_margins(logits)[:, [2, 0]],
        )
    )
    told: list[int] = []
    with executor_for_cluster(dask_cluster) as executor:
        job = AblationJob(runtime, x, fill, donors, [2, 0])
        there = list(
            yield_ablations_by_piece(
                job, layers, executor, progress=lambda done, n: told.append(done)
            )
        )
    assert told == [0, 1, 2]
    for a, b in zip(here, there, strict=True):
        assert (a.layer, a.method) == (b.layer, b.method)
        assert np.array_equal(a.units, b.units)
        assert a.drop.tobytes() == b.drop.tobytes()
        assert np.abs(a.drop).max() > 0


def test_the_verb_takes_a_cluster_and_gives_the_same_table(dask_cluster, ready):
    from circuitz.effects.ablation.ablate import ablate as table

    runtime, _, inputs = ready
    x = runtime.prepare(inputs.images[:8])
    here = table(runtime.module, x, layers=["conv1", "conv2"])
    there = table(runtime.module, x, layers=["conv1", "conv2"], cluster=dask_cluster)
    assert here.equals(there)


def test_finished_layers_are_kept_and_not_computed_again(ready, tmp_path, monkeypatch):
    from circuitz.effects.ablation.ablate import ablate as table

    runtime, _, inputs = ready
    x = runtime.prepare(inputs.images[:8])
    asked = {"layers": ["conv1", "conv2"], "checkpoint": tmp_path}

    def stop(done, total):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        table(runtime.module, x, progress=stop, **asked)
    assert len(list(tmp_path.iterdir())) == 1
    ran: list[int] = []
    once = AblationJob.run
    monkeypatch.setattr(AblationJob, "run", lambda job, piece: ran.append(1) or once(job, piece))
    found = table(runtime.module, x, **asked)
    assert len(ran) == 1, "the other layer"
    assert found.equals(table(runtime.module, x, layers=["conv1", "conv2"]))
    table(runtime.module, x, fill="mean", **asked)
    assert len(ran) == 3, "another question is another piece"
    with torch.no_grad():
        runtime.module.head.bias += 1
    table(runtime.module, x, **asked)
    assert len(ran) == 5, "and so is another network"


def test_a_worker_killed_in_mid_ablation_loses_nothing(dask_cluster, ready, tmp_path):
    runtime, _, inputs = ready
    x = runtime.prepare(inputs.images[:12])
    layers = ["conv1", "conv2", "head"]
    job = AblationJob(runtime, x, "zero", None, [0, 1, 2])
    here = list(yield_ablations_by_piece(job, layers))
    before = set(dask_cluster.run(os.getpid).values())

    def kill(done, total):
        if done == 1:
            os.kill(min(before), signal.SIGKILL)

    with executor_for_cluster(dask_cluster) as executor:
        there = list(yield_ablations_by_piece(job, layers, executor, kill, tmp_path))
    for a, b in zip(here, there, strict=True):
        assert (a.layer, a.drop.tobytes()) == (b.layer, b.drop.tobytes())
    assert len(list(tmp_path.iterdir())) == 3
