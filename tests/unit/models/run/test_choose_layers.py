from __future__ import annotations

import pytest
import torch
from torch import nn

from circuitz.errors import LayerError, WeightsError
from circuitz.models.run.choose_layers import choose_cut, choose_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.z.layer import Preprocessing


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        return self.relu(x + self.conv2(self.relu(self.conv1(x))))


class ResNetLike(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 2, 1)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = nn.Sequential(Block(), Block())
        self.layer2 = nn.Sequential(Block())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = self.layer2(self.layer1(self.relu(self.bn1(self.conv1(x)))))
        return self.fc(self.pool(x).flatten(1))


class VGGLike(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.ReLU()
        )
        self.classifier = nn.Sequential(nn.Linear(64, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 3))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Around(nn.Module):
    """Somebody else's wrapper around the network."""

    def __init__(self, net):
        super().__init__()
        self.model = net

    def forward(self, x):
        return self.model(x)


CASES = [
    (lambda: build("small-cnn", {"classes": 3}), ("conv1", "conv2", "conv3", "conv4"), "conv4"),
    (ResNetLike, ("relu", "layer1", "layer2"), "layer2"),
    (VGGLike, ("features.1", "features.4", "classifier.1"), "classifier.1"),
    (lambda: Around(ResNetLike()), ("model.relu", "model.layer1", "model.layer2"), "model.layer2"),
    (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(588, 5), nn.ReLU(), nn.Linear(5, 3)),
        ("2",),
        "2",
    ),
]


@pytest.mark.parametrize(("make", "layers", "cut"), CASES)
def test_blocks_are_read_after_their_activation(make, layers, cut):
    net = make().train()
    assert choose_layers(net, torch.rand(2, 3, 14, 14)) == layers
    assert net.training
    assert choose_cut(Runtime(net, layers, Preprocessing(size=(14, 14))), layers) == cut


def test_nothing_to_look_at():
    with pytest.raises(LayerError, match="layers="):
        choose_layers(nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), torch.rand(1, 3, 2, 2))


def test_a_branch_is_no_cut():
    run = Runtime(ResNetLike(), [], Preprocessing(size=(14, 14)))
    assert choose_cut(run, ["relu", "layer2.0.conv2"]) == "relu"
    with pytest.raises(LayerError, match="crossed by every path"):
        choose_cut(run, ["layer2.0.conv2"])


def test_where_logits_are_not_finite_that_is_said():
    class Root(ResNetLike):
        def forward(self, x):
            return super().forward(x) * x.mean((1, 2, 3)).sqrt()[:, None]

    run = Runtime(Root(), [], Preprocessing(size=(14, 14)))
    with pytest.raises(WeightsError, match="not finite") as caught:
        choose_cut(run, ["relu", "layer1"])
    assert "cut=" in caught.value.hint


def test_blocks_in_a_list_are_blocks():
    class Stack(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 8, 3)
            self.blocks = nn.ModuleList([Block(), Block()])
            self.head = nn.Linear(8, 4)

        def forward(self, x):
            x = self.stem(x)
            for block in self.blocks:
                x = block(x)
            return self.head(x.mean((2, 3)))

    net = Stack().eval()
    layers = choose_layers(net, torch.rand(2, 3, 14, 14))
    assert layers == ("stem", "blocks.0", "blocks.1")
    assert choose_cut(Runtime(net, layers, Preprocessing(size=(14, 14))), layers) == "blocks.1"


class Inside(nn.Module):
    """A trunk that returns an object, as Hugging Face's do; beside it a head."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Module()
        self.trunk.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.trunk.blocks = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(2))
        self.trunk.forward = self.whole
        self.head = nn.Linear(4, 2)

    def whole(self, x):
        x = self.trunk.stem(x)
        for block in self.trunk.blocks:
            x = torch.relu(block(x))
        return {"last": x}

    def forward(self, x):
        return self.head(self.trunk(x)["last"].mean((2, 3)))


def test_a_trunk_that_returns_no_tensor_is_opened():
    x = torch.rand(2, 3, 9, 9)
    found = choose_layers(Inside(), x)
    assert found == ("trunk.stem", "trunk.blocks.0", "trunk.blocks.1")
