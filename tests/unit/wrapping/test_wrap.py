from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.errors import InputsError, LayerError, WeightsError
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.builders import build
from circuitz.wrapping.wrap import wrap
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing


def data(n=12, size=16, classes=("a", "b", "c")):
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    return InputSet(images, np.arange(n) % 3, classes, split=np.arange(n, dtype=np.uint8) % 3)


def small():
    return build("small-cnn", {"classes": 3, "widths": [4, 5], "strides": [2, 1]})


def foreign():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )


def test_a_built_network_gives_a_savable_z():
    net = small()
    inputs = data()
    prep = Preprocessing((0.1, 0.2, 0.3), (0.2,) * 3, (16, 16))
    z = wrap(net, inputs, preprocess=prep, subject="dog", name="rex")
    assert [s.name for s in z.layers] == ["conv1", "conv2"]
    assert z.cut == ("conv2",)
    assert z.classes == ("a", "b", "c")
    assert (z.name, z.subject, z.preprocessing) == ("rex", "dog", prep)
    assert (z.builder, z.builder_args["classes"]) == ("small-cnn", 3)
    assert z.live is net
    assert z.data is inputs
    assert z.data_ref.n == 12
    assert "session" not in z.notes
    assert "preprocessing" not in z.notes
    assert runtime(z).module is net
    alone = z.with_(live=None)
    expected = runtime(z).logits(inputs.images)
    assert np.allclose(runtime(alone).logits(inputs.images), expected, atol=1e-6)


def test_a_network_of_one_s_own_lives_in_the_session_and_says_so():
    z = wrap(foreign(), data())
    assert z.builder == ""
    assert "register" in z.notes["session"]
    assert "preprocess=" in z.notes["preprocessing"]
    assert z.cut == ("1",)
    assert z.preprocessing == Preprocessing((0.5,) * 3, (0.25,) * 3, (16, 16), "RGB")


def test_layers_and_cut_can_be_chosen():
    z = wrap(small(), data(), layers=["conv1", "conv1.0"], cut="conv1")
    assert [s.name for s in z.layers] == ["conv1", "conv1.0"]
    assert z.cut == ("conv1",)
    with pytest.raises(LayerError, match="one of the layers"):
        wrap(small(), data(), layers=["conv1"], cut="conv2")
    with pytest.raises(LayerError, match="Near names: conv"):
        wrap(small(), data(), layers=["conv9"])


def test_a_cut_that_paths_run_around_is_refused():
    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 4, 3, padding=1)
            self.branch = nn.Conv2d(4, 4, 3, padding=1)
            self.head = nn.Linear(4, 3)

        def forward(self, x):
            x = torch.relu(self.stem(x))
            return self.head((x + self.branch(x)).mean((2, 3)))

    net = Around()
    z = wrap(net, data())
    assert z.cut == ("stem",)
    with pytest.raises(LayerError, match="no cut"):
        wrap(net, data(), cut="branch")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"mean": 0.3, "std": [0.1, 0.2, 0.3], "size": 20},
            ((0.3,) * 3, (0.1, 0.2, 0.3), (20, 20)),
        ),
        ({"mean": [0.5], "std": [0.5], "colour": "L"}, ((0.5,) * 3, (0.5,) * 3, (16, 16))),
        ({"size": (16, 24)}, ((0.5,) * 3, (0.25,) * 3, (16, 24))),
    ],
)
def test_preprocessing_as_a_mapping(given, expected):
    how = wrap(small(), data(), preprocess=given).preprocessing
    assert (how.mean, how.std, how.size) == expected


@pytest.mark.parametrize("wrong", [{"std": 0}, {"mean": [0.1, 0.2], "std": [1, 1, 1]}, {"maen": 1}])
def test_preprocessing_that_cannot_be(wrong):
    with pytest.raises(InputsError):
        wrap(small(), data(), preprocess=wrong)


def test_classes_come_from_the_data_or_are_named_or_numbered():
    assert wrap(small(), None, preprocess={"size": 16}).classes == ("class 0", "class 1", "class 2")
    inputs = data()
    pair = (inputs.images, inputs.labels)
    z = wrap(small(), pair, classes=("x", "y", "z"))
    assert z.classes == z.data.classes == ("x", "y", "z")
    z = wrap(small(), data(), classes=("c", "a", "b"))
    assert z.classes == ("c", "a", "b")
    assert z.data.classes == ("a", "b", "c"), "labels are matched by name"
    with pytest.raises(InputsError, match="3 logits"):
        wrap(small(), data(), classes=("a", "b"))
    with pytest.raises(InputsError, match="'c'"):
        wrap(small(), data(), classes=("a", "b", "d"))


def test_a_data_loader_as_researchers_have_it():
    inputs = data()
    x = torch.from_numpy(inputs.images).permute(0, 3, 1, 2).float() / 255
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, torch.from_numpy(inputs.labels)), batch_size=5
    )
    z = wrap(small(), loader, classes=("a", "b", "c"))
    assert np.abs(z.data.images.astype(int) - inputs.images).max() <= 1
    assert z.data.labels.tolist() == inputs.labels.tolist()
    assert z.data.split is not None


def test_the_network_is_left_as_it_is_and_z_keeps_its_own_weights():
    net = small().train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    z = wrap(net, data())
    assert net.training
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert not any(m._forward_hooks for m in net.modules())
    with torch.no_grad():
        net.head.bias.add_(1)
    assert np.array_equal(z.weights["head.bias"], before["head.bias"].numpy())


def test_a_diverged_network():
    net = small()
    with torch.no_grad():
        net.head.bias[0] = float("nan")
    with pytest.raises(WeightsError, match=r"head\.bias"):
        wrap(net, data())
