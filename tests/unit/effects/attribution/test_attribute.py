"""Our paths through captum give what captum gives when it is asked directly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum import attr

from circuitz.effects.attribution.attribute import attribute
from circuitz.errors import InputsError, LayerError, UnitError
from circuitz.models.run.basis import Basis
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.builders import build
from circuitz.wrapping.wrap import wrap
from circuitz.z.bases import arrays_with_basis_replaced
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

CLASSES = ["husky", "corgi", "poodle"]


def made(channels=3, size=(16, 20)):
    torch.manual_seed(0)
    net = build(
        "small-cnn", {"classes": 3, "widths": [5, 6], "strides": [2, 1], "channels": channels}
    ).eval()
    how = Preprocessing((0.4,) * channels, (0.2,) * channels, size, "RGB" if channels == 3 else "L")
    z = wrap(net, layers=["conv1", "conv2"], classes=CLASSES, cut="conv2", preprocess=how)
    images = np.random.default_rng(0).integers(0, 256, (4, *size, channels), dtype=np.uint8)
    return net, z, images


def plain(net, z, images):
    return runtime(z).prepare(images)


def test_integrated_gradients_are_captum_s():
    net, z, images = made()
    x = plain(net, z, images)
    ours = attribute(z, images, "output:corgi", steps=20)
    theirs = attr.IntegratedGradients(net).attribute(x, torch.zeros_like(x), target=1, n_steps=20)
    assert np.allclose(ours.values, theirs.sum(1).detach().numpy(), atol=1e-5)
    # They add up to the change of the logit from the baseline.
    with torch.no_grad():
        change = (net(x) - net(torch.zeros_like(x)))[:, 1].numpy()
    assert np.allclose(ours.values.sum((1, 2)), change, atol=0.02)


def test_a_unit_s_are_those_of_captum_s_neuron_methods():
    net, z, images = made()
    x = plain(net, z, images)

    def chosen(act):
        return act[:, 2].mean((1, 2))

    ours = attribute(z, images, "conv1:2", steps=20)
    theirs = attr.NeuronIntegratedGradients(net, net.conv1).attribute(
        x, chosen, torch.zeros_like(x), n_steps=20
    )
    assert np.allclose(ours.values, theirs.sum(1).detach().numpy(), atol=1e-5)
    ours = attribute(z, images, "conv1:2", "gradient")
    theirs = attr.NeuronGradient(net, net.conv1).attribute(x.clone().requires_grad_(True), chosen)
    assert np.allclose(ours.values, theirs.sum(1).detach().numpy(), atol=1e-5)


def test_conductance_and_grad_cam_are_captum_s():
    net, z, images = made()
    x = plain(net, z, images)
    ours = attribute(z, images, "husky", "conductance", layer="conv1", steps=12)
    theirs = attr.LayerConductance(net, net.conv1).attribute(
        x, torch.zeros_like(x), target=0, n_steps=12
    )
    assert np.allclose(ours.units, theirs.sum((2, 3)).detach().numpy(), atol=1e-5)
    ours = attribute(z, images, "husky", "grad-cam")
    assert ours.layer == "conv2"
    theirs = attr.LayerGradCam(net, net.conv2).attribute(x, 0)
    grown = attr.LayerAttribution.interpolate(theirs, x.shape[2:], "bilinear")
    assert np.allclose(ours.values, grown[:, 0].detach().numpy(), atol=1e-5)
    # Behind the mean over positions a unit's mean gradient is its weight over the positions.
    act = runtime(z).forward_to("conv2", x)
    assert np.allclose(ours.units[0], net.head.weight[0].detach() / act[0, 0].numel(), atol=1e-6)


def test_occlusion_is_captum_s_and_finds_what_matters():
    net, z, images = made()
    x = plain(net, z, images)
    ours = attribute(z, images, "poodle", "occlusion", window=4)
    theirs = attr.Occlusion(net).attribute(
        x, (3, 4, 4), (3, 2, 2), baselines=torch.zeros_like(x), target=2
    )
    assert np.allclose(ours.values, theirs.mean(1).numpy(), atol=1e-5)


@pytest.mark.parametrize(
    "method", ["integrated-gradients", "gradient", "occlusion", "grad-cam", "conductance"]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_method_draws_its_picture(method, channels):
    _, z, images = made(channels)
    found = attribute(z, images[:2], "husky", method, steps=4)
    assert found.values.shape == (2, 16, 20)
    assert np.isfinite(found.values).all()
    pictures = found.pictures()
    assert pictures.shape == (2, 16, 20, 3)
    assert pictures.dtype == np.uint8
    at = np.unravel_index(found.values[0].argmax(), (16, 20))
    red, _, blue = pictures[0][at].astype(int)
    assert red > blue if found.values[0].max() > 0 else blue > red
    assert np.array_equal(found.images, images[:2])


def test_directions_and_indices_of_the_concept_set():
    _, z, images = made()
    rows = np.eye(6, dtype=np.float32)[[4]]
    z = z.with_(
        bases=arrays_with_basis_replaced({}, "conv2@mine", Basis.from_rows(rows).to_arrays()),
        concept_set=InputSet(images),
    )
    one = attribute(z, [1, 3], "conv2@mine:0", "gradient")
    two = attribute(z, images[[1, 3]], "conv2:4", "gradient")
    assert np.allclose(one.values, two.values, atol=1e-6)


def test_a_baseline_is_where_attributions_start():
    _, z, images = made()
    found = attribute(z, images[:1], "husky", baseline=images[0])
    assert np.abs(found.values).max() == 0


def test_nothing_is_left_behind_and_errors_are_named():
    net, z, images = made()
    net.train()
    attribute(z, images, "husky", "conductance", steps=3)
    attribute(z, images, "husky", "grad-cam")
    assert net.training
    assert not any(
        m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in net.modules()
    )
    assert all(p.grad is None for p in net.parameters())
    with pytest.raises(InputsError, match="magic"):
        attribute(z, images, "husky", "magic")
    with pytest.raises(UnitError, match="fox"):
        attribute(z, images, "output:fox")
    with pytest.raises(UnitError, match="0 to 5"):
        attribute(z, images, "conv2:6")
    for method in ("grad-cam", "conductance"):
        with pytest.raises(UnitError, match=rf"{method} is of classes.*conv2:1 is a unit"):
            attribute(z, images, "conv2:1", method)
        with pytest.raises(UnitError, match="not a class"):
            attribute(z, images, "fox", method)
    with pytest.raises(LayerError, match="conv7"):
        attribute(z, images, "husky", "conductance", layer="conv7")
    with pytest.raises(InputsError, match="no images"):
        attribute(z, images[:0], "husky")
    with pytest.raises(InputsError, match="has 0 images"):
        attribute(z, [1], "husky")
    with pytest.raises(InputsError, match="channels"):
        attribute(z, images[..., :2], "husky")
