"""A small sparse autoencoder, trained in seconds on a layer's activations.

Top-k (Gao et al. 2024): of many latents only the k largest explain a position, so there is no
penalty to tune. Latents that never fire get a share of what the others leave unexplained.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import BasisError
from circuitz.models.run.basis import Basis
from circuitz.responses.optimised.adam import Adam

F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]

_BATCH = 512
_RATE = 3e-3
# Steps without firing after which a latent counts as dead, and what reviving it weighs.
_DEAD = 40
_REVIVE = 1 / 32


def train_sae(
    vectors: F32,
    latents: int,
    top: int = 6,
    *,
    steps: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Basis:
    """Train a top-k sparse autoencoder.

    Parameters
    ----------
    vectors
        ``(m, d)`` activations.
    latents, top
        How many directions, and how many of them explain one position.
    steps
        Of Adam, 512 vectors each.
    seed
        Of the start and the order of vectors.
    progress
        Called with steps done and steps in all.

    Raises
    ------
    BasisError
        If there are no vectors that differ, or more latents are to explain a position than
        there are.
    """
    if not 0 < top <= latents:
        raise BasisError(f"{top} of {latents} latents cannot explain a position.", "Choose fewer.")
    x = torch.from_numpy(vectors)
    centre = x.mean(0)
    size = (x - centre).norm(dim=1).mean()
    if not size > 0:
        raise BasisError("The layer's activations are all the same.", "Choose another layer.")
    x = (x - centre) / size
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randn(latents, x.shape[1], generator=draw)
    rows = rows / rows.norm(dim=1, keepdim=True)
    parts = [rows.clone(), rows.clone(), torch.zeros(latents)]
    for part in parts:
        part.requires_grad_(True)
    decoder, encoder, offset = parts
    optimisers = [Adam(p, _RATE, steps=steps, fall=0.9) for p in parts]
    idle = torch.zeros(latents)
    for step in range(steps):
        batch = x[torch.randint(len(x), (_BATCH,), generator=draw)]
        lean = batch @ encoder.T + offset
        best = lean.topk(top, dim=1)
        code = torch.zeros_like(lean).scatter(1, best.indices, best.values.relu())
        left = batch - code @ decoder
        loss = left.square().sum(1).mean()
        idle = torch.where((code > 0).any(0), 0.0, idle + 1)
        dead = idle > _DEAD
        if dead.any():
            few = min(top, int(dead.sum()))
            spare = lean.masked_fill(~dead, -torch.inf).topk(few, dim=1)
            extra = torch.zeros_like(lean).scatter(1, spare.indices, spare.values.relu())
            loss = loss + _REVIVE * (left.detach() - extra @ decoder).square().sum(1).mean()
        grads = torch.autograd.grad(loss, parts)
        for optimiser, grad in zip(optimisers, grads, strict=True):
            optimiser.step(grad)
        with torch.no_grad():
            decoder /= decoder.norm(dim=1, keepdim=True).clamp(min=1e-8)
        if progress is not None:
            progress(step + 1, steps)
    # Back to the scale of the activations: a coordinate is in their units, a direction has norm 1.
    found = [p.detach().numpy().copy() for p in parts]
    return Basis(
        directions=found[0],
        readers=found[1],
        centre=centre.numpy().copy(),
        offset=found[2] * np.float32(size),
        read_as="topk",
        top=top,
        kind=f"sparse autoencoder, {top} of {latents} latents a position",
    )
