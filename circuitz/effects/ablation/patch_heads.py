"""What it does to put one head's output at one position in from another run: all of them, exactly.

The plain way runs the whole model once for every head and position. Here, in exchange for nothing:

- all heads (and all prompts) go through in one batch, position by position;
- only what is downstream runs: later blocks, and of them only positions from the patched one on,
  for none looks ahead;
- a head adds linearly to the residual stream, so a patched head is its difference, multiplied
  out once, and up to the next attention only the patched position differs;
- the last block computes only the positions whose logits are asked for.

Source of the intervention: activation patching (Meng 2022, Heimersheim and Nanda 2024), as
TransformerLens' ``get_act_patch_attn_head_out_by_pos`` does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.nn import functional

from circuitz.errors import InterventionError
from circuitz.models.zoo.small_transformer import KeysAndValues, SmallTransformer
from circuitz.patching.transformer_run import (
    TransformerRun,
    logits_from_residual_stream,
    run_transformer_with_cache,
)

F32 = npt.NDArray[np.float32]
Metric = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, eq=False)
class HeadPatching:
    """The metric after each patch.

    Parameters
    ----------
    values
        ``(layers, positions, heads, n)`` float32, prompt by prompt.
    baseline, donor
        ``(n,)`` the metric of the runs that are patched, and of those that lend.
    """

    values: F32
    baseline: F32
    donor: F32

    @property
    def effect(self) -> F32:
        """``(layers, positions, heads)`` mean change of the metric over prompts."""
        return (self.values - self.baseline).mean(-1)

    @property
    def restored_share(self) -> F32:
        """The same as a share of what lending everything does."""
        whole = float((self.donor - self.baseline).mean())
        return self.effect / np.float32(whole if whole else np.nan)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a head and position.

        Columns: ``unit``, ``layer``, ``head``, ``position``; ``effect``, the mean change of the
        metric; ``restored``, the same as a share of what lending everything does (NaN where that
        changes nothing).
        """
        where = np.indices(self.values.shape[:3]).reshape(3, -1)
        return pd.DataFrame(
            {
                "unit": [f"blocks.{i}.attn.hook_z:{h}@pos{p}" for i, p, h in where.T],
                "layer": where[0],
                "head": where[2],
                "position": where[1],
                "effect": self.effect.ravel(),
                "restored": self.restored_share.ravel(),
            }
        )


def patch_heads(
    net: SmallTransformer,
    tokens: torch.Tensor,
    donors: torch.Tensor,
    metric: Metric,
    *,
    answers: int | None = -1,
    progress: Callable[[int, int], None] | None = None,
) -> HeadPatching:
    """Patch every head at every position, and read a metric.

    Parameters
    ----------
    net
        The model.
    tokens, donors
        ``(n, t)`` int64: the prompts that are patched, and those whose heads are put in, row by
        row (*corrupted* and *clean* where the latter are to restore an answer).
    metric
        From logits ``(n, s, outputs)`` at the answers to one number a prompt, ``(n,)``.
    answers
        Position whose logits the metric reads, the last by default; ``None`` for all positions.
    progress
        Called with layers done and layers in all.

    Returns
    -------
    HeadPatching
        Equal to running the whole model with each patch, to float32 rounding.

    Raises
    ------
    InterventionError
        If the prompts differ in shape, the answer lies outside them, or the metric does not give
        one number a prompt.
    """
    if tokens.shape != donors.shape or tokens.ndim != 2 or not tokens.numel():
        raise InterventionError(
            f"Prompts are {tuple(tokens.shape)}, those that lend {tuple(donors.shape)}.",
            "Give two sets of prompts (n, positions) of one shape, row by row.",
        )
    t = tokens.shape[1]
    if answers is not None and not -t <= answers < t:
        raise InterventionError(f"There is no position {answers}.", f"Choose 0 to {t - 1}.")
    where = tokens.device
    at = torch.arange(t, device=where) if answers is None else torch.tensor([answers % t]).to(where)
    with torch.no_grad():
        base, other = (
            run_transformer_with_cache(net, tokens, at),
            run_transformer_with_cache(net, donors, at),
        )
        values: list[torch.Tensor] = []
        for layer in range(len(net.layers)):
            values.append(_metric_by_patched_head_and_position(net, base, other, layer, at, metric))
            if progress is not None:
                progress(layer + 1, len(net.layers))
        ends = [_apply_metric(metric, made.logits[None])[0] for made in (base, other)]
    parts = (torch.stack(values), *ends)
    return HeadPatching(*(part.float().cpu().numpy() for part in parts))


