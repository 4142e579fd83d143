"""A transformer on inputs and on those that lend: one head, or the tokens, exchanged for a reader.

What :mod:`circuitz.effects.circuit.head_graph` asks of a model: of a small one, of which only what is
behind a receiver is run, and of any other, by hooks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.restore_state import temporary_forward_hooks
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.small_transformer import KeysAndValues, SmallTransformer
from circuitz.patching.from_cut import class_margins
from circuitz.patching.transformer_run import TransformerRun, run_transformer_with_cache
from circuitz.z.layer import LayerSpec

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
#: Block and head; ``None``: the tokens.
Sender = tuple[int, int] | None
Hook = Callable[..., torch.Tensor]


@dataclass(frozen=True, eq=False)
class HookedModel:
    """A transformer of any architecture, the whole of which is run each time.

    Parameters
    ----------
    runtime
        The model.
    specs
        What its heads gather, block by block.
    """

    runtime: Runtime
    specs: tuple[LayerSpec, ...]


@dataclass(frozen=True, eq=False)
class HeadChanges:
    """What senders do to the class by way of receivers, an input.

    Parameters
    ----------
    change
        ``(n, s, v)`` float32: change of the margin, in logits, when one sender is exchanged in
        what a receiver reads: the mean of what it does as the first to be exchanged and as the
        last (see :func:`circuitz.effects.edge.exact_edges.exact_response_changes`).
    whole
        ``(n, v)`` float32: when all that the receiver reads is.
    """

    change: F32
    whole: F32


class HeadPair(ABC):
    """A transformer on some inputs and on those that lend."""

    #: Number of heads of each block.
    sizes: Sequence[int]

    def exchange_senders_one_by_one(
        self, block: int | None, receivers: I64, tick: Callable[[], None] | None
    ) -> HeadChanges:
        """Return what :func:`circuitz.effects.circuit.head_graph.exchange_each_sender` does, of these inputs."""
        before = self.sizes if block is None else self.sizes[:block]
        senders: list[Sender] = [(i, h) for i, size in enumerate(before) for h in range(size)]
        senders.append(None)
        whole = self.margin_change_from_everything(block, receivers)
        found = np.zeros((len(whole), len(senders), len(receivers)), np.float32)
        for s, sender in enumerate(senders):
            first = self.margin_change_from_sender(block, receivers, sender, rest_from_donor=False)
            rest = self.margin_change_from_sender(block, receivers, sender, rest_from_donor=True)
            found[:, s] = (first + whole - rest) / 2
            if tick is not None:
                tick()
        return HeadChanges(found, whole)

    @abstractmethod
    def margin_change_from_everything(self, block: int | None, receivers: I64) -> F32:
        """Return changes of the margin ``(n, v)`` when all that receivers read is exchanged."""

    @abstractmethod
    def margin_change_from_sender(
        self, block: int | None, receivers: I64, sender: Sender, *, rest_from_donor: bool
    ) -> F32:
        """Return changes of the margin ``(n, v)`` when one sender is from the other input.

        With ``rest_from_donor`` all others are from the inputs that lend, and this one is not.
        """


class SmallPair(HeadPair):
    """A small transformer: only what is behind a receiver is run."""

    def __init__(
        self,
        net: SmallTransformer,
        tokens: torch.Tensor,
        donors: torch.Tensor,
        target: int,
        head: str,
    ) -> None:
        self._net, self._target, self._head = net, target, head
        self.sizes = [block.attn.heads for block in net.layers]
        last = torch.tensor([tokens.shape[1] - 1], device=tokens.device)
        self._base_run, self._donor_run = (
            run_transformer_with_cache(net, tokens, last),
            run_transformer_with_cache(net, donors, last),
        )

    def margin_change_from_everything(self, block: int | None, receivers: I64) -> F32:
        """See :meth:`HeadPair.margin_change_from_everything`."""
        return self._margin_change_when_read(
            block, receivers, None if block is None else self._donor_run.before[block]
        )

    def margin_change_from_sender(
        self, block: int | None, receivers: I64, sender: Sender, *, rest_from_donor: bool
    ) -> F32:
        """See :meth:`HeadPair.margin_change_from_sender`."""
        runs = (
            (self._donor_run, self._base_run)
            if rest_from_donor
            else (self._base_run, self._donor_run)
        )
        upto = len(self._net.layers) if block is None else block
        return self._margin_change_when_read(
            block, receivers, self._stream_with_sender(*runs, sender, upto)
        )

    def _stream_with_sender(
        self, base: TransformerRun, other: TransformerRun, sender: Sender, upto: int
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
            x = block.add_neurons(x + block.attn.o(z.flatten(-2)))
        return x

    def _margin_change_when_read(
        self, block: int | None, receivers: I64, stream: torch.Tensor | None
    ) -> F32:
        """Return changes of the margin ``(n, v)`` when receivers, one by one, read a stream."""
        own = self._target_margin(self._base_run.logits[:, 0])
        if block is None:
            out = (
                self._donor_run.logits[:, 0]
                if stream is None
                else self._logits_at_last_position(stream)
            )
            return (self._target_margin(out) - own)[:, None].float().cpu().numpy()
        assert stream is not None
        attn = self._net.layers[block].attn
        read = self._net.layers[block].ln1(stream)
        query, there = attn.split_heads(attn.q(read)), attn.keys_and_values(read)
        at = torch.arange(stream.shape[1], device=stream.device)
        found: list[torch.Tensor] = []
        for g in receivers.tolist():
            one = slice(g, g + 1)
            keys = KeysAndValues(there.key[:, :, one], there.value[:, :, one])
            _, gathered = attn.attend(query[:, :, one], keys, at)
            found.append(
                self._target_margin(self._logits_with_head_replaced(block, g, gathered)) - own
            )
        return torch.stack(found, 1).float().cpu().numpy()

    def _logits_with_head_replaced(
        self, block: int, head: int, gathered: torch.Tensor
    ) -> torch.Tensor:
        """Return logits when one head puts out something else, all after it run anew."""
        z = self._base_run.z[block].clone()
        z[:, :, head : head + 1] = gathered
        layers = self._net.layers
        attn = layers[block].attn
        x = layers[block].add_neurons(self._base_run.before[block] + attn.o(z.flatten(-2)))
        for later in layers[block + 1 :]:
            x = later(x)
        return self._logits_at_last_position(x)

    def _logits_at_last_position(self, stream: torch.Tensor) -> torch.Tensor:
        return self._net.unembed(self._net.ln_final(stream[:, -1]))

    def _target_margin(self, logits: torch.Tensor) -> torch.Tensor:
        return class_margins(logits.float(), self._head)[:, self._target]


class HookedPair(HeadPair):
    """Any transformer, by hooks where its heads have gathered."""

    def __init__(
        self,
        model: HookedModel,
        tokens: torch.Tensor,
        donors: torch.Tensor,
        target: int,
        head: str,
    ) -> None:
        self._runtime, self._target, self._head = model.runtime, target, head
        self.sizes = [spec.size for spec in model.specs]
        self._names = [spec.name for spec in model.specs]
        self._tokens = (tokens, donors)
        self._gathered, self._logits = zip(
            *(self._runtime.run(x, self._names) for x in self._tokens), strict=True
        )
        self._own = self._target_margin(self._logits[0])

    def margin_change_from_everything(self, block: int | None, receivers: I64) -> F32:
        """See :meth:`HeadPair.margin_change_from_everything`."""
        if block is None:
            return self._margin_change(self._logits[1])[:, None]
        return self._margin_change_by_receiver(
            block, receivers, self._gathered[1][self._names[block]]
        )

    def margin_change_from_sender(
        self, block: int | None, receivers: I64, sender: Sender, *, rest_from_donor: bool
    ) -> F32:
        """See :meth:`HeadPair.margin_change_from_sender`."""
        mine, other = (1, 0) if rest_from_donor else (0, 1)
        fixed: dict[str, torch.Tensor] = {}
        for i, name in enumerate(self._names[:block]):
            value = self._gathered[mine][name]
            if sender is not None and sender[0] == i:
                value = value.clone()
                value[:, :, sender[1]] = self._gathered[other][name][:, :, sender[1]]
            fixed[name] = value
        tokens = self._tokens[other if sender is None else mine]
        read = [] if block is None else [self._names[block]]
        with temporary_forward_hooks(self._replacement_hooks(fixed)):
            acts, logits = self._runtime.run(tokens, read)
        if block is None:
            return self._margin_change(logits)[:, None]
        return self._margin_change_by_receiver(block, receivers, acts[self._names[block]])

    def _margin_change_by_receiver(self, block: int, receivers: I64, gathered: torch.Tensor) -> F32:
        """Return changes when heads of a block, one by one, put out something else."""
        name = self._names[block]
        found: list[F32] = []
        for g in receivers.tolist():
            value = self._gathered[0][name].clone()
            value[:, :, g] = gathered[:, :, g]
            with temporary_forward_hooks(self._replacement_hooks({name: value})):
                found.append(self._margin_change(self._runtime.forward(self._tokens[0])))
        return np.stack(found, 1)

    def _replacement_hooks(self, values: Mapping[str, torch.Tensor]) -> dict[nn.Module, Hook]:
        def constant_hook(value: torch.Tensor) -> Hook:
            return lambda _module, _args, _out: value

        return {
            find_layer(self._runtime.module, name): constant_hook(v) for name, v in values.items()
        }

    def _margin_change(self, logits: torch.Tensor) -> F32:
        return (self._target_margin(logits) - self._own).cpu().numpy()

    def _target_margin(self, logits: torch.Tensor) -> torch.Tensor:
        return class_margins(logits.float(), self._head)[:, self._target]
