"""On real workers: the same numbers, nothing lost, nothing computed twice."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

import numpy as np
import pytest
from torch import nn

from circuitz.errors import BuilderError, ClusterError, MeasurementError
from circuitz.jobs.connect import executor_for_cluster
from circuitz.models.run.basis import Basis
from circuitz.models.run.basis_space import basis_unit_space
from circuitz.models.run.runtime import Runtime
from circuitz.responses.sweep_layers import sweep
from circuitz.z.bundle.measurements_io import encode_layer
from circuitz.z.inputs import InputSet


def bytes_of(found):
    return {name: encode_layer(layer) for name, layer in found.items()}


def pids(client):
    return set(client.run(os.getpid).values())


def test_a_sweep_on_workers_is_the_sweep_here_bit_for_bit(dask_cluster, ready):
    runtime, specs, inputs = ready
    draw = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    specs = [*specs, basis_unit_space(specs[1], Basis.from_rows(draw), "mine")]
    here = sweep(runtime, specs, inputs, batch=8, shard=16)
    told: list[tuple[int, int]] = []
    with executor_for_cluster(dask_cluster) as executor:
        there = sweep(
            runtime, specs, inputs, batch=8, shard=16, executor=executor,
            progress=lambda done, n: told.append((done, n)),
        )  # fmt: skip
    assert bytes_of(there) == bytes_of(here)
    assert told == [(i, 5) for i in range(6)], "shards done"


def test_an_address_will_do_and_the_parcel_is_opened_once_a_worker(dask_cluster, ready):
    runtime, specs, inputs = ready

    def forget():
        from circuitz.jobs import dask_executor as dask

        dask._jobs.clear()

    dask_cluster.wait_for_workers(2)
    dask_cluster.run(by_value(forget))
    with executor_for_cluster(dask_cluster.scheduler.address) as executor:
        sweep(runtime, specs, inputs, batch=4, shard=4, responses=False, executor=executor)
    # A worker that was started anew meanwhile has opened none.
    known = dask_cluster.run(
        lambda: list(getattr(sys.modules.get("circuitz.jobs.dask_executor"), "_jobs", ()))
    )
    names = {name for jobs in known.values() for name in jobs}
    assert len(names) == 1
    assert max(map(len, known.values())) == 1


def test_a_worker_killed_in_mid_run_loses_nothing(dask_cluster, ready, tmp_path):
    runtime, specs, _ = ready
    images = np.random.default_rng(3).integers(0, 256, (600, 12, 16, 3), dtype=np.uint8)
    inputs = InputSet(images)
    here = bytes_of(sweep(runtime, specs, inputs, batch=4, shard=20))
    before = pids(dask_cluster)
    assert len(before) == 2
    killed: list[int] = []

    def kill(done, total):
        if done in (4, 12):
            victim = min(before - set(killed))
            killed.append(victim)
            os.kill(victim, signal.SIGKILL)

    with executor_for_cluster(dask_cluster) as executor:
        there = sweep(
            runtime, specs, inputs, batch=4, shard=20, checkpoint=tmp_path, executor=executor,
            progress=kill,
        )  # fmt: skip
    assert set(killed) == before, "both were killed, one after the other"
    assert bytes_of(there) == here
    assert len(list(tmp_path.iterdir())) == 30
    assert not pids(dask_cluster) & before


def test_after_ctrl_c_the_same_goes_on_and_computes_no_shard_twice(dask_cluster, ready, tmp_path):
    runtime, specs, inputs = ready
    settings = {"batch": 8, "shard": 8, "checkpoint": tmp_path}

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with executor_for_cluster(dask_cluster) as executor, pytest.raises(KeyboardInterrupt):
        sweep(runtime, specs, inputs, executor=executor, progress=stop, **settings)
    kept = {f.name: f.stat().st_mtime_ns for f in tmp_path.iterdir()}
    assert len(kept) == 3
    assert all(name.endswith(".safetensors") for name in kept), "nothing half written"
    told: list[int] = []
    with executor_for_cluster(dask_cluster) as executor:
        there = sweep(
            runtime, specs, inputs, executor=executor,
            progress=lambda done, n: told.append(done), **settings,
        )  # fmt: skip
    assert told == [3, 4, 5, 6, 7, 8, 9]
    now = {f.name: f.stat().st_mtime_ns for f in tmp_path.iterdir()}
    assert {name: now[name] for name in kept} == kept
    # What workers did, this process goes on with, and the other way round.
    told.clear()
    here = sweep(runtime, specs, inputs, progress=lambda done, n: told.append(done), **settings)
    assert told == [8, 16, 24, 32, 40, 48, 56, 64, 70]
    assert bytes_of(here) == bytes_of(there)


def test_what_is_wrong_on_a_worker_is_told_here_by_name(dask_cluster, ready):
    runtime, specs, inputs = ready
    with executor_for_cluster(dask_cluster) as executor:
        runtime.module.conv1[0].weight.data.fill_(3e38)
        with pytest.raises(MeasurementError, match="not finite"):
            sweep(runtime, specs, inputs, batch=8, shard=16, executor=executor)


def test_a_network_that_only_exists_here_is_refused(dask_cluster, ready):
    runtime, _, inputs = ready
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    from circuitz.models.run.layer_specs import describe_layers

    alone = Runtime(net, ["0"], runtime.preprocessing)
    specs = describe_layers(net, ["0"], runtime.prepare(inputs.images[:1]))
    with (
        executor_for_cluster(dask_cluster) as executor,
        pytest.raises(BuilderError, match="exists only here"),
    ):
        sweep(alone, specs, inputs, executor=executor)


def test_no_scheduler_no_worker_and_no_cluster_are_named():
    from distributed import Client, LocalCluster

    import circuitz.jobs.dask_executor as room

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_PATIENCE", 1)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
            with (
                pytest.raises(ClusterError, match="No Dask scheduler answers"),
                executor_for_cluster(address),
            ):
                pass
        for wrong in ("nowhere", "http://127.0.0.1:1", ""):
            with (
                pytest.raises(ClusterError, match="No Dask scheduler"),
                executor_for_cluster(wrong),
            ):
                pass
        with (
            LocalCluster(host="127.0.0.1", dashboard_address="127.0.0.1:0", n_workers=0) as cluster,
            Client(cluster, set_as_default=False) as client,
            pytest.raises(ClusterError, match="has no workers"),
            executor_for_cluster(client),
        ):
            pass
    with pytest.raises(ClusterError, match="A int is no cluster"), executor_for_cluster(3):
        pass


def test_workers_without_circuitz_or_of_another_version_are_refused(dask_cluster):
    def broken():
        from distributed import versions

        versions.kept = versions._version_cached
        versions._version_cached = lambda n: "0.0.1" if n == "circuitz" else versions.kept(n)

    def missing():
        from distributed import versions

        versions.kept = versions._version_cached
        versions._version_cached = lambda n: None if n == "circuitz" else versions.kept(n)

    def mended():
        from distributed import versions

        versions._version_cached = versions.kept

    worker = sorted(dask_cluster.scheduler_info()["workers"])[:1]
    for spoil, text in ((broken, "has circuitz 0.0.1"), (missing, "has no circuitz")):
        dask_cluster.run(by_value(spoil), workers=worker)
        try:
            with pytest.raises(ClusterError, match=text), executor_for_cluster(dask_cluster):
                pass
        finally:
            dask_cluster.run(by_value(mended), workers=worker)
    with executor_for_cluster(dask_cluster):
        pass


def by_value(function):
    """Let Dask send a function of this file, which workers cannot import."""
    function.__module__ = "__main__"
    return function


def test_a_cluster_that_goes_away_is_named_and_what_was_done_is_kept(ready, tmp_path):
    from distributed import Client, LocalCluster

    runtime, specs, inputs = ready
    cluster = LocalCluster(
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        protocol="tcp://",
    )
    client = Client(cluster, set_as_default=False)
    gone = threading.Thread(target=cluster.close)

    def leave(done, total):
        if done == 2:
            gone.start()
            time.sleep(1)

    try:
        with executor_for_cluster(client) as executor, pytest.raises(ClusterError) as told:
            sweep(
                runtime, specs, inputs, batch=2, shard=2, checkpoint=tmp_path, executor=executor,
                progress=leave,
            )  # fmt: skip
        assert "lost" in told.value.message
        assert len(list(tmp_path.iterdir())) >= 2
    finally:
        gone.join(20)
        client.close(timeout=2)
        cluster.close()
