from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.errors import BuilderError, DeviceError, LayerError, WeightsError
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run import open_runtime as opening
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.builders import build
from circuitz.z.layer import Preprocessing
from circuitz.z.model import AnnotatedModel

ARGS = {"classes": 3, "widths": [4, 5], "strides": [2, 2]}
PREP = Preprocessing(size=(16, 16))


def make(seed=0, **changes):
    torch.manual_seed(seed)
    net = build("small-cnn", ARGS)
    fields = {
        "name": "tiny",
        "classes": ("a", "b", "c"),
        "layers": describe_layers(net, ["conv1", "conv2"], torch.rand(1, 3, 16, 16)),
        "cut": ("conv2",),
        "preprocessing": PREP,
        "builder": "small-cnn",
        "builder_args": ARGS,
        "weights": weights_to_numpy(net),
    }
    return AnnotatedModel(**{**fields, **changes}), net


def test_a_z_without_its_module_runs_from_builder_and_weights(images):
    z, net = make()
    run = runtime(z)
    assert run.module is not net
    with torch.no_grad():
        assert np.allclose(run.logits(images), net.eval()(run.prepare(images)), atol=1e-6)
    assert runtime(z) is run, "opening again costs nothing"
    assert runtime(make(1)[0]) is not run


def test_the_live_module_is_used_while_it_holds_these_weights(images):
    z, net = make()
    z = z.with_(live=net)
    assert runtime(z).module is net
    before = runtime(z).logits(images)
    with torch.no_grad():
        net.head.bias.add_(7)
    stale = runtime(z)
    assert stale.module is not net
    assert np.array_equal(stale.logits(images), before)
    with torch.no_grad():
        net.head.bias.add_(-9)
    assert np.array_equal(runtime(z).logits(images), before), "whatever the module does since"


def test_few_networks_are_kept():
    for seed in range(8):
        runtime(make(seed)[0])
    assert len(opening._cache) <= 4


def test_nothing_to_run():
    z, _ = make(builder="")
    with pytest.raises(BuilderError, match="live module"):
        runtime(z)
    with pytest.raises(BuilderError, match="known: "):
        runtime(make(builder="no-such")[0])


def test_weights_that_do_not_fit():
    z, _ = make()
    with pytest.raises(WeightsError, match="do not fit"):
        runtime(z.with_(builder_args={**ARGS, "classes": 4}))
    broken = dict(z.weights)
    broken["head.bias"] = np.full(3, np.nan, np.float32)
    with pytest.raises(WeightsError, match=r"head\.bias"):
        runtime(z.with_(weights=broken))


def test_layers_the_network_does_not_have():
    z, net = make()
    odd = build("small-cnn", {"classes": 3, "widths": [4], "strides": [2]})
    with pytest.raises(LayerError, match="conv2"):
        runtime(
            z.with_(
                builder_args={**ARGS, "widths": [4], "strides": [2]}, weights=weights_to_numpy(odd)
            )
        )
    assert net is not odd


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(DeviceError, match="no device 'tpu'"):
        runtime(make()[0], device="tpu")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="has no cuda"):
            runtime(make()[0], device="cuda")
