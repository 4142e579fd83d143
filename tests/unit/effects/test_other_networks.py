"""Networks that are not ours, with random weights: torchvision's ResNet-18, timm's ViT and DenseNet."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import LayerFeatureAblation

from circuitz.effects.ablation.exact_ablation import ablate_each_unit
from circuitz.models.run.runtime import Runtime
from circuitz.z.intervention import Intervention
from circuitz.z.layer import Preprocessing

_STUBS: list[Any] = []
# Apart from the environment: see tests/run.
APART = Path(__file__).parents[2] / ".networks"


@pytest.fixture(scope="module")
def torchvision() -> Iterator[Any]:
    # Beside a CPU build of torch, torchvision misses two of its own operators.
    if not hasattr(torch.ops.torchvision, "nms"):
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _STUBS.append(library)
    sys.path.append(str(APART))
    yield pytest.importorskip("torchvision", reason="bash tests/run installs it")
    sys.path.remove(str(APART))


def agrees(net: torch.nn.Module, layers: dict[str, str], side: int, channels: int = 3) -> None:
    """The shortcut, the plain way, captum and an intervention give the same numbers."""
    torch.manual_seed(0)
    prep = Preprocessing((0.5,) * channels, (0.25,) * channels, (side, side))
    runtime = Runtime(net.eval(), list(layers), prep)
    x = torch.randn(2, channels, side, side)
    few = {name: np.array([0, 3, 5]) for name in layers}
    fast = list(ablate_each_unit(runtime, x, units=few))
    plain = list(ablate_each_unit(runtime, x, units=few, shortcut=False))
    for one, two in zip(fast, plain, strict=True):
        assert one.method == layers[one.layer], one.layer
        np.testing.assert_allclose(one.drop, two.drop, atol=1e-5)
        act = runtime.run(x, [one.layer])[0][one.layer]
        axis = 2 if act.ndim == 3 else 1
        mask = torch.full((act.shape[axis],), 3)
        mask[few[one.layer]] = torch.arange(3)
        size = [1] * act.ndim
        size[axis] = -1
        theirs = LayerFeatureAblation(net, net.get_submodule(one.layer)).attribute(
            x, target=1, layer_mask=mask.view(size).expand(1, *act.shape[1:])
        )
        found = theirs.movedim(axis, 1)[:, [0, 3, 5]].flatten(2)[:, :, 0].numpy()
        np.testing.assert_allclose(one.drop[:, :, 1], found, atol=1e-5)
        done = runtime.intervene(x, [Intervention(one.layer, (3,))])[1]
        np.testing.assert_allclose(
            one.drop[:, 1], (runtime.run(x, [])[1] - done).numpy(), atol=1e-5
        )


def test_torchvision_resnet(torchvision, threads) -> None:
    net = torchvision.models.resnet18(weights=None, num_classes=7)
    layers = ("conv1", "layer1", "layer2.0.conv2", "layer3.0.downsample.0", "layer4.1.conv1")
    agrees(net, dict.fromkeys(layers, "propagated"), 48)


def test_torchvision_vit(torchvision, threads) -> None:
    net = torchvision.models.VisionTransformer(16, 8, 2, 2, 24, 48, num_classes=5)
    torch.nn.init.normal_(net.heads.head.weight)
    layers = ("encoder.layers.encoder_layer_0.mlp.0", "encoder.layers.encoder_layer_1.ln_2")
    agrees(net, dict.fromkeys(layers, "propagated"), 16)


def test_torchvision_densenet_and_mobilenet(torchvision, threads) -> None:
    dense = torchvision.models.DenseNet(8, (2, 2), 16, num_classes=5)
    agrees(dense, dict.fromkeys(("features.denseblock1.denselayer1.conv2",), "propagated"), 32)
    mobile = torchvision.models.mobilenet_v3_small(weights=None, num_classes=5)
    agrees(
        mobile, dict.fromkeys(("features.1.block.0.0", "features.4.block.1.0"), "propagated"), 32
    )


def test_timm_vit(torchvision, threads) -> None:
    import timm

    net = timm.create_model(
        "vit_tiny_patch16_224", pretrained=False, img_size=32, num_classes=5, depth=2
    )
    torch.nn.init.normal_(net.head.weight, std=0.1)  # random, it starts at next to nothing
    agrees(net, {"blocks.0.mlp.fc1": "propagated", "blocks.1.norm2": "propagated"}, 32)


def test_timm_one_channel(torchvision, threads) -> None:
    import timm

    # By default branches begin at nothing, and of nothing a shortcut cannot be shown to be right.
    net = timm.create_model(
        "resnet10t", pretrained=False, in_chans=1, num_classes=5, zero_init_last=False
    )
    agrees(net, {"layer1.0.conv1": "propagated", "layer3.0.conv2": "propagated"}, 40, 1)
