"""Whatever makes a layer's units, those that are silenced are constant and the others as before."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from circuitz.models.adapters.weight_arrays import load_numpy_weights
from circuitz.models.run.layer_specs import describe_layers, flatten_unit_maps
from circuitz.models.run.runtime import Runtime
from circuitz.patching.silenced_weights import silenced_weights
from circuitz.z.layer import Preprocessing

SIZE = 5
NORMS = (nn.Identity, lambda: nn.BatchNorm2d(SIZE), lambda: nn.GroupNorm(1, SIZE))
ACTS = (nn.Identity, nn.ReLU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.ReLU6, nn.Hardswish)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 999),
    norm=st.sampled_from(NORMS),
    act=st.sampled_from(ACTS),
    stride=st.integers(1, 2),
    units=st.sets(st.integers(0, SIZE - 1), min_size=1, max_size=SIZE),
)
def test_silenced_units_put_out_their_mean(seed, norm, act, stride, units) -> None:
    torch.manual_seed(seed)
    block = nn.Sequential(nn.Conv2d(3, SIZE, 3, stride, 1), norm(), act())
    net = nn.Sequential(block, nn.Flatten(), nn.LazyLinear(3))
    net(torch.zeros(2, 3, 8, 8))
    with torch.no_grad():
        for tensor in net.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(0.2 * torch.rand_like(tensor))
    spec = describe_layers(net, ["0"], torch.zeros(1, 3, 8, 8))[0]
    run = Runtime(net, [spec], Preprocessing(size=(8, 8)))
    images = np.random.default_rng(seed).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)

    def read() -> np.ndarray:
        act = run.run(run.prepare(images), ["0"])[0]["0"]
        return flatten_unit_maps(spec, act).numpy()

    before, named = read(), sorted(units)
    level = before[:, named].mean((0, 2))
    load_numpy_weights(net, silenced_weights(run, spec, named, level, images[:4]))
    after = read()
    others = [u for u in range(SIZE) if u not in units]
    np.testing.assert_allclose(after[:, others], before[:, others], rtol=1e-5, atol=1e-6)
    # A mean lies between what the activation gives, so some bias gives it.
    wanted = np.broadcast_to(level[:, None], after[:, named].shape)
    np.testing.assert_allclose(after[:, named], wanted, rtol=1e-4, atol=1e-4)
