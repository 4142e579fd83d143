"""A sweep in pieces gives what a sweep in one gives, whatever happens on the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import circuitz.responses.sweep_shards as room
from circuitz.errors import MeasurementError
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.responses.sweep_layers import sweep
from circuitz.responses.sweep_shards import Sweep
from circuitz.z.bundle.measurements_io import decode_layer, encode_layer
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

N = 70
NAMES = ["conv1", "conv2"]


def made(channels=3, size=(12, 16)):
    torch.manual_seed(0)
    net = build(
        "small-cnn", {"classes": 3, "widths": [4, 6], "strides": [2, 1], "channels": channels}
    )
    how = Preprocessing(
        (0.5,) * channels, (0.25,) * channels, size, "RGB"[:3] if channels == 3 else "L"
    )
    specs = describe_layers(net, NAMES, torch.rand(1, channels, *size))
    images = np.random.default_rng(0).integers(0, 256, (N, *size, channels), dtype=np.uint8)
    scene = np.random.default_rng(1).integers(0, 30, N)
    return Runtime(net, NAMES, how), specs, InputSet(images, scene=scene)


def same(a, b, tolerance=1e-5):
    for name, one in vars(a).items():
        two = getattr(b, name)
        if not isinstance(one, np.ndarray):
            assert one == two
        elif one.dtype.kind == "f":
            assert np.allclose(one, two, atol=tolerance, equal_nan=True), name
        elif name == "exemplar_heat":
            assert np.abs(one.astype(int) - two).max() <= 1
        else:
            assert np.array_equal(one, two), name


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 80), st.integers(1, 90))
def test_neither_batch_nor_shard_changes_anything_but_rounding(batch, length):
    runtime, specs, inputs = made()
    whole = sweep(runtime, specs, inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "SHARD", length)
        cut = sweep(runtime, specs, inputs, batch=batch)
    for name in NAMES:
        same(whole[name], cut[name])


def test_a_sweep_that_was_killed_goes_on_and_computes_no_shard_twice(tmp_path, monkeypatch):
    runtime, specs, inputs = made()
    monkeypatch.setattr(room, "SHARD", 16)
    known = sweep(runtime, specs, inputs, batch=8)
    ran: list[int] = []
    shard = Sweep.shard

    def counted(self, start, stop, progress=None):
        ran.append(start)
        return shard(self, start, stop, progress)

    def dies(done, total):
        if done == 40:
            raise KeyboardInterrupt

    monkeypatch.setattr(Sweep, "shard", counted)
    with pytest.raises(KeyboardInterrupt):
        sweep(runtime, specs, inputs, batch=8, checkpoint=tmp_path, progress=dies)
    assert ran == [0, 16, 32]
    assert len(list(tmp_path.iterdir())) == 2
    told: list[int] = []
    found = sweep(
        runtime,
        specs,
        inputs,
        batch=8,
        checkpoint=tmp_path,
        progress=lambda done, n: told.append(done),
    )
    assert ran == [0, 16, 32, 32, 48, 64]
    assert told[:2] == [16, 32]
    for name in NAMES:
        assert encode_layer(found[name]) == encode_layer(known[name]), "bit for bit"
    sweep(runtime, specs, inputs, batch=8, checkpoint=tmp_path)
    assert len(ran) == 6


def test_shards_are_known_by_what_they_were_made_from(tmp_path, monkeypatch):
    runtime, specs, inputs = made()
    monkeypatch.setattr(room, "SHARD", 35)
    sweep(runtime, specs, inputs, checkpoint=tmp_path)
    files = set(tmp_path.iterdir())
    assert len(files) == 2
    # Another picture in the second half, another network, and a damaged file.
    images = inputs.images.copy()
    images[40] ^= 255
    sweep(runtime, specs, InputSet(images, scene=inputs.scene), checkpoint=tmp_path)
    assert len(set(tmp_path.iterdir()) - files) == 1
    with torch.no_grad():
        runtime.module.head.bias += 1
    sweep(runtime, specs, inputs, checkpoint=tmp_path)
    assert len(set(tmp_path.iterdir())) == 5
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 2])
    same(
        sweep(runtime, specs, inputs, checkpoint=tmp_path)["conv2"],
        sweep(runtime, specs, inputs)["conv2"],
    )


def test_without_responses_the_rest_is_there(tmp_path):
    runtime, specs, inputs = made()
    lean, full = sweep(runtime, specs, inputs, responses=False), sweep(runtime, specs, inputs)
    assert lean["conv2"].responses.shape == (0, 6)
    assert np.array_equal(lean["conv2"].exemplars, full["conv2"].exemplars)
    assert np.array_equal(lean["conv2"].statistics, full["conv2"].statistics)


def test_statistics_neighbours_and_spectrum_are_what_they_say():
    runtime, specs, inputs = made()
    inputs = InputSet(inputs.images)
    layer = sweep(runtime, specs, inputs)["conv2"]
    x, peak = layer.responses.astype(float), layer.peaks
    mean, deviation, active, low, high = layer.statistics.T
    assert np.allclose(mean, x.mean(0), atol=1e-6)
    assert np.allclose(deviation, x.std(0), atol=1e-6)
    assert np.allclose(active, (peak > 0).mean(0))
    assert np.array_equal(low, peak.min(0))
    assert np.array_equal(high, peak.max(0))
    assert layer.histogram.sum(1).tolist() == [N] * 6
    joint = np.corrcoef(x.T)
    np.fill_diagonal(joint, -2)
    for u in np.flatnonzero(deviation > 0):
        assert layer.neighbours[u, 0] == joint[u].argmax()
        assert np.isclose(layer.neighbour_correlation[u, 0], joint[u].max(), atol=1e-4)
        assert peak[layer.spectrum[u, 0, 0], u] == low[u]
        assert peak[layer.spectrum[u, 3, 0], u] == high[u]
        middle = low[u] + 0.5 * (high[u] - low[u])
        assert layer.spectrum[u, 2, 0] == np.abs(peak[:, u] - middle).argmin()
    assert layer.embedding == "conv2"


def test_relevance_is_activation_times_gradient_as_a_share():
    runtime, specs, inputs = made()
    layer = sweep(runtime, specs, inputs, relevant=N)["conv2"]
    # The last block acts through its mean: its gradient is a row of the head's weights.
    w = runtime.module.head.weight.detach().numpy()
    for k in range(3):
        others = np.delete(w, k, 0).mean(0)
        share = layer.responses * (w[k] - others)
        share /= np.abs(share).sum(1, keepdims=True)
        for u in range(6):
            best = np.sort(share[:, u])[::-1][:4]
            assert np.allclose(layer.relevance[u, k], np.maximum(best, 0), atol=1e-5)
            for rank in range(4):
                i = layer.relevant[u, k, rank]
                assert (i == -1) == (best[rank] <= 0)
                assert i == -1 or np.isclose(share[i, u], best[rank], atol=1e-5)


def test_relevance_can_be_left_out_and_it_is_stored():
    runtime, specs, inputs = made()
    assert sweep(runtime, specs, inputs, relevant=0)["conv1"].relevant is None
    layer = sweep(runtime, specs, inputs)["conv1"]
    again = decode_layer(memoryview(encode_layer(layer)), "x")
    same(layer, again, 0.0)


@pytest.mark.parametrize(("channels", "size"), [(1, (9, 9)), (3, (9, 20))])
def test_one_image_grey_images_and_odd_sizes(channels, size):
    runtime, specs, _ = made(channels, size)
    grey = np.full((1, *size, 1), 90, np.uint8)
    layer = sweep(runtime, specs, InputSet(grey))["conv2"]
    assert layer.statistics[:, 1].max() == 0
    assert (layer.exemplars[:, 1:] == -1).all()
    assert np.isnan(layer.clarity).all()
    assert (layer.neighbours == -1).all()


def test_a_response_that_is_not_finite_is_named():
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Flatten(), nn.Linear(32, 2))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([1.0, 3e38]).view(2, 1, 1, 1))
        net[0].bias.zero_()
    how = Preprocessing((0.0,), (1e-3,), (4, 4), "L")
    specs = describe_layers(net, ["0"], torch.zeros(1, 1, 4, 4))
    images = np.zeros((3, 4, 4, 1), np.uint8)
    images[2] = 255
    with pytest.raises(MeasurementError, match="0:1 is not finite on image 2"):
        sweep(Runtime(net, ["0"], how), specs, InputSet(images))


def test_hooks_are_gone_and_modes_kept():
    runtime, specs, inputs = made()
    net = runtime.module.train()
    sweep(runtime, specs, inputs)
    assert all(m.training for m in net.modules())
    assert not any(m._forward_hooks for m in net.modules())
    assert all(p.grad is None for p in net.parameters())
