"""Reading, stopping and resuming equal the plain forward pass, and leave no trace."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.errors import InputsError, LayerError, NetworkError, WeightsError
from circuitz.models.run.runtime import Runtime
from circuitz.z.layer import Preprocessing

PREP = Preprocessing(size=(16, 16))


def state(net):
    return (
        [m.training for m in net.modules()],
        [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules()],
        [p.requires_grad for p in net.parameters()],
        [p.grad is None for p in net.parameters()],
        [b.clone() for b in net.buffers()],
    )


def same(a, b):
    return a[:-1] == b[:-1] and all(torch.equal(x, y) for x, y in zip(a[-1], b[-1], strict=True))


def plain(net, x):
    modes = [(m, m.training) for m in net.modules()]
    net.eval()
    with torch.no_grad():
        out = net(x)
    for m, training in modes:
        m.training = training
    return out["logits"] if isinstance(out, dict) else out


def bypassed(net, layer):
    return layer == "block2.conv2"


def test_read_stop_and_resume_equal_the_plain_pass(net_and_layers, images, prep):
    net, layers = net_and_layers
    before = state(net)
    run = Runtime(net, layers, prep)
    x = run.prepare(images)
    expected = plain(net, x)
    assert np.allclose(run.logits(images, batch=3), expected, atol=1e-5)
    for where, acts, logits in run.read(images, batch=4):
        assert torch.allclose(logits, expected[where], atol=1e-5)
        for layer in layers:
            with torch.no_grad():
                stopped = run.forward_to(layer, x[where])
                given = acts[layer].clone()
                inputs = x[where] if bypassed(net, layer) else None
                resumed = run.resume(layer, acts[layer], inputs)
            assert torch.allclose(stopped, acts[layer], atol=1e-5)
            assert torch.allclose(resumed, logits, atol=1e-5)
            assert torch.equal(acts[layer], given), "the caller's activations were overwritten"
    assert same(before, state(net))


def test_resume_with_another_batch_size_and_changed_activations(net_and_layers, images, prep):
    """Both ways of resuming agree on activations the network never produced."""
    net, layers = net_and_layers
    run = Runtime(net, layers, prep)
    for layer in layers:
        if bypassed(net, layer):
            continue
        act = run.run(run.prepare(images), [layer])[0][layer]
        act = torch.cat([act, act * 1.5 + 0.1])
        module = run.module.get_submodule(layer)
        handle = module.register_forward_hook(lambda *_, a=act: a.clone())
        expected = plain(net, torch.zeros(len(act), 3, 16, 16))
        handle.remove()
        with torch.no_grad():
            assert torch.allclose(run.resume(layer, act), expected, atol=1e-5)


def test_only_the_half_that_is_asked_for_runs(images, prep, net_and_layers):
    net, layers = net_and_layers
    run = Runtime(net, layers, prep)
    layer = layers[1] if len(layers) > 1 else layers[0]
    x = run.prepare(images)
    act = run.forward_to(layer, x)  # cuts the network, trying it as a whole
    called = []
    first = next(m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    last = [m for m in net.modules() if isinstance(m, nn.Linear)][-1]
    handles = [m.register_forward_hook(lambda m, *_: called.append(m)) for m in (first, last)]
    run.resume(layer, act, x if bypassed(net, layer) else None)
    # What cannot be traced runs whole: slower, never wrong.
    if run.resumes_downstream_only(layer):
        assert called == [last]
    called.clear()
    run.forward_to(layer, x)
    assert called == [] or (called == [first] and first is not last) or layer == "head"
    for h in handles:
        h.remove()


def test_the_fast_path_is_used_where_it_can_be(net_and_layers, prep):
    net, layers = net_and_layers
    run = Runtime(net, layers, prep)
    traced = {layer: run.resumes_downstream_only(layer) for layer in layers}
    if type(net).__name__ == "Untraceable":
        assert not any(traced.values())
    else:
        assert all(traced.values())


def test_gradients_flow_to_activations_and_inputs_but_not_into_parameters(
    net_and_layers, images, prep
):
    net, layers = net_and_layers
    run = Runtime(net, layers, prep)
    x = run.prepare(images).requires_grad_(True)
    layer = layers[0]
    act = run.forward_to(layer, x)
    (down,) = torch.autograd.grad(act.square().sum(), x, retain_graph=True)
    assert down.abs().sum() > 0
    leaf = act.detach().requires_grad_(True)
    (up,) = torch.autograd.grad(run.resume(layer, leaf).sum(), leaf)
    assert up.shape == leaf.shape
    assert up.abs().sum() > 0
    assert all(p.grad is None for p in net.parameters())


def test_a_path_around_the_layer_is_refused_without_inputs(images, prep):
    torch.manual_seed(0)
    from torch.nn.functional import relu

    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(3, 4, 1)
            self.b = nn.Conv2d(3, 4, 1)
            self.head = nn.Linear(4, 2)

        def forward(self, x):
            return self.head((relu(self.a(x)) + relu(self.b(x))).mean((2, 3)))

    run = Runtime(Around(), ["a"], prep)
    assert run.is_bypassed("a")
    x = run.prepare(images)
    act = run.forward_to("a", x)
    with pytest.raises(LayerError, match="Not every path"):
        run.resume("a", act)
    assert torch.allclose(run.resume("a", act, x), run.forward(x), atol=1e-6)


def test_modes_set_on_purpose_are_kept(images, prep, net_and_layers):
    net, layers = net_and_layers
    net.train()
    list(net.modules())[-1].eval()
    before = state(net)
    run = Runtime(net, layers, prep)
    run.logits(images)
    run.forward_to(layers[0], run.prepare(images))
    assert same(before, state(net))


def test_after_an_exception_the_model_is_as_before(net_and_layers, images, prep):
    net, layers = net_and_layers
    net.train()
    run = Runtime(net, layers, prep)
    run.forward_to(layers[0], run.prepare(images))
    before = state(net)
    last = [m for m in net.modules() if isinstance(m, nn.Linear)][-1]
    handle = last.register_forward_pre_hook(lambda *_: 1 / 0)
    for use in (lambda: list(run.read(images)), lambda: run.logits(images)):
        with pytest.raises(NetworkError, match="ZeroDivisionError: division by zero") as caught:
            use()
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
    handle.remove()
    with pytest.raises(LayerError):
        run.resume(layers[0], torch.zeros(2, 99))
    assert same(before, state(net))


def test_unknown_layers_are_named_with_near_ones(prep):
    net = nn.Sequential()
    net.conv4 = nn.Conv2d(3, 4, 3)
    with pytest.raises(LayerError, match="conv4"):
        Runtime(net, ["conv5"], prep)
    with pytest.raises(LayerError, match="no layer ''"):
        Runtime(net, [""], prep)


@pytest.mark.parametrize("times", [0, 2])
def test_layers_called_never_or_twice(times, images, prep):
    class Calls(nn.Module):
        def __init__(self):
            super().__init__()
            self.act = nn.ReLU()
            self.head = nn.Linear(768, 3)

        def forward(self, x):
            x = self.head(x.flatten(1))
            for _ in range(times):
                x = self.act(x)
            return x

    run = Runtime(Calls(), ["act"], prep)
    said = "never called" if times == 0 else "2 times"
    for use in (
        lambda: list(run.read(images)),
        lambda: run.forward_to("act", run.prepare(images)),
        lambda: run.resume("act", torch.zeros(1, 3)),
    ):
        with pytest.raises(LayerError, match=said):
            use()


def test_a_layer_under_two_names(images, prep):
    net = nn.Sequential(nn.Flatten(), nn.Linear(768, 5), nn.ReLU(), nn.Linear(5, 3))
    net.alias = None
    net.alias = net[1]

    class Held(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Linear(768, 5)
            self.same = self.body
            self.head = nn.Linear(5, 3)

        def forward(self, x):
            return self.head(self.same(x.flatten(1)))

    run = Runtime(Held(), ["same"], prep)
    x = run.prepare(images)
    assert torch.allclose(run.resume("same", run.forward_to("same", x)), run.forward(x))


def test_a_layer_that_gives_no_tensor(images, prep):
    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.pair = Pair()
            self.head = nn.Linear(768, 3)

        def forward(self, x):
            return self.head(self.pair(x)[0].flatten(1))

    with pytest.raises(LayerError, match="one tensor"):
        list(Runtime(Net(), ["pair"], prep).read(images))


@pytest.mark.parametrize("out", [None, 3, torch.zeros(2, 3, 4), {"scores": torch.zeros(1, 1, 4)}])
def test_networks_that_return_no_logits(out, images, prep):
    class Net(nn.Module):
        def forward(self, x):
            return out

    with pytest.raises(LayerError, match="not logits"):
        Runtime(Net(), [], prep).logits(images)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(bad, prep):
    net = nn.Sequential(nn.Flatten(), nn.Linear(768, 3))
    with torch.no_grad():
        net[1].weight[0, 0] = bad
    with pytest.raises(WeightsError, match=r"1\.weight"):
        Runtime(net, [], prep)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_precisions(dtype, images, prep, net_and_layers):
    net, layers = net_and_layers
    run = Runtime(net.to(dtype), layers, prep)
    x = run.prepare(images)
    assert x.dtype == dtype
    act = run.forward_to(layers[0], x.float())
    assert act.dtype == dtype
    resumed = run.resume(layers[0], act.half())
    assert torch.allclose(resumed.float(), run.forward(x).float(), atol=0.05)
    assert run.logits(images).dtype == np.float32


def test_the_user_s_own_hooks_still_work(images, prep, net_and_layers):
    """A steering hook is part of the network as it is; results include it."""
    net, layers = net_and_layers
    last = [m for m in net.modules() if isinstance(m, nn.Linear)][-1]
    handle = last.register_forward_hook(lambda m, a, out: out + 5)
    run = Runtime(net, layers, prep)
    act = run.forward_to(layers[0], run.prepare(images))
    assert torch.allclose(run.resume(layers[0], act), run.forward(run.prepare(images)), atol=1e-5)
    assert len(last._forward_hooks) == 1
    handle.remove()


def test_global_random_state_is_untouched(images, prep, net_and_layers):
    net, layers = net_and_layers
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    run = Runtime(net, layers, prep)
    run.forward_to(layers[0], run.prepare(images))
    assert torch.equal(torch.rand(1), expected)


def test_images_that_cannot_be_inputs(prep, images):
    run = Runtime(nn.Sequential(nn.Flatten(), nn.Linear(768, 3)), [], prep)
    for wrong in (images.astype(np.float32), images[0], images[..., :2]):
        with pytest.raises(InputsError):
            run.logits(wrong)
    assert run.logits(images[:0]).shape[0] == 0


def test_preprocessing_sizes_and_colours(images):
    colour = dataclasses.replace(PREP, colour="BGR", mean=(0.1, 0.2, 0.3))
    run = Runtime(nn.Sequential(nn.Flatten(), nn.Linear(768, 3)), [], colour)
    x = run.prepare(images)
    expected = (images[..., ::-1] / 255 - np.array([0.1, 0.2, 0.3])) / 0.25
    assert np.allclose(x.permute(0, 2, 3, 1), expected, atol=1e-5)
    grey = Preprocessing((0.5,), (0.5,), (16, 16), "L")
    run = Runtime(nn.Sequential(nn.Flatten(), nn.Linear(256, 3)), [], grey)
    assert run.prepare(images).shape == (7, 1, 16, 16)
    assert run.prepare(images[..., :1]).shape == (7, 1, 16, 16)
    wide = dataclasses.replace(PREP, size=(8, 24))
    assert Runtime(nn.Identity(), [], wide).prepare(images).shape == (7, 3, 8, 24)
    read_only = images.copy()
    read_only.setflags(write=False)
    assert Runtime(nn.Identity(), [], PREP).prepare(read_only).shape == (7, 3, 16, 16)


class Remembers(nn.Module):
    """Stores what it saw on itself, and makes a tensor out of nothing."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 3)
        self.seen = None

    def forward(self, x):
        self.seen = torch.relu(self.conv(x))
        weights = torch.tensor([1.0, 2.0, 3.0])
        return self.head(self.seen.mean((2, 3))) * weights


def test_tracing_leaves_nothing_in_the_network(images, prep):
    net = Remembers()
    run = Runtime(net, ["conv"], prep)
    x = run.prepare(images)
    act = run.forward_to("conv", x)
    assert run.resumes_downstream_only("conv")
    assert type(net.seen) is torch.Tensor
    assert not [name for name in vars(net) if name.startswith("_tensor")]
    assert torch.allclose(run.resume("conv", act), run.forward(x), atol=1e-6)
    with torch.no_grad():
        net.head.bias.add_(3)
    assert torch.allclose(run.resume("conv", act), run.forward(x), atol=1e-6), "weights are shared"
