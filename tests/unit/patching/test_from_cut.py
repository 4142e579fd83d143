"""The shortcut, the resumed pass and captum agree."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerActivation, LayerFeatureAblation
from torch import nn

from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.patching.from_cut import Downstream, class_margins
from circuitz.z.layer import Preprocessing

PREP = Preprocessing(size=(16, 16))


class Tokens(nn.Module):
    """Units on the last axis."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 6, 4, 4)
        self.mix = nn.Linear(6, 5)
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        return self.head(self.mix(self.patch(x).flatten(2).transpose(1, 2)).mean(1))


def small():
    return build("small-cnn", {"classes": 4, "widths": [6, 8, 7], "strides": [2, 1, 1]})


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(768, 9), nn.Tanh(), nn.Linear(9, 4))


CASES = {
    "pool and linear": (small, "conv3", True),
    "a block after it": (small, "conv2", False),
    "before the activation": (small, "conv3.1", False),
    "tokens": (Tokens, "mix", True),
    "vector": (mlp, "2", True),
    "vector before tanh": (mlp, "1", False),
    "logits": (mlp, "3", True),
}


def setup(make, layer, shortcut=True, dtype=torch.float32):
    torch.manual_seed(1)
    net = make().to(dtype)
    images = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    runtime = Runtime(net, [layer], PREP)
    x = runtime.prepare(images)
    (spec,) = describe_layers(net, [layer], x)
    acts = runtime.run(x, [layer])[0][layer]
    return runtime, spec, x, Downstream(runtime, spec, acts, shortcut=shortcut)


def trials(units):
    draw = np.random.default_rng(2)
    return draw.integers(0, 20, 50), draw.integers(0, 20, 50), draw.integers(0, 4, 50)


@pytest.mark.parametrize("case", CASES)
def test_affine_is_found_out(case):
    make, layer, affine = CASES[case]
    assert setup(make, layer)[3].affine == affine


@pytest.mark.parametrize("case", CASES)
def test_shortcut_equals_resuming_equals_replacing_by_hand(case):
    make, layer, _ = CASES[case]
    runtime, spec, x, fast = setup(make, layer)
    _, _, _, slow = setup(make, layer, shortcut=False)
    assert not slow.affine
    source, donor, target = trials(spec.size)
    units = [0, 2, spec.size - 1]
    joint = fast.joint_margin_change(source, donor, target, units)
    assert np.allclose(joint, slow.joint_margin_change(source, donor, target, units), atol=1e-5)
    each = fast.margin_change_by_unit(source, donor, target)
    assert each.shape == (50, spec.size)
    assert np.allclose(each, slow.margin_change_by_unit(source, donor, target), atol=1e-5)
    for u in range(spec.size):
        a, b = (d.joint_margin_change_all_classes(source, donor, u) for d in (fast, slow))
        assert np.allclose(a, b, atol=1e-5)
        assert np.allclose(a[np.arange(50), target], each[:, u], atol=1e-5)
    # By hand: a hook that swaps the units during a whole forward pass.
    acts, logits = runtime.run(x, [layer])
    acts = acts[layer]

    def swap(module, args, out):
        out = out.clone()
        index = [slice(None)] * out.ndim
        index[spec.unit_axis] = units
        out[tuple(index)] = acts[donor][tuple(index)]
        return out

    handle = runtime.module.get_submodule(layer).register_forward_hook(swap)
    with torch.no_grad():
        after = class_margins(runtime.forward(x[source]))
    handle.remove()
    by_hand = (after - class_margins(logits)[source])[np.arange(50), target]
    assert np.allclose(joint, by_hand, atol=1e-5)


def test_patching_everything_gives_the_donor_s_margin():
    _, spec, _, down = setup(*CASES["a block after it"][:2])
    source, donor, target = trials(spec.size)
    whole = down.joint_margin_change(source, donor, target, range(spec.size))
    rows = down.margins.numpy()
    assert np.allclose(whole, rows[donor, target] - rows[source, target], atol=1e-5)
    assert np.allclose(down.joint_margin_change(source, source, target, [1]), 0, atol=1e-6)


def test_activations_are_left_alone():
    _, spec, _, down = setup(*CASES["before the activation"][:2])
    before = down.acts.clone()
    down.margin_change_by_unit(*trials(spec.size))
    assert torch.equal(before, down.acts)


def test_piecewise_linear_is_not_taken_for_affine():
    """All activations at hand lie on one side of the kink; only probing shows it."""
    net = nn.Sequential()
    net.cut = nn.Sequential(nn.Flatten(), nn.Linear(768, 5), nn.ReLU())
    net.kink = nn.ReLU()
    net.head = nn.Linear(5, 4)
    assert not setup(lambda: net, "cut")[3].affine


def test_a_layer_that_does_nothing_downstream():
    class Deaf(nn.Module):
        def __init__(self):
            super().__init__()
            self.cut = nn.Linear(768, 3)
            self.bias = nn.Parameter(torch.arange(4.0))

        def forward(self, x):
            return self.cut(x.flatten(1))[:, :1] * 0 + self.bias

    _, _, _, down = setup(Deaf, "cut")
    assert np.allclose(down.margin_change_by_unit(*trials(3)), 0)


def test_probabilities_before_and_after():
    runtime, spec, x, down = setup(*CASES["a block after it"][:2])
    before, after = down.probabilities(3, 5, range(spec.size))
    with torch.no_grad():
        share = runtime.forward(x).softmax(1).numpy()
    assert np.allclose(before, share[3], atol=1e-5)
    assert np.allclose(after, share[5], atol=1e-5)


def test_half_precision_networks_are_measured():
    _, spec, _, down = setup(*CASES["pool and linear"][:2], dtype=torch.bfloat16)
    change = down.margin_change_by_unit(*trials(spec.size))
    exact = setup(*CASES["pool and linear"][:2])[3].margin_change_by_unit(*trials(spec.size))
    assert change.dtype == np.float32
    assert np.allclose(change, exact, atol=0.05)


@pytest.mark.parametrize("case", ["pool and linear", "a block after it", "vector"])
def test_zero_ablation_equals_captum(case):
    """captum's feature ablation of a layer's channels, and ours with an all-zero donor."""
    make, layer, _ = CASES[case]
    runtime, spec, x, _ = setup(make, layer)
    net = runtime.module.eval()
    acts = LayerActivation(net, net.get_submodule(layer)).attribute(x).detach()
    ours, _ = runtime.run(x, [layer])
    assert torch.allclose(acts, ours[layer], atol=1e-6)

    class Margins(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return class_margins(self.net(x))

    mask = torch.arange(spec.size).view(1, -1, *[1] * (acts.ndim - 2)).expand(1, *acts.shape[1:])
    ablation = LayerFeatureAblation(Margins().eval(), net.get_submodule(layer))
    for target in range(4):
        theirs = ablation.attribute(x, target=target, layer_mask=mask).detach()
        theirs = theirs.flatten(2)[..., 0] if acts.ndim > 2 else theirs
        for shortcut in (True, False):
            extended = torch.cat([acts, torch.zeros_like(acts[:1])])
            down = Downstream(runtime, spec, extended, shortcut=shortcut)
            lost = -down.margin_change_by_unit(np.arange(20), np.full(20, 20), np.full(20, target))
            assert np.allclose(lost, theirs, atol=1e-5)
