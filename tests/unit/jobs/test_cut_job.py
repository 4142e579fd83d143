"""Effects at the cut in pieces: the same bytes here and on workers, nothing lost, nothing twice."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import torch

from circuitz.measurement.measure import measure
from circuitz.models.zoo.builders import build
from circuitz.wrapping.wrap import wrap
from circuitz.z.bundle.measurements_io import encode_layer
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

SETTINGS = {"images": 12, "pictures": False}
FIELDS = ("sufficiency", "necessity", "drive", "scale", "span", "group_sufficiency",
          "group_necessity")  # fmt: skip


def made(cut):
    """A z with D, whose classes are what its network says of random colours."""
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 3, "widths": [4, 20], "strides": [2, 1]}).eval()
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (90, 3, 4, 3), dtype=np.uint8).repeat(4, 1).repeat(4, 2)
    prep = Preprocessing(size=(12, 16))
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        net.head.bias -= net((x - 0.5) / 0.25).mean(0)
        labels = net((x - 0.5) / 0.25).argmax(1).numpy()
    assert np.bincount(labels, minlength=3).min() >= 9
    data = InputSet(images, labels=labels, classes=("a", "b", "c"))
    shown = draw.integers(0, 2, (60, 2)).astype(np.float32)
    concepts = InputSet(images[:60], concepts=shown, concept_names=("snow", "grass"),
                        role="concepts")  # fmt: skip
    z = wrap(net, data, layers=["conv1", "conv2"], cut=cut, preprocess=prep)
    z = z.annotate(f"{cut}:0", "snow").annotate(f"{cut}:1", "grass").annotate(f"{cut}:2", "snow")
    return z, concepts


def same(one, other):
    a, b = one.measurements, other.measurements
    assert a.effects.units == b.effects.units
    assert a.effects.groups == b.effects.groups
    for name in FIELDS:
        assert getattr(a.effects, name).tobytes() == getattr(b.effects, name).tobytes(), name
    assert {n: encode_layer(m) for n, m in a.layers.items()} == {
        n: encode_layer(m) for n, m in b.layers.items()
    }


@pytest.mark.parametrize("cut", ["conv1", "conv2"])
def test_effects_on_workers_are_those_here_bit_for_bit(dask_cluster, tmp_path, cut):
    z, concepts = made(cut)
    here = measure(z, concepts, **SETTINGS)
    assert np.nanmax(np.abs(here.measurements.effects.sufficiency)) > 0
    assert len(here.measurements.effects.groups) >= 3
    same(measure(z, concepts, cluster=dask_cluster, **SETTINGS), here)
    kept = measure(z, concepts, cluster=dask_cluster, checkpoint=tmp_path, **SETTINGS)
    same(kept, here)
    before = {f.name: f.stat().st_mtime_ns for f in tmp_path.iterdir()}
    # One shard of the concept set, eight units a piece, and the sets.
    assert len(before) == 1 + {"conv1": 1, "conv2": 3}[cut] + 1
    same(measure(z, concepts, checkpoint=tmp_path, **SETTINGS), here)
    assert before == {f.name: f.stat().st_mtime_ns for f in tmp_path.iterdir()}, "done once"


def test_a_worker_killed_among_the_effects_loses_nothing(dask_cluster, tmp_path):
    z, concepts = made("conv2")
    here = measure(z, concepts, **SETTINGS)
    before = set(dask_cluster.run(os.getpid).values())
    killed: list[int] = []

    def kill(done, total):
        # The sweep is two fifths of the bar; then come the sources, then the units.
        if len(list(tmp_path.iterdir())) >= 2 and not killed:
            killed.append(min(before))
            os.kill(killed[0], signal.SIGKILL)

    there = measure(
        z, concepts, cluster=dask_cluster, checkpoint=tmp_path, progress=kill, **SETTINGS
    )
    assert killed
    same(there, here)


def test_what_an_interrupted_run_finished_is_not_run_again(tmp_path, monkeypatch):
    z, concepts = made("conv2")

    def stop(done, total):
        if len(list(tmp_path.iterdir())) >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(z, concepts, checkpoint=tmp_path, progress=stop, **SETTINGS)
    from circuitz.measurement.cut_job import CutJob

    ran: list[int] = []
    once = CutJob.run
    monkeypatch.setattr(CutJob, "run", lambda job, piece: ran.append(1) or once(job, piece))
    there = measure(z, concepts, checkpoint=tmp_path, **SETTINGS)
    assert len(ran) == 3 + 1 - 2, "two of three pieces of units were there"
    same(there, measure(z, concepts, **SETTINGS))
    damaged = sorted(tmp_path.iterdir())[0]
    damaged.write_bytes(b"half a file")
    same(measure(z, concepts, checkpoint=tmp_path, **SETTINGS), there)
