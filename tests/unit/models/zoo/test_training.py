from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import Recipe, fit
from circuitz.z.layer import Preprocessing


@pytest.mark.parametrize("steps", range(1, 8))
def test_however_few_steps_there_are_the_network_is_trained(steps: int) -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (4 * steps, 16, 16, 3), dtype=np.uint8)
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 2, "widths": [4, 4], "strides": [2, 1]})
    before = net.state_dict()["head.weight"].clone()
    fit(net, images, np.arange(len(images)) % 2, Preprocessing(size=(16, 16)),
        Recipe(epochs=1, rate=1e-2, batch=4, flip=False))  # fmt: skip
    assert not torch.equal(net.state_dict()["head.weight"], before)
