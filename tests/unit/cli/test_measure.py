"""``circuitz measure``: into the bundle, here or on a cluster, with the same numbers."""

from __future__ import annotations

import json
import shutil

import torch
from typer.testing import CliRunner

from circuitz.cli import app
from circuitz.errors import ClusterError
from circuitz.models.zoo.builders import build
from circuitz.wrapping.wrap import wrap
from circuitz.z.bundle.load_save import load
from circuitz.z.bundle.measurements_io import encode_layer
from circuitz.z.layer import Preprocessing


def test_measured_here_and_on_a_cluster_alike(block_world, tmp_path):
    from distributed import LocalCluster

    data, concepts = block_world
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 3, "widths": [4, 6], "strides": [2, 2]})
    z = wrap(
        net, data, layers=["conv2"], classes=data.classes, preprocess=Preprocessing(size=(24, 24))
    )
    z = z.with_(live=None, data=None, data_ref=None, concept_set=concepts)
    here, there = tmp_path / "here.z", tmp_path / "there.z"
    z.save(here)
    shutil.copytree(here, there)
    run = CliRunner()
    one = run.invoke(app, ["measure", str(here), "--shards", "4", "--json"])
    assert one.exit_code == 0, one.output
    told = json.loads(one.stdout)
    assert told["images"] == len(concepts)
    assert told["layers"] == {"conv2": 6}
    assert told["effects"] == 0, "without D"
    with LocalCluster(
        host="127.0.0.1", protocol="tcp://", dashboard_address="127.0.0.1:0", n_workers=1,
        threads_per_worker=1, processes=False,
    ) as cluster:  # fmt: skip
        kept = tmp_path / "kept"
        two = run.invoke(
            app,
            ["measure", str(there), "--cluster", cluster.scheduler_address, "--shards", "4",
             "--checkpoint", str(kept)],
        )  # fmt: skip
    assert two.exit_code == 0, two.output
    assert "6 units of 1 layers" in two.stdout
    assert len(list(kept.iterdir())) == 4
    assert not (tmp_path / "here.shards").exists()
    first, second = (load(p).measurements.layers["conv2"] for p in (here, there))
    assert encode_layer(first) == encode_layer(second)
    wrong = run.invoke(app, ["measure", str(there), "--cluster", "nowhere"])
    assert isinstance(wrong.exception, ClusterError)
