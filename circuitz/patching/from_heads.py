"""What heads do to each class: their outputs taken from other inputs, everything after run anew.

The heads of all blocks are units of one cut that runs through the model: a head of an early block
acts on a class mostly through later heads, and patching it carries that along. Taking everything
from another input gives that input's logits, so shares are of that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import LayerError
from circuitz.models.adapters.bridged import BridgedLM
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.restore_state import temporary_forward_hooks
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.patching.from_cut import class_margins
from circuitz.patching.transformer_run import TransformerRun, run_transformer_with_cache
from circuitz.responses.token_responses import has_head_units
from circuitz.z.layer import LayerSpec

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

_CHUNK = 2048
_NUMBERS = 2**26  # kept at a time where the whole model is run


class HeadDownstream:
    """A transformer asked what changes when heads take their outputs from other inputs.

    Blocks before the first patched head are not run again, and where nothing before a block has
    changed neither is its attention.

    Parameters
    ----------
    net
        The model; its logits at the last position are those of the classes.
    tokens
        ``(m, t)`` int64: inputs that are patched, and that lend.
    units
        Ids of the heads, block by block.
    """

    def __init__(
        self, net: SmallTransformer, tokens: torch.Tensor, units: tuple[str, ...] = ()
    ) -> None:
        self.units = units
        self._net = net
        self._heads = net.layers[0].attn.heads
        self._last = torch.tensor([tokens.shape[1] - 1])
        with torch.no_grad():
            parts = [
                run_transformer_with_cache(net, some, self._last) for some in tokens.split(_CHUNK)
            ]
        self._base = _concatenate_runs(parts)
        self._margins = class_margins(self._base.logits[:, 0].float())

    @classmethod
    def for_heads_of_cut(
        cls, z: AnnotatedModel, runtime: Runtime, tokens: npt.NDArray[np.int32]
    ) -> HeadDownstream:
        """Ask about the heads of z's cut on token sequences ``(m, t)``.

        Raises
        ------
        LayerError
            If the cut is not the heads of all blocks of a transformer.
        """
        specs = head_layers_of_cut(z, runtime)
        net = runtime.module
        units = tuple(f"{spec.name}:{h}" for spec in specs for h in range(spec.size))
        if isinstance(net, SmallTransformer):
            return cls(net, runtime.prepare(tokens), units)
        return HookedHeads(runtime, runtime.prepare(tokens), units)

    @property
    def margins(self) -> torch.Tensor:
        """``(m, classes)`` of all inputs as they are."""
        return self._margins

    @property
    def head_count(self) -> int:
        """Number of heads."""
        return self._heads * len(self._net.layers)

    def joint_margin_change(
        self, source: I64, donor: I64, target: I64, units: Sequence[int] | I64
    ) -> F32:
        """Return how margins change when heads jointly take a donor's outputs.

        Parameters
        ----------
        source, donor
            ``(t,)`` positions among the inputs: the one that is patched, and the one that lends.
        target
            ``(t,)`` class whose margin is read.
        units
            Heads, counted block by block.

        Returns
        -------
        ``(t,)`` float32, in logits.
        """
        places = sorted(divmod(int(u), self._heads) for u in units)
        by_block = {i: torch.tensor([h for j, h in places if j == i]) for i in dict(places)}
        found = np.empty(len(source), np.float32)
        for i in range(0, len(source), self._chunk):
            at = slice(i, i + self._chunk)
            rows, lent, to = (torch.from_numpy(x[at]) for x in (source, donor, target))
            with torch.no_grad():
                after = class_margins(self._patched_logits(rows, lent, by_block).float())
            change = after - self._margins[rows]
            found[at] = change.gather(1, to[:, None])[:, 0].numpy()
        return found

    def margin_change_by_unit(
        self,
        source: I64,
        donor: I64,
        target: I64,
        tick: Callable[[int], None] | None = None,
        units: slice = slice(None),
    ) -> F32:
        """Return :meth:`joint_margin_change` for every one of some heads by itself, ``(t, u)`` float32."""
        which = range(self.head_count)[units]
        found = np.empty((len(source), len(which)), np.float32)
        for i, u in enumerate(which):
            found[:, i] = self.joint_margin_change(source, donor, target, [u])
            if tick is not None:
                tick(i + 1)
        return found

    _chunk = _CHUNK

    def _patched_logits(
        self, rows: torch.Tensor, donor_rows: torch.Tensor, by_block: dict[int, torch.Tensor]
    ) -> torch.Tensor:
        """Return logits ``(b, classes)`` at the last position."""
        net, base = self._net, self._base
        first, last = min(by_block), len(net.layers) - 1
        x = base.before[first][rows]
        for i in range(first, last + 1):
            block = net.layers[i]
            # Of the last block only the last position is read.
            at = self._last if i == last else torch.arange(x.shape[1])
            if i == first:
                z = base.z[i][rows][:, at].clone()
            else:
                normed = block.ln1(x)
                query = block.attn.split_heads(block.attn.q(normed[:, at]))
                _, z = block.attn.attend(query, block.attn.keys_and_values(normed), at)
            if i in by_block:
                heads = by_block[i]
                z = z.index_copy(2, heads, base.z[i][donor_rows][:, at].index_select(2, heads))
            x = block.add_neurons(x[:, at] + block.attn.o(z.flatten(-2)))
        return net.unembed(net.ln_final(x[:, -1]))


class HookedHeads(HeadDownstream):
    """The same of a transformer of any architecture, the whole of which is run each time.

    Parameters
    ----------
    runtime
        The model; ``blocks.N.attn.hook_z`` passes what its heads gather.
    tokens
        ``(m, t)`` int64: inputs that are patched, and that lend.
    units
        Ids of the heads, block by block, as many in each.
    """

    def __init__(  # pyright: ignore[reportMissingSuperCall]
        self, runtime: Runtime, tokens: torch.Tensor, units: tuple[str, ...]
    ) -> None:
        self.units = units
        self._runtime, self._tokens = runtime, tokens
        self._layers = list(dict.fromkeys(unit.rpartition(":")[0] for unit in units))
        self._heads = len(units) // len(self._layers)
        gathered = sum(z.numel() for z in runtime.run(tokens[:1], self._layers)[0].values())
        # Classes may be few of the tokens that it tells of.
        words = int(getattr(runtime.module, "vocabulary", 1))
        self._chunk = max(1, min(_CHUNK, _NUMBERS // max(gathered, words)))
        keep = gathered * len(tokens) <= _NUMBERS
        parts = [
            runtime.run(some, self._layers if keep else []) for some in tokens.split(self._chunk)
        ]
        self._margins = class_margins(torch.cat([logits for _, logits in parts]).float())
        self._head_outputs = (
            {n: torch.cat([z[n] for z, _ in parts]) for n in self._layers} if keep else {}
        )

    @property
    def head_count(self) -> int:
        """Number of heads."""
        return len(self.units)

    def _patched_logits(
        self, rows: torch.Tensor, donor_rows: torch.Tensor, by_block: dict[int, torch.Tensor]
    ) -> torch.Tensor:
        names = {self._layers[i]: heads for i, heads in by_block.items()}
        found = {n: self._head_outputs[n][donor_rows] for n in names if n in self._head_outputs}
        if not found:
            found, _ = self._runtime.run(self._tokens[donor_rows], list(names))

        def head_replacement_hook(name: str) -> Callable[..., torch.Tensor]:
            heads = names[name].to(self._tokens.device)
            value = found[name].index_select(2, heads)
            return lambda _module, _args, out: out.index_copy(2, heads, value)

        modules = {
            find_layer(self._runtime.module, name): head_replacement_hook(name) for name in names
        }
        with temporary_forward_hooks(modules):
            return self._runtime.forward(self._tokens[rows])


def _concatenate_runs(parts: Sequence[TransformerRun]) -> TransformerRun:
    def concatenate_field_by_block(name: str) -> tuple[torch.Tensor, ...]:
        return tuple(
            torch.cat(some) for some in zip(*(getattr(p, name) for p in parts), strict=True)
        )

    # Keys and queries are made anew in patched runs, so they are not kept.
    logits = torch.cat([part.logits for part in parts])
    return TransformerRun(
        concatenate_field_by_block("before"),
        concatenate_field_by_block("middle"),
        (),
        (),
        concatenate_field_by_block("z"),
        logits,
    )


def head_layers_of_cut(z: AnnotatedModel, runtime: Runtime) -> tuple[LayerSpec, ...]:
    """Return the layers of heads that are z's cut, block by block.

    Raises
    ------
    LayerError
        If the network is no transformer, or the cut leaves out heads of a block.
    """
    net = runtime.module
    specs = tuple(spec for spec in z.layers if spec.name in z.cut)
    names = [spec.name for spec in specs if has_head_units(spec)]
    known = isinstance(net, SmallTransformer | BridgedLM)
    if not known or names != [f"blocks.{i}.attn.hook_z" for i in range(len(net.blocks))]:
        raise LayerError(
            f"Effects on tokens are those of all heads of a transformer; the cut is {z.cut}.",
            "Wrap it with cz.wrap(net, tokens): a small transformer, or a language model of "
            "TransformerLens or Hugging Face.",
        )
    return specs
