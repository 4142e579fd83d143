"""What each head of a small transformer is like, in the figures of the field.

Attention to the previous token and induction score (Olsson 2022), copying score and composition
(Elhage 2021), and direct logit effect (direct logit attribution).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from circuitz.errors import InputsError
from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks
from circuitz.models.zoo.small_transformer import Block, SmallTransformer
from circuitz.z.inputs import InputSet
from circuitz.z.measurements import LayerMeasurements

F32 = npt.NDArray[np.float32]
_BATCH = 256


def head_scores(
    net: SmallTransformer, data: InputSet, relations: F32, names: tuple[str, ...]
) -> pd.DataFrame:
    """Score every head.

    Parameters
    ----------
    net
        The model.
    data
        Token sequences, labelled with what follows.
    relations
        ``(n, c, t)`` of 0 and 1: what every position is to the last one of its sequence.
    names
        Of the ``c`` relations.

    Returns
    -------
    One row a head: unit id, layer, head; mean attention the last position pays to all keys of each
    relation, over sequences that have any (NaN where none has); ``copying``, in -1..1, NaN where
    outputs are no tokens; and ``direct``, the mean change of the right answer's margin that the
    head writes itself, in logits.

    Raises
    ------
    InputsError
        If sequences have no labels, or relations are of other sequences.
    """
    if data.labels is None or relations.shape[0] != len(data) or relations.shape[1] != len(names):
        raise InputsError(
            "Heads are scored on labelled sequences, each with what its positions are.",
            "Give D, and relations (n, c, t) with a name each.",
        )
    looked = [np.zeros((net.layers[0].attn.heads, len(names))) for _ in net.layers]
    direct = [np.zeros(net.layers[0].attn.heads) for _ in net.layers]
    there = np.asarray(relations.any(2), bool)
    for start in range(0, len(data), _BATCH):
        rows = slice(start, start + _BATCH)
        tokens = torch.from_numpy(np.asarray(data.images[rows]).astype(np.int64))
        right = torch.from_numpy(np.asarray(data.labels[rows]))
        held = torch.from_numpy(relations[rows].astype(np.float32))
        patterns, gathered, last = _heads_and_stream_at_last_position(net, tokens)
        for i, block in enumerate(net.layers):
            looked[i] += torch.einsum("nht,nct->hc", patterns[i], held).numpy()
            direct[i] += _direct_margin_effects(net, block, gathered[i], last, right).sum(0).numpy()
    rows_found = [
        {
            "unit": f"blocks.{i}.attn.hook_z:{h}",
            "layer": i,
            "head": h,
            **{
                name: looked[i][h, c] / (int(there[:, c].sum()) or np.nan)
                for c, name in enumerate(names)
            },
            "copying": copying_score(net, i, h),
            "direct": direct[i][h] / len(data),
        }
        for i, block in enumerate(net.layers)
        for h in range(block.attn.heads)
    ]
    return pd.DataFrame(rows_found)


def _heads_and_stream_at_last_position(
    net: SmallTransformer, tokens: torch.Tensor
) -> tuple[list[torch.Tensor], list[torch.Tensor], torch.Tensor]:
    """Return what the last position's heads do, by block, and its stream behind the last block.

    Patterns are ``(n, h, t)``, what is gathered ``(n, h, head width)``.
    """
    patterns: dict[torch.nn.Module, torch.Tensor] = {}

    def keep_output(module: torch.nn.Module, _args: object, out: torch.Tensor) -> None:
        patterns[module] = out

    hooks: dict[torch.nn.Module, Callable[..., None]] = {
        m: keep_output for b in net.layers for m in (b.attn.hook_pattern, b.attn.hook_z)
    }
    hooks[net.layers[-1].hook_resid_post] = keep_output
    with torch.no_grad(), eval_mode(net), temporary_forward_hooks(hooks):
        net.logits_everywhere(tokens)
    return (
        [patterns[b.attn.hook_pattern][:, :, -1] for b in net.layers],
        [patterns[b.attn.hook_z][:, -1] for b in net.layers],
        patterns[net.layers[-1].hook_resid_post][:, -1],
    )


def _direct_margin_effects(
    net: SmallTransformer, block: Block, z: torch.Tensor, last: torch.Tensor, right: torch.Tensor
) -> torch.Tensor:
    """Return ``(n, h)``: what each head adds to the right answer's margin, later parts left out.

    The final norm, where there is one, is held at the scale it has.
    """
    heads, width = z.shape[1:]
    with torch.no_grad():
        out = block.attn.o.weight.view(-1, heads, width)
        written = torch.einsum("nhw,dhw->nhd", z, out)
        if isinstance(net.ln_final, torch.nn.LayerNorm):
            scale = (last.var(-1, unbiased=False, keepdim=True) + net.ln_final.eps).sqrt()
            written = written - written.mean(-1, keepdim=True)
            written = written / scale[:, None] * net.ln_final.weight
        logits = net.unembed(written)
        own = logits.gather(2, right[:, None, None].expand(-1, heads, 1))[..., 0]
        return own - (logits.sum(2) - own) / (logits.shape[2] - 1)


def copying_score(net: SmallTransformer, layer: int, head: int) -> float:
    """Return how much a head, where it looks at a token, speaks for that token, -1 to 1.

    The sum of the eigenvalues of its circuit from tokens to logits over the sum of their sizes;
    NaN where outputs are no tokens.
    """
    attn = net.layers[layer].attn
    if net.unembed.out_features != net.vocabulary:
        return float("nan")
    with torch.no_grad():
        width = attn.head_width
        rows = slice(head * width, (head + 1) * width)
        read = net.embed.weight @ attn.v.weight[rows].T
        write = attn.o.weight[:, rows].T @ net.unembed.weight.T
        # The same non-zero eigenvalues as (vocabulary, vocabulary), and far fewer.
        values = torch.linalg.eigvals(write @ read)
    size = values.abs().sum().item()
    return float(values.real.sum().item() / size) if size else 0.0


def k_composition_score(
    net: SmallTransformer, sender: tuple[int, int], receiver: tuple[int, int]
) -> float:
    """Return how far a head's keys read what an earlier head writes (K-composition).

    Parameters
    ----------
    sender, receiver
        Layer and head.

    Returns
    -------
    ``|W_QK W_OV| / (|W_QK| |W_OV|)``, Frobenius norms, in 0..1.
    """
    (i, h), (j, g) = sender, receiver
    with torch.no_grad():
        early, late = net.layers[i].attn, net.layers[j].attn
        a = slice(h * early.head_width, (h + 1) * early.head_width)
        b = slice(g * late.head_width, (g + 1) * late.head_width)
        written = early.o.weight[:, a] @ early.v.weight[a]
        looked = late.q.weight[b].T @ late.k.weight[b]
        return float((looked @ written).norm() / (looked.norm() * written.norm()))


def mean_attention_by_concept(measurements: LayerMeasurements, inputs: InputSet) -> F32:
    """Return how much attention a query pays in all to keys of each concept, ``(u, c)``.

    Parameters
    ----------
    measurements
        Responses of heads to pairs of positions.
    inputs
        The pairs; a mean is over the queries that have any such key.

    Raises
    ------
    InputsError
        If the inputs are no labelled pairs of positions.
    """
    if inputs.focus is None or inputs.concepts is None:
        raise InputsError("These inputs are no labelled pairs.", "Give attention_pairs().")
    scene = np.arange(len(inputs)) if inputs.scene is None else inputs.scene
    which = np.stack([scene, inputs.focus[:, 0]], 1)
    _, query = np.unique(which, axis=0, return_inverse=True)
    query = query.reshape(-1)
    sums = np.zeros((query.max() + 1, measurements.responses.shape[1]))
    columns: list[npt.NDArray[np.float64]] = []
    for held in np.nan_to_num(inputs.concepts).T:
        sums[:] = 0
        np.add.at(sums, query[held == 1], measurements.responses[held == 1])
        there = np.bincount(query, held, len(sums)) > 0
        columns.append(sums[there].mean(0) if there.any() else np.full(sums.shape[1], np.nan))
    return np.stack(columns, 1).astype(np.float32)
