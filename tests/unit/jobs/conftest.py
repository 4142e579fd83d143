from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

NAMES = ["conv1", "conv2", "head"]


@pytest.fixture(scope="session")
def dask_cluster(threads: None) -> Iterator[object]:
    """Two real worker processes; whatever a test kills, their nanny starts again."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            host="127.0.0.1", dashboard_address="127.0.0.1:0", n_workers=2, threads_per_worker=1,
            processes=True, memory_limit=0,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):  # fmt: skip
        yield client


@pytest.fixture
def ready(threads: None) -> tuple[Runtime, list, InputSet]:
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 3, "widths": [4, 6], "strides": [2, 1]})
    specs = describe_layers(net, NAMES, torch.rand(1, 3, 12, 16))
    images = np.random.default_rng(0).integers(0, 256, (70, 12, 16, 3), dtype=np.uint8)
    scene = np.random.default_rng(1).integers(0, 30, 70)
    return Runtime(net, NAMES, Preprocessing(size=(12, 16))), specs, InputSet(images, scene=scene)
