from __future__ import annotations

import torch

from circuitz.responses.optimised.adam import Adam


def test_it_takes_the_steps_torch_takes():
    draw = torch.Generator().manual_seed(0)
    start = torch.randn(4, 5, generator=draw)
    ours = start.clone().requires_grad_(True)
    theirs = start.clone().requires_grad_(True)
    rule, reference = Adam(ours, 0.05), torch.optim.Adam([theirs], lr=0.05)
    for _ in range(30):
        grad = torch.randn(4, 5, generator=draw)
        rule.step(grad)
        theirs.grad = grad
        reference.step()
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert ours.grad is None
