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
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from circuitz.effects.downstream import margins
from circuitz.effects.edge_effects import Contrast
from circuitz.effects.edge_statistics import Shares, shares
from circuitz.effects.graph_prune import cumulative
from circuitz.effects.graph_wiring import Column, Wiring
from circuitz.effects.head_patching import Run, run
from circuitz.models.small_transformer import Keys, SmallTransformer
from circuitz.z.layer import LayerSpec

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

_BATCH = 128
# Heads of a block whose parents are looked for: those that carry this share of its influence.
_TRACED = 0.98


@dataclass(frozen=True, eq=False)
class HeadChanges:
    """What senders do to the class by way of receivers, an input.

    Parameters
    ----------
    change
        ``(n, s, v)`` float32: change of the margin, in logits, when one sender is exchanged in
        what a receiver reads: the mean of what it does as the first to be exchanged and as the
        last (see :func:`circuitz.effects.edges.exact_changes`).
    whole
        ``(n, v)`` float32: when all that the receiver reads is.
    """

    change: F32
    whole: F32


def head_changes(
    net: SmallTransformer,
    tokens: torch.Tensor,
    lent: torch.Tensor,
    target: int,
    block: int | None,
    receivers: I64,
    head: str = "softmax",
    tick: Callable[[], None] | None = None,
) -> HeadChanges:
    """Exchange one sender after the other in what heads of a block read, or the class.

    Parameters
    ----------
    net
        The model; its logits at the last position are those of the classes.
    tokens, lent
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
            at = slice(i, i + _BATCH)
            pair = _Pair(net, tokens[at], lent[at], target, head)
            parts.append(pair.changes(block, receivers, tick))
    change, whole = (np.concatenate([getattr(p, n) for p in parts]) for n in ("change", "whole"))
    return HeadChanges(change, whole)


def trace_heads(
    net: SmallTransformer,
    pairs: Contrast,
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
    net, pairs
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

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    def told(block: int | None, receivers: I64) -> tuple[Shares, I64]:
        found = head_changes(net, pairs.x, pairs.lent, target, block, receivers, head, tick)
        before = range(len(specs) if block is None else block)
        columns = [wiring.start[specs[i].name] + np.arange(sizes[i]) for i in before]
        senders = np.concatenate([*columns, [wiring.tokens]])
        return shares(
            found.change, found.whole, pairs.scene, resamples=resamples, seed=seed
        ), senders

    def enter(block: int | None, receivers: I64, rows: I64) -> None:
        measured, senders = told(block, receivers)
        wiring.enter(measured, senders, rows)
        wiring.found_again(int(measured.found.sum()), measured.again, float("nan"), float("nan"))

    enter(None, np.zeros(1, np.int64), np.array([len(wiring.ids) - 1]))
    for j in range(len(specs) - 1, 0, -1):
        at = wiring.start[specs[j].name]
        mine = wiring.flow()[at : at + sizes[j]]
        chosen = np.flatnonzero(cumulative(mine, _TRACED))
        if len(chosen):
            enter(j, chosen, at + chosen)
    if progress is not None:
        progress(total, total)
    return wiring


class _Pair:
    """The model on some inputs and on those that lend."""

    def __init__(
        self,
        net: SmallTransformer,
        tokens: torch.Tensor,
        lent: torch.Tensor,
        target: int,
        head: str,
    ) -> None:
        self._net, self._target, self._head = net, target, head
        last = torch.tensor([tokens.shape[1] - 1], device=tokens.device)
        self._base, self._lent = run(net, tokens, last), run(net, lent, last)

    def changes(
        self, block: int | None, receivers: I64, tick: Callable[[], None] | None
    ) -> HeadChanges:
        net, base, lent = self._net, self._base, self._lent
        upto = len(net.layers) if block is None else block
        senders: list[tuple[int, int] | None] = [
            (i, h) for i in range(upto) for h in range(net.layers[i].attn.heads)
        ]
        senders.append(None)
        whole = self._put(block, receivers, lent.before[upto] if block is not None else None)
        found = np.zeros((len(whole), len(senders), len(receivers)), np.float32)
        for s, sender in enumerate(senders):
            first = self._put(block, receivers, self._stream(base, lent, sender, upto))
            rest = self._put(block, receivers, self._stream(lent, base, sender, upto))
            found[:, s] = (first + whole - rest) / 2
            if tick is not None:
                tick()
        return HeadChanges(found, whole)

    def _stream(
        self, base: Run, other: Run, sender: tuple[int, int] | None, upto: int
    ) -> torch.Tensor:
        """Return the residual stream before a block with one sender as in another run.

        All heads put out what they do in ``base``; neurons are computed from that.
        """
        x = (other if sender is None else base).before[0]
        for i, block in enumerate(self._net.layers[:upto]):
            z = base.z[i]
            if sender is not None and sender[0] == i:
                z = z.clone()
                z[:, :, sender[1]] = other.z[i][:, :, sender[1]]
            x = block.after_attention(x + block.attn.o(z.flatten(-2)))
        return x

    def _put(self, block: int | None, receivers: I64, stream: torch.Tensor | None) -> F32:
        """Return changes of the margin ``(n, v)`` when receivers, one by one, read a stream."""
        own = self._margin(self._base.logits[:, 0])
        if block is None:
            out = self._lent.logits[:, 0] if stream is None else self._read_out(stream)
            return (self._margin(out) - own)[:, None].float().cpu().numpy()
        assert stream is not None
        attn = self._net.layers[block].attn
        read = self._net.layers[block].ln1(stream)
        query, there = attn.split(attn.q(read)), attn.offered(read)
        at = torch.arange(stream.shape[1], device=stream.device)
        found: list[torch.Tensor] = []
        for g in receivers.tolist():
            one = slice(g, g + 1)
            keys = Keys(there.key[:, :, one], there.value[:, :, one])
            _, gathered = attn.gathered(query[:, :, one], keys, at)
            found.append(self._margin(self._onward(block, g, gathered)) - own)
        return torch.stack(found, 1).float().cpu().numpy()

    def _onward(self, block: int, head: int, gathered: torch.Tensor) -> torch.Tensor:
        """Return logits when one head puts out something else, all after it run anew."""
        z = self._base.z[block].clone()
        z[:, :, head : head + 1] = gathered
        layers = self._net.layers
        attn = layers[block].attn
        x = layers[block].after_attention(self._base.before[block] + attn.o(z.flatten(-2)))
        for later in layers[block + 1 :]:
            x = later(x)
        return self._read_out(x)

    def _read_out(self, stream: torch.Tensor) -> torch.Tensor:
        return self._net.unembed(self._net.ln_final(stream[:, -1]))

    def _margin(self, logits: torch.Tensor) -> torch.Tensor:
        return margins(logits.float(), self._head)[:, self._target]
