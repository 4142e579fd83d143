"""What drives what among attention heads: every edge of a class's circuit, run exactly.

Heads and the tokens themselves are the nodes; residual stream, layer norm and neurons lie on the
ways between them. A sender (a head, or the tokens as they are embedded) is exchanged in what a
receiver reads while all other heads keep their outputs; what the receiver then puts out goes on
through the rest of the model, to the class. This is path patching with neurons on the path (Wang
et al. 2022). What the receiver does when all that it reads is exchanged is the whole of which
edges are shares.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from circuitz.effects.circuit.head_pairs import (
    HeadChanges,
    HeadPair,
    HookedModel,
    HookedPair,
    SmallPair,
)
from circuitz.effects.circuit.prune_graph import mask_reaching_cumulative_share
from circuitz.effects.circuit.wiring import Column, Wiring
from circuitz.effects.edge.edges import ContrastPairs
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.stats.edge_bootstrap import Shares, bootstrap_edge_shares
from circuitz.z.layer import LayerSpec

I64 = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

_BATCH = 128
# Heads of a block whose parents are looked for: those that carry this share of its influence.
_TRACED = 0.98


def exchange_each_sender(
    model: SmallTransformer | HookedModel,
    tokens: torch.Tensor,
    donors: torch.Tensor,
    target: int,
    block: int | None,
    receivers: I64,
    head: str = "softmax",
    tick: Callable[[], None] | None = None,
) -> HeadChanges:
    """Exchange one sender after the other in what heads of a block read, or the class.

    Parameters
    ----------
    model
        Its logits at the last position are those of the classes.
    tokens, donors
        ``(n, t)`` int64: inputs, and those that lend, row by row.
    target
        The class whose margin is read.
    block
        Which block the receivers are heads of; ``None``: the logits themselves, one receiver.
    receivers
        ``(v,)`` heads.
    head
        What the logits mean.
    tick
        Called after each sender of each batch.

    Returns
    -------
    HeadChanges
        Senders are the heads of all blocks before, block by block, and last the tokens.
    """
    parts: list[HeadChanges] = []
    with torch.no_grad():
        for i in range(0, len(tokens), _BATCH):
            some = tokens[i : i + _BATCH], donors[i : i + _BATCH]
            if isinstance(model, SmallTransformer):
                pair: HeadPair = SmallPair(model, *some, target, head)
            else:
                pair = HookedPair(model, *some, target, head)
            parts.append(pair.exchange_senders_one_by_one(block, receivers, tick))
    change, whole = (np.concatenate([getattr(p, n) for p in parts]) for n in ("change", "whole"))
    return HeadChanges(change, whole)


def trace_wiring_of_heads(
    model: SmallTransformer | HookedModel,
    pairs: ContrastPairs,
    name: str,
    target: int,
    specs: tuple[LayerSpec, ...],
    resamples: int,
    seed: int,
    head: str = "softmax",
    progress: Progress | None = None,
) -> Wiring:
    """Return what drives what, from the class backwards through the blocks.

    Parameters
    ----------
    model, pairs
        The model, its inputs and those that lend.
    name, target
        The class, by name and index.
    specs
        The heads of all blocks, in order.
    resamples, seed
        Of the bootstrap over scenes.
    head
        What the logits mean.
    progress
        Called with exchanges done, and in all (at most).
    """
    wiring = Wiring(name, [Column(spec.name, spec.size) for spec in specs], tokens=True)
    sizes = [spec.size for spec in specs]
    batches = -(-len(pairs.x) // _BATCH)
    total = batches * sum(sum(sizes[:j]) + 1 for j in range(1, len(specs) + 1))
    done = 0

    def report_one_exchange() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    def measure_shares(block: int | None, receivers: I64) -> tuple[Shares, I64]:
        found = exchange_each_sender(
            model, pairs.x, pairs.donors, target, block, receivers, head, report_one_exchange
        )
        before = range(len(specs) if block is None else block)
        columns = [wiring.start[specs[i].name] + np.arange(sizes[i]) for i in before]
        senders = np.concatenate([*columns, [wiring.tokens]])
        return bootstrap_edge_shares(
            found.change, found.whole, pairs.scene, resamples=resamples, seed=seed
        ), senders

    def measure_and_enter_block(block: int | None, receivers: I64, rows: I64) -> None:
        measured, senders = measure_shares(block, receivers)
        wiring.enter_shares(measured, senders, rows)
        wiring.note_stability(
            int(measured.detected.sum()), measured.stability, float("nan"), float("nan")
        )

    measure_and_enter_block(None, np.zeros(1, np.int64), np.array([len(wiring.ids) - 1]))
    for j in range(len(specs) - 1, 0, -1):
        at = wiring.start[specs[j].name]
        mine = wiring.influence_so_far()[at : at + sizes[j]]
        chosen = np.flatnonzero(mask_reaching_cumulative_share(mine, _TRACED))
        if len(chosen):
            measure_and_enter_block(j, chosen, at + chosen)
    if progress is not None:
        progress(total, total)
    return wiring
