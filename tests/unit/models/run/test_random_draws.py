"""Numbers as small or as large as they may come, and whether any are drawn at all."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.models.run.random_draws import extreme_draws, random_number_states


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_draws_are_as_extreme_as_they_may_come(largest: bool, dtype: torch.dtype) -> None:
    like = torch.zeros(3, dtype=dtype)
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        with extreme_draws(largest):
            shares = [torch.rand(3, dtype=dtype), torch.rand_like(like), like.clone().uniform_()]
            wide = like.clone().uniform_(-2, 6)
            unsure = [like.clone().bernoulli_(0.3), torch.bernoulli(like + 0.3)]
            unsure.append(like.clone().bernoulli_(like + 0.3))
            sure = torch.bernoulli(torch.tensor([0.0, 1.0], dtype=dtype)), like.bernoulli(1.0)
            others = random.random(), np.random.rand()
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])
    for share in (*shares, (wide + 2) / 8):
        assert bool((share > 0.98).all() if largest else (share < 0.02).all())
    assert all(bool((share < 1).all() and (share > 0).all()) for share in shares)
    assert all(one.tolist() == [largest] * 3 for one in unsure)
    assert [one.tolist() for one in sure] == [[0, 1], [1, 1, 1]]
    assert all(one > 0.99 if largest else one < 0.01 for one in others)


@pytest.mark.parametrize(
    "draw", [lambda: torch.rand(1), random.random, np.random.rand, lambda: torch.randn(2)]
)
def test_a_draw_is_noticed(draw) -> None:
    net = nn.Linear(2, 2)
    before = random_number_states(net)
    assert random_number_states(net) == before
    draw()
    assert random_number_states(net) != before
