from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.errors import InputsError, LayerError, WeightsError
from circuitz.jobs.network_payload import (
    runtime_from_facts_and_arrays,
    runtime_to_facts_and_arrays,
)
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.prepare_inputs import prepare_inputs
from circuitz.models.zoo.builders import build, register
from circuitz.wrapping.wrap import wrap
from circuitz.z.bundle.load_save import load
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
        ({"mean": [0.5], "std": [0.5]}, ((0.5,) * 3, (0.5,) * 3, (16, 16))),
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


class TwoOutputs(nn.Module):
    """Returns features and logits, as many of the one as of the other."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)
        self.proj, self.fc = nn.Linear(5, 3), nn.Linear(3, 3)

    def forward(self, x):
        f = self.proj(self.c2(self.c1(x).relu()).relu().mean((2, 3)))
        return f, self.fc(f)


def test_the_output_that_is_read_is_found_kept_and_said(tmp_path):
    register("two-outputs")(TwoOutputs)
    torch.manual_seed(0)
    net, inputs = build("two-outputs", {}), data()
    how = Preprocessing(size=(16, 16))
    z = wrap(net, inputs, layers=["c1", "c2"], preprocess=how)
    assert z.output == "1"
    assert "'1' is read as its logits" in z.remarks[0]
    assert z.live is net
    with torch.no_grad():
        features, logits = (t.numpy() for t in net.eval()(prepare_inputs(inputs.images, how)))
    assert np.allclose(runtime(z).logits(inputs.images), logits, atol=1e-6)
    z.save(tmp_path / "two.z")
    again = load(tmp_path / "two.z")
    assert (again.output, again.hash) == ("1", z.hash)
    assert np.allclose(runtime(again).logits(inputs.images), logits, atol=1e-6)
    other = wrap(net, inputs, layers=["c1", "c2"], preprocess=how, output=0)
    assert other.hash != z.hash
    assert np.allclose(runtime(other).logits(inputs.images), features, atol=1e-6)
    facts, arrays = runtime_to_facts_and_arrays(runtime(again))
    far = runtime_from_facts_and_arrays(facts, arrays)
    assert np.allclose(far.logits(inputs.images), logits, atol=1e-6)
    with torch.no_grad():  # trained on: z keeps the weights it was made with
        net.fc.weight.add_(1)
    assert np.allclose(runtime(z).logits(inputs.images), logits, atol=1e-6)