def _metric_by_patched_head_and_position(
    net: SmallTransformer,
    base: TransformerRun,
    other: TransformerRun,
    layer: int,
    at: torch.Tensor,
    metric: Metric,
) -> torch.Tensor:
    """Return the metric ``(t, heads, n)`` with each head of a layer patched at each position."""
    block = net.layers[layer]
    n, t, heads, width = base.z[layer].shape
    out = block.attn.o.weight.view(-1, heads, width)
    change = torch.einsum("nthw,dhw->nthd", other.z[layer] - base.z[layer], out)
    # Behind this block only the patched position differs: (n, t, heads, width of the stream).
    patched = block.add_neurons(base.middle[layer][:, :, None] + change)
    found = _apply_metric(metric, base.logits[None]).expand(t, heads, n).clone()
    for p in range(int(at.max()) + 1):
        reached = at >= p
        logits = base.logits[:, None].repeat(1, heads, 1, 1)
        if layer == len(net.layers) - 1:
            reached = at == p
            if not reached.any():
                continue
            logits[:, :, reached] = logits_from_residual_stream(net, patched[:, p, :, None])
        else:
            logits[:, :, reached] = _logits_resumed_from_block(
                net, base, layer + 1, p, patched[:, p], at[reached]
            )
        found[p] = _apply_metric(metric, logits.transpose(0, 1))
    return found


def _logits_resumed_from_block(
    net: SmallTransformer,
    base: TransformerRun,
    layer: int,
    p: int,
    here: torch.Tensor,
    at: torch.Tensor,
) -> torch.Tensor:
    """Return logits of runs that differ from a base before a block, at one position.

    Parameters
    ----------
    layer, p
        The block, and the position.
    here
        ``(n, m, width)`` the stream there in ``m`` runs a prompt.
    at
        ``(s,)`` positions whose logits are asked for, none before ``p``.

    Returns
    -------
    ``(n, m, s, outputs)``.
    """
    many = here.shape[1]
    rest = torch.arange(p, base.before[0].shape[1], device=here.device)

    def repeat_per_run(x: torch.Tensor) -> torch.Tensor:
        return x[:, None].expand(-1, many, *x.shape[1:])

    def replace_position(x: torch.Tensor, value: torch.Tensor, position: int) -> torch.Tensor:
        made = repeat_per_run(x).clone()
        made[:, :, position] = value
        return made

    stream = replace_position(base.before[layer][:, p:], here, 0)
    for i in range(layer, len(net.layers)):
        block, keys = net.layers[i], base.keys[i]
        last = i == len(net.layers) - 1
        asked, rows = (at, at - p) if last else (rest, slice(None))
        if i == layer:
            normed = block.ln1(here)
            query = replace_position(
                base.query[i][:, p:], block.attn.split_heads(block.attn.q(normed)), 0
            )
            new = block.attn.keys_and_values(normed)
            there = KeysAndValues(
                replace_position(keys.key, new.key, p), replace_position(keys.value, new.value, p)
            )
            query = query[:, :, rows]
        else:
            normed = block.ln1(stream)
            query = block.attn.split_heads(block.attn.q(normed[:, :, rows]))
            new = block.attn.keys_and_values(normed)
            there = KeysAndValues(
                torch.cat([repeat_per_run(keys.key[:, :p]), new.key], 2),
                torch.cat([repeat_per_run(keys.value[:, :p]), new.value], 2),
            )
        z = _attend_causally(query, there, asked)
        stream = block.add_neurons(stream[:, :, rows] + block.attn.o(z.flatten(-2)))
    return logits_from_residual_stream(net, stream)


def _attend_causally(query: torch.Tensor, keys: KeysAndValues, at: torch.Tensor) -> torch.Tensor:
    """Return what heads gather ``(n, m, s, heads, head width)``, the patterns left unwritten."""
    q, k, v = (x.flatten(0, 1).transpose(1, 2) for x in (query, keys.key, keys.value))
    seen = torch.arange(k.shape[2], device=at.device) <= at[:, None]
    z = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
    return z.transpose(1, 2).unflatten(0, query.shape[:2])


def _apply_metric(metric: Metric, logits: torch.Tensor) -> torch.Tensor:
    """Return the metric ``(m, n)`` of logits ``(m, n, s, outputs)``."""
    rows = [metric(some) for some in logits]
    if any(row.shape != logits.shape[1:2] for row in rows):
        raise InterventionError(
            f"The metric gives {tuple(rows[0].shape)} for logits {tuple(logits.shape[1:])}.",
            "Return one number a prompt: lambda logits: logits[:, -1, 3] - logits[:, -1, 5].",
        )
    return torch.stack(rows)
