from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.errors import UnitError
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.responses.optimised.visualise import visualise
from circuitz.z.layer import Preprocessing


def small(channels=3, size=32, **prep):
    torch.manual_seed(0)
    args = {"classes": 3, "widths": [6, 8], "strides": [2, 1], "channels": channels}
    net = build("small-cnn", args)
    how = Preprocessing((0.5,) * channels, (0.25,) * channels, (size, size), **prep)
    specs = describe_layers(net, ["conv1", "conv2"], torch.rand(1, channels, size, size))
    return Runtime(net, ["conv1", "conv2"], how), specs


def activation(runtime, spec, images):
    with torch.no_grad():
        return runtime.forward_to(spec.name, runtime.prepare(images)).mean((2, 3)).numpy()


def test_each_unit_s_input_activates_it_more_than_noise_and_than_the_others():
    runtime, specs = small()
    found = visualise(runtime, specs[1], steps=48)
    assert found.shape == (8, 32, 32, 3)
    assert found.dtype == np.uint8
    noise = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    own = activation(runtime, specs[1], found)
    assert (own.diagonal() > activation(runtime, specs[1], noise).max(0)).all()
    assert (own.argmax(0) == np.arange(8)).mean() >= 0.7


def test_colours_come_out_as_the_network_reads_them(colours):
    runtime, specs = colours
    found = visualise(runtime, specs[0], [0, 1, 2], steps=32).astype(int)
    mean = found.mean((1, 2))
    assert mean.argmax(1).tolist() == [0, 1, 2]
    bgr = Preprocessing((0.0,) * 3, (1.0,) * 3, (16, 16), "BGR")
    swapped = Runtime(runtime.module, ["colour"], bgr)
    found = visualise(swapped, specs[0], [0, 1, 2], steps=32).astype(int)
    assert found.mean((1, 2)).argmax(1).tolist() == [2, 1, 0]


def test_a_unit_that_is_off_at_the_start_is_turned_on():
    net = nn.Sequential()
    net.conv = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(inplace=True))
    net.after = nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU())
    net.flat = nn.Flatten()
    net.head = nn.Linear(512, 2)
    with torch.no_grad():
        net.conv[0].weight.fill_(1.0)
        net.conv[0].bias.fill_(-1.7)  # grey is .5 * 3
        net.after[0].weight.fill_(1.0)
        net.after[0].bias.fill_(-0.05)
    how = Preprocessing((0.0,) * 3, (1.0,) * 3, (16, 16))
    names = ["conv", "after"]
    runtime = Runtime(net, names, how)
    for spec in describe_layers(net, names, torch.rand(1, 3, 16, 16)):
        grey = np.full((1, 16, 16, 3), 128, np.uint8)
        assert activation(runtime, spec, grey).max() == 0
        made = visualise(runtime, spec, [0], steps=40)
        assert activation(runtime, spec, made)[0, 0] > 0.1


def test_results_do_not_depend_on_the_batch():
    runtime, specs = small()
    whole = visualise(runtime, specs[1], steps=12).astype(int)
    parts = visualise(runtime, specs[1], steps=12, batch=3).astype(int)
    alone = visualise(runtime, specs[1], [5], steps=12).astype(int)
    # Adam divides by the gradient's size, so rounding may show where a gradient is nearly zero.
    assert np.abs(whole - parts).mean() < 1.0
    assert np.abs(whole[5] - alone[0]).mean() < 1.0


def test_the_seed_decides():
    runtime, specs = small()
    one, same = (visualise(runtime, specs[1], [0], steps=4, seed=1) for _ in range(2))
    other = visualise(runtime, specs[1], [0], steps=4, seed=2)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_one_channel_and_odd_sizes():
    runtime, specs = small(channels=1, size=15, colour="L")
    found = visualise(runtime, specs[0], [0, 1], steps=4)
    assert found.shape == (2, 15, 15, 3)
    assert (found[..., 0] == found[..., 2]).all()


def test_units_that_are_not_there_and_no_steps():
    runtime, specs = small()
    with pytest.raises(UnitError, match="0 to 7"):
        visualise(runtime, specs[1], [8])
    assert visualise(runtime, specs[1], [], steps=2).shape == (0, 32, 32, 3)
    assert visualise(runtime, specs[1], [1], steps=0).std() < 8


def test_the_model_is_as_before_also_after_an_exception():
    runtime, specs = small()
    net = runtime.module.train()
    before = [b.clone() for b in net.state_dict().values()]

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        visualise(runtime, specs[1], steps=3, progress=stop)
    told = []
    visualise(runtime, specs[1], steps=2, batch=4, progress=lambda *a: told.append(a))
    assert told == [(2, 8), (4, 8), (6, 8), (8, 8)]
    assert all(m.training for m in net.modules())
    assert all(p.grad is None and p.requires_grad for p in net.parameters())
    assert not any(m._forward_hooks for m in net.modules())
    assert all(torch.equal(a, b) for a, b in zip(before, net.state_dict().values(), strict=True))
