"""Edges between heads: what one head tells another, with every other route held.

The sender's output is exchanged for that of another input in what the receiver reads, and nowhere
else: in its queries, its keys or its values. What the receiver then gathers goes on through the
rest of the model. This is path patching (Wang 2022, Goldowsky-Dill 2023); nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from circuitz.errors import InterventionError
from circuitz.models.zoo.small_transformer import KeysAndValues, SmallTransformer
from circuitz.patching.from_cut import class_margins
from circuitz.patching.transformer_run import TransformerRun, run_transformer_with_cache

F32 = npt.NDArray[np.float32]
Part = Literal["query", "key", "value"]
PARTS: tuple[Part, ...] = ("query", "key", "value")


def measure_head_edges(
    net: SmallTransformer,
    tokens: torch.Tensor,
    donors: torch.Tensor,
    target: torch.Tensor,
    *,
    parts: Sequence[Part] = PARTS,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Measure every edge from a head to a later head.

    Parameters
    ----------
    net
        The model; its answer is at the last position.
    tokens, donors
        ``(n, t)`` int64: inputs, and those whose senders are put in, row by row.
    target
        ``(n,)`` the class whose margin is read.
    parts
        What of the receiver reads the exchanged stream.
    progress
        Called with receivers done and receivers in all.

    Returns
    -------
    One row a sender, receiver and part: their unit ids, ``part``, ``effect`` (mean loss of margin in
    logits; positive where the edge speaks for the class), and its standard error ``se``.

    Raises
    ------
    InterventionError
        If inputs differ in shape, or there is a part that heads do not have.
    """
    unknown = set(parts) - set(PARTS)
    if tokens.shape != donors.shape or target.shape != tokens.shape[:1] or unknown:
        raise InterventionError(
            f"Inputs {tuple(tokens.shape)}, {tuple(donors.shape)} and targets {tuple(target.shape)} "
            f"do not fit, or there is no part {sorted(unknown)}.",
            f"Give as many of each; parts are {', '.join(PARTS)}.",
        )
    last = torch.tensor([tokens.shape[1] - 1], device=tokens.device)
    rows: list[dict[str, object]] = []
    heads = net.layers[0].attn.heads
    receivers = [(j, g) for j in range(1, len(net.layers)) for g in range(heads)]
    with torch.no_grad():
        base, other = (
            run_transformer_with_cache(net, tokens, last),
            run_transformer_with_cache(net, donors, last),
        )
        own = _target_margin(base.logits[:, 0], target)
        for done, (j, g) in enumerate(receivers):
            for i in range(j):
                change = _additions_to_stream_by_head(net, i, other.z[i] - base.z[i])
                for h in range(heads):
                    for part in parts:
                        stream = base.before[j] + change[:, :, h]
                        loss = own - _target_margin(
                            _logits_through_receiver(net, base, (j, g), part, stream), target
                        )
                        rows.append(
                            {
                                "sender": f"blocks.{i}.attn.hook_z:{h}",
                                "receiver": f"blocks.{j}.attn.hook_z:{g}",
                                "part": part,
                                "effect": float(loss.mean()),
                                "se": float(loss.std(correction=1) / len(loss) ** 0.5),
                            }
                        )
            if progress is not None:
                progress(done + 1, len(receivers))
    return pd.DataFrame(rows)


def _additions_to_stream_by_head(
    net: SmallTransformer, layer: int, z: torch.Tensor
) -> torch.Tensor:
    """Return what heads add to the stream, ``(n, t, heads, width)``."""
    attn = net.layers[layer].attn
    out = attn.o.weight.view(-1, attn.heads, attn.head_width)
    return torch.einsum("nthw,dhw->nthd", z, out)


def _logits_through_receiver(
    net: SmallTransformer,
    base: TransformerRun,
    receiver: tuple[int, int],
    part: Part,
    stream: torch.Tensor,
) -> torch.Tensor:
    """Return logits ``(n, outputs)`` when one head reads another stream in one of its parts."""
    j, g = receiver
    block = net.layers[j]
    at = torch.arange(stream.shape[1], device=stream.device)
    heads = slice(g, g + 1)
    read = block.ln1(stream)
    query, key, value = (
        x[:, :, heads] for x in (base.query[j], base.keys[j].key, base.keys[j].value)
    )
    if part == "query":
        query = block.attn.split_heads(block.attn.q(read))[:, :, heads]
    elif part == "key":
        key = block.attn.split_heads(block.attn.k(read))[:, :, heads]
    else:
        value = block.attn.split_heads(block.attn.v(read))[:, :, heads]
    _, gathered = block.attn.attend(query, KeysAndValues(key, value), at)
    z = base.z[j].clone()
    z[:, :, heads] = gathered
    x = block.add_neurons(base.before[j] + block.attn.o(z.flatten(-2)))
    for later in net.layers[j + 1 :]:
        x = later(x)
    return net.unembed(net.ln_final(x[:, -1]))


def _target_margin(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return class_margins(logits.float()).gather(1, target[:, None])[:, 0]
