"""Gradients that are turned off or not finite have a name, and where they are not needed all works."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.effects.ablation.ablate import ablate
from circuitz.effects.attribution.attribute import attribute
from circuitz.errors import GradientError
from circuitz.measurement.measure import measure
from circuitz.models.run.gradient_checks import check_gradient_reaches_input
from circuitz.models.run.open_runtime import runtime
from circuitz.responses.optimised.visualise import visualise
from circuitz.wrapping.wrap import wrap
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

HOW = Preprocessing(size=(12, 12))
METHODS = ("integrated-gradients", "gradient")


class Net(nn.Module):
    """Two convolutions and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.b(self.a(x).relu()).relu().mean((2, 3)))


class Backbone(Net):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            h = self.a(x).relu()
        return self.head(self.b(h).relu().mean((2, 3)))


class Whole(Net):
    @torch.no_grad()
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x)


class Detached(Net):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.b(self.a(x).relu().detach()).relu().mean((2, 3)))


class Root(Net):
    """The gradient of a root at 0 is not finite."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + (self.a(x) * 0).sum((1, 2, 3)).sqrt()[:, None]


@pytest.fixture(scope="module")
def data() -> InputSet:
    images = np.random.default_rng(0).integers(0, 256, (30, 12, 12, 3), dtype=np.uint8)
    split = (np.arange(30) % 3).astype(np.uint8)
    return InputSet(images, labels=np.arange(30) // 10, classes=("a", "b", "c"), split=split)


def z_of(net: nn.Module, data: InputSet, layers=("a", "b"), cut="b"):
    torch.manual_seed(0)
    return wrap(net, data, layers=layers, cut=cut, preprocess=HOW)


@pytest.mark.parametrize("make", [Backbone, Whole, Detached])
@pytest.mark.parametrize("method", METHODS)
def test_gradients_that_are_turned_off_are_named(make, method: str, data: InputSet) -> None:
    z = z_of(make(), data)
    with pytest.raises(GradientError) as caught:
        attribute(z, data.images[:2], "output:a", method)
    assert caught.value.code == "gradient"
    assert "occlusion" in caught.value.hint
    assert np.isfinite(attribute(z, data.images[:2], "output:a", "occlusion").values).all()


def test_a_gradient_that_is_not_finite_is_named(data: InputSet) -> None:
    torch.manual_seed(0)
    net = Root()
    x = torch.randn(1, 3, 12, 12)
    with pytest.raises(GradientError, match="not finite"):
        check_gradient_reaches_input(net, net, x)


def test_where_no_gradient_is_needed_it_may_be_off(data: InputSet) -> None:
    torch.manual_seed(0)
    plain, off = Net(), Whole()
    off.load_state_dict(plain.state_dict())
    one, two = (
        attribute(z_of(net, data), data.images[:2], "output:a", "grad-cam", layer="b").values
        for net in (plain, off)
    )
    np.testing.assert_allclose(one, two, atol=1e-6)
    concepts = InputSet(
        data.images, concepts=np.eye(3, dtype=np.float32)[data.labels], split=data.split,
        concept_names=("snow", "grass", "sky"), scene=np.arange(30), role="concepts",
    )  # fmt: skip
    z = z_of(Whole(), None)
    z = measure(z, concepts, pictures=False)
    assert (z.measurements.layers["b"].responses != 0).any()


def test_verbs_work_inside_no_grad_and_inference_mode(data: InputSet) -> None:
    torch.manual_seed(0)
    net = Net()
    z = z_of(net, data)
    plain = attribute(z, data.images[:2], "output:a", "gradient").values
    x = torch.randn(3, 3, 12, 12)
    table = ablate(net, x, layers=["a"])
    pictures = visualise(runtime(z), z.layers[0], [0, 1], steps=2)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert np.array_equal(
                attribute(z, data.images[:2], "output:a", "gradient").values, plain
            )
            assert ablate(net, x.clone(), layers=["a"]).equals(table)
            assert np.array_equal(visualise(runtime(z), z.layers[0], [0, 1], steps=2), pictures)
            wrap(net, data, layers="a", preprocess=HOW)
    with torch.inference_mode():
        made = Net()
        assert len(ablate(made, torch.randn(3, 3, 12, 12), layers=["a"])) == 12
    z = wrap(made, data, layers=["a", "b"], cut="b", preprocess=HOW)
    for method in (*METHODS, "grad-cam", "conductance"):
        with pytest.raises(GradientError, match="made inside"):
            attribute(z, data.images[:2], "output:a", method)
