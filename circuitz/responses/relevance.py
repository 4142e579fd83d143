"""The inputs on which a unit matters most to a class: relevance, not activation.

Relevance is activation times gradient of the class's margin, summed over positions, as a share
of all that the layer's units have (compare relevance maximisation, Achtibat et al. 2023). A unit
that means two things has other exemplars for each class than those it is most active on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.errors import GradientError
from circuitz.models.run.gradient_checks import (
    check_gradient_finite,
    check_hands_gradients_on,
    gradient_losses_refused,
)
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.restore_state import temporary_forward_hooks
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

KEPT = 4
# Pairs of an input and a class whose relevance is held in memory at a time.
_TOGETHER = 512


def margins_of_logits(logits: torch.Tensor, head: str) -> torch.Tensor:
    """Return each logit less the mean of the others, ``(n, k)``; of a multi-label head, logits."""
    if head == "multi-label" or logits.shape[1] < 2:
        return logits
    return logits - (logits.sum(1, keepdim=True) - logits) / (logits.shape[1] - 1)


def top_margin_inputs(margin: F32, start: int, count: int) -> tuple[F32, I64]:
    """Return the inputs that speak most for each class.

    Parameters
    ----------
    margin
        ``(n, k)`` margins.
    start
        Index of the first input.
    count
        How many a class.

    Returns
    -------
    ``(k, most)`` margins and indices, -1 where there are fewer.
    """
    k = margin.shape[1]
    order = np.argsort(-margin, axis=0, kind="stable")[:count].T
    best = np.full((k, count), -np.inf, np.float32)
    index = np.full((k, count), -1, np.int64)
    best[:, : order.shape[1]] = np.take_along_axis(margin.T, order, 1)
    index[:, : order.shape[1]] = start + order
    return best, index


def rank_inputs_by_relevance(
    runtime: Runtime,
    spaces: Sequence[UnitSpace],
    images: npt.NDArray[np.uint8],
    candidates: I64,
    batch: int = 64,
) -> list[tuple[I64, F32]]:
    """Rank inputs by what each unit contributes to each class.

    Parameters
    ----------
    runtime
        The network.
    spaces
        Whose units.
    images
        ``(n, h, w, c)`` uint8.
    candidates
        ``(k, s)`` inputs to try for each class, -1 for none.
    batch
        Inputs at a time.

    Returns
    -------
    For each place ``(u, k, 4)`` int64 inputs, best first, -1 where fewer have positive relevance,
    and ``(u, k, 4)`` float32 their relevance in shares of the layer's. None has any where the network
    turns gradients off behind the layer, or they are not finite.
    """
    classes = len(candidates)
    found = [
        (np.full((p.spec.size, classes, KEPT), -1, np.int64),
         np.zeros((p.spec.size, classes, KEPT), np.float32))
        for p in spaces
    ]  # fmt: skip
    one = candidates[candidates >= 0][:1]
    able = _places_with_gradients(runtime, spaces, images[one]) if len(one) else []
    if not able:
        return found
    some = max(1, _TOGETHER // max(1, candidates.shape[1]))
    for first in range(0, classes, some):
        rows = np.sort(candidates[first : first + some], axis=1)
        target, _ = np.nonzero(rows >= 0)
        row = rows[rows >= 0]
        parts: list[list[F32]] = []
        for i in range(0, len(row), batch):
            at = slice(i, i + batch)
            x = runtime.prepare(images[row[at]])
            parts.append(
                _relevance_shares(runtime, [spaces[p] for p in able], x, first + target[at])
            )
        for p, (index, value) in enumerate(found[i] for i in able):
            share = np.concatenate([part[p] for part in parts]).T if parts else np.zeros((0, 0))
            for k in np.unique(target):
                mine = np.flatnonzero(target == k)
                order = np.argsort(-share[:, mine], axis=1, kind="stable")[:, :KEPT]
                best = np.take_along_axis(share[:, mine], order, 1)
                there = (slice(None), first + k, slice(0, order.shape[1]))
                index[there] = np.where(best > 0, row[mine][order], -1)
                value[there] = np.maximum(best, 0)
    return found


def _places_with_gradients(
    runtime: Runtime, spaces: Sequence[UnitSpace], image: npt.NDArray[np.uint8]
) -> list[int]:
    """Return the places from which gradients of the margins can be had, tried on one input."""
    x, target = runtime.prepare(image), np.zeros(1, np.int64)

    def is_able(places: Sequence[UnitSpace]) -> bool:
        try:
            _relevance_shares(runtime, places, x, target)
        except GradientError:
            return False
        return True

    if is_able(spaces):
        return list(range(len(spaces)))
    return [i for i, space in enumerate(spaces) if is_able([space])]


def _relevance_shares(
    runtime: Runtime, spaces: Sequence[UnitSpace], x: torch.Tensor, target: I64
) -> list[F32]:
    """Return each unit's relevance ``(n, u)`` to each input's target class, by place."""
    seen: dict[nn.Module, torch.Tensor] = {}
    modules = [find_layer(runtime.module, p.layer.name) for p in spaces]

    def catch_output(module: nn.Module, _args: Any, out: torch.Tensor) -> torch.Tensor:
        # Where nothing before it asks for a gradient, it is asked for from here on.
        seen[module] = out = out if out.requires_grad else out.detach().requires_grad_()
        return out.clone()  # what follows may overwrite its input

    hooks = temporary_forward_hooks(dict.fromkeys(modules, catch_output))
    with gradient_losses_refused(runtime.module), hooks:
        logits = runtime.forward(x.detach())
        to = torch.from_numpy(target).to(logits.device)[:, None]
        total = margins_of_logits(logits.float(), runtime.head).gather(1, to).sum()
        check_hands_gradients_on(total)
        grads = torch.autograd.grad(
            total, list(seen.values()), allow_unused=True, materialize_grads=True
        )
    for grad in grads:
        check_gradient_finite(grad)
    slope = dict(zip(seen, grads, strict=True))
    found: list[F32] = []
    for place, module in zip(spaces, modules, strict=True):
        share = place.attribution(seen[module].detach(), slope[module])
        share = share / share.abs().sum(1, keepdim=True).clamp(min=1e-12)
        found.append(share.cpu().numpy())
    return found
