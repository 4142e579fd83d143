"""A sweep says the same however many workers load the images or compute the shards."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from threading import local

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from circuitz.data.input_sources import as_inputs
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.responses.sweep_layers import sweep
from circuitz.z.bundle.measurements_io import encode_layer
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

N = 60
NAMES = ("conv1", "conv2")
#: What docs/how-to/features.md states.
TOLERANCE = 1e-5


class Workers:
    """So many workers, each with a network of its own; the last piece is handed out first."""

    def __init__(self, many: int) -> None:
        self.many, self.opened = many, 0

    def map(self, job, pieces) -> Generator[tuple[int, bytes]]:
        parcel, own = job.payload(), local()

        def run(i):
            if not hasattr(own, "job"):
                own.job = type(job).open(parcel)
                self.opened += 1
            return i, own.job.run(pieces[i]())

        with ThreadPoolExecutor(self.many) as pool:
            waiting = [pool.submit(run, i) for i in reversed(range(len(pieces)))]
            for done in as_completed(waiting):
                yield done.result()


@pytest.fixture(scope="module")
def ready():
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 3, "widths": [4, 6], "strides": [2, 1]})
    how = Preprocessing(size=(12, 16))
    specs = describe_layers(net, NAMES, torch.rand(1, 3, 12, 16))
    images = np.random.default_rng(0).integers(0, 256, (N, 12, 16, 3), dtype=np.uint8)
    scene = np.random.default_rng(1).integers(0, 40, N)
    return Runtime(net, NAMES, how), specs, InputSet(images, scene=scene)


def test_any_number_of_workers_gives_the_same_bytes(ready):
    runtime, specs, inputs = ready
    alone = sweep(runtime, specs, inputs, batch=8, shard=16)
    for many in (1, 2, 5):
        workers = Workers(many)
        found = sweep(runtime, specs, inputs, batch=8, shard=16, executor=workers)
        assert 1 <= workers.opened <= many
        for name in NAMES:
            assert encode_layer(found[name]) == encode_layer(alone[name]), (many, name)


@pytest.mark.parametrize("held", [("conv1",), ("conv2",), NAMES])
def test_what_is_held_is_put_in_context_by_any_worker(ready, held, tmp_path):
    runtime, specs, inputs = ready
    alone = sweep(runtime, specs, inputs, batch=8, shard=16)
    bare = {
        name: replace(alone[name], clarity=None, relevant=None, relevance=None) for name in held
    }
    how = {"batch": 8, "shard": 16, "reused": bare, "embed": specs[1]}
    whole = sweep(runtime, specs, inputs, batch=8, shard=16, embed=specs[1])
    for executor in (None, Workers(2)):
        found = sweep(runtime, specs, inputs, executor=executor, checkpoint=tmp_path, **how)
        for name in NAMES:
            assert encode_layer(found[name]) == encode_layer(whole[name]), name
        assert all(found[name].responses is bare[name].responses for name in held)


def test_shards_cut_for_more_workers_differ_by_rounding_alone(ready):
    runtime, specs, inputs = ready
    alone = sweep(runtime, specs, inputs, batch=8)
    for many in (2, 5):
        length = -(-N // many)
        found = sweep(runtime, specs, inputs, batch=8, shard=length, executor=Workers(many))
        for name in NAMES:
            for field, one in vars(alone[name]).items():
                two = getattr(found[name], field)
                if not isinstance(one, np.ndarray):
                    assert one == two, field
                elif one.dtype.kind == "f":
                    assert np.allclose(one, two, atol=TOLERANCE, equal_nan=True), field
                elif field == "exemplar_heat":
                    assert np.abs(one.astype(int) - two).max() <= 1
                else:
                    assert np.array_equal(one, two), field


def test_images_that_workers_load_are_measured_the_same(ready):
    runtime, specs, inputs = ready
    pixels = torch.from_numpy(inputs.images.astype(np.float32) / 255).permute(0, 3, 1, 2)
    data = TensorDataset(pixels, torch.arange(N) % 3)
    found = []
    for workers in (0, 2):
        loader = DataLoader(data, batch_size=32, num_workers=workers)
        loaded = as_inputs(loader)
        assert np.array_equal(loaded.images, inputs.images), workers
        found.append(sweep(runtime, specs, loaded, batch=8))
    for name in NAMES:
        assert encode_layer(found[0][name]) == encode_layer(found[1][name])
