"""One run of a small transformer, with all that patched runs start from."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from circuitz.models.zoo.small_transformer import KeysAndValues, SmallTransformer


@dataclass(frozen=True, eq=False)
class TransformerRun:
    """One run of a model, with all that patched runs start from, by block.

    Parameters
    ----------
    before, middle
        Residual stream ``(n, t, width)`` before each block, and behind its attention.
    query, keys
        What attention is made of: ``(n, t, heads, head width)``.
    z
        ``(n, t, heads, head width)``, what each head gathered.
    logits
        ``(n, s, outputs)`` at the positions asked for.
    """

    before: tuple[torch.Tensor, ...]
    middle: tuple[torch.Tensor, ...]
    query: tuple[torch.Tensor, ...]
    keys: tuple[KeysAndValues, ...]
    z: tuple[torch.Tensor, ...]
    logits: torch.Tensor


def run_transformer_with_cache(
    net: SmallTransformer, tokens: torch.Tensor, answers: torch.Tensor
) -> TransformerRun:
    """Run a model once and keep what patched runs start from."""
    x = net.embed_tokens(tokens)
    at = torch.arange(x.shape[1], device=x.device)
    rows: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor, KeysAndValues, torch.Tensor]] = []
    for block in net.layers:
        normed = block.ln1(x)
        query, keys = (
            block.attn.split_heads(block.attn.q(normed)),
            block.attn.keys_and_values(normed),
        )
        _, z = block.attn.attend(query, keys, at)
        middle = x + block.attn.o(z.flatten(-2))
        rows.append((x, middle, query, keys, z))
        x = block.add_neurons(middle)
    before, middles, queries, offered, gathered = zip(*rows, strict=True)
    return TransformerRun(
        before, middles, queries, offered, gathered, logits_from_residual_stream(net, x[:, answers])
    )


def logits_from_residual_stream(net: SmallTransformer, x: torch.Tensor) -> torch.Tensor:
    """Return the logits that a residual stream comes to."""
    return net.unembed(net.ln_final(x))
