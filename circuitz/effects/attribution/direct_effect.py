"""What a head or a neuron writes straight to the logits, past everything behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from circuitz.errors import InputsError, LayerError
from circuitz.models.run.network_facts import find_layer
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.responses.token_responses import HEADS, has_head_units
from circuitz.z.inputs import InputSet
from circuitz.z.targets import canonical_target
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]

NEURONS = "mlp.hook_post"
_MOST = 512


@dataclass(frozen=True, eq=False)
class DirectEffect:
    """The direct effect of one unit on every logit.

    Parameters
    ----------
    unit
        Head or neuron.
    values
        ``(k,)`` float32: how much higher than its mean over inputs the unit's own addition to the
        logit is where the unit speaks, in logits, less the mean over all logits.
    names
        ``(k,)`` what the logits stand for.
    inputs
        Number of inputs it is the mean over.
    """

    unit: str
    values: F32
    names: tuple[str, ...]
    inputs: int

    @property
    def frame(self) -> pd.DataFrame:
        """One row a logit, the most raised first: ``token``, and its ``change`` in logits."""
        table = pd.DataFrame({"token": list(self.names), "change": self.values})
        return table.sort_values("change", ascending=False, kind="stable", ignore_index=True)


def direct_effect(
    z: AnnotatedModel, unit: str | Unit, rows: Sequence[int] | None = None
) -> DirectEffect:
    """Return which logits a unit raises and lowers by itself (direct logit attribution).

    What the unit adds to the residual stream is read off by the unembedding, everything behind it
    left out and the final norm held at the scale it has (Elhage 2021; nostalgebraist 2020). The
    mean over some inputs, less that over inputs of all kinds: what the unit adds always says
    nothing about what it reads.

    Parameters
    ----------
    z
        Annotated transformer, measured, with its network and its concept set.
    unit
        A head, ``blocks.1.attn.hook_z:3``, or a neuron, ``blocks.0.mlp.hook_post:7``.
    rows
        Indices into the concept set, pairs of positions: what the unit adds at their queries. By
        default its exemplars.

    Raises
    ------
    UnitError
        If there is no such unit.
    LayerError
        If it is neither head nor neuron of a small transformer.
    InputsError
        If there is no concept set of pairs of positions, no such row, or no exemplar.
    """
    asked = Unit.parse(canonical_target(unit, z.layers, z.classes))
    run = runtime(z)
    net = run.module
    spec = next((s for s in z.layers if s.name == asked.layer), None)
    kind = spec is not None and (has_head_units(spec) or spec.name.endswith(NEURONS))
    if spec is None or not kind or not isinstance(net, SmallTransformer):
        raise LayerError(
            f"{asked} writes to no stream of tokens that is known here.",
            f"Ask for a head (...{HEADS}) or a neuron (...{NEURONS}) of a small transformer.",
        )
    known = z.concept_set
    if known is None or known.focus is None:
        raise InputsError(
            "There are no pairs of positions.", "Give z a concept set: attention_pairs()."
        )
    chosen = _exemplar_rows(z, asked) if rows is None else np.asarray(rows, np.int64)
    if not len(chosen) or chosen.min() < 0 or chosen.max() >= len(known):
        raise InputsError(
            f"{asked} has no exemplar here, or rows {chosen[:4].tolist()} do not exist.",
            f"The concept set has {len(known)} rows; z = cz.measure(z) finds exemplars.",
        )
    usually = np.unique(np.linspace(0, len(known) - 1, min(_MOST, len(known))).astype(np.int64))
    there = _logits_added_by_unit(net, spec.name, asked.index, known, chosen)
    usual = _logits_added_by_unit(net, spec.name, asked.index, known, usually)
    change = (there.mean(0) - usual.mean(0)).numpy().astype(np.float32)
    return DirectEffect(str(asked), change, _logit_names(z, known, len(change)), len(chosen))


def _exemplar_rows(z: AnnotatedModel, unit: Unit) -> npt.NDArray[np.int64]:
    measured = z.measurements.layers.get(unit.layer) if z.measurements is not None else None
    best = np.zeros(0, np.int64) if measured is None else measured.exemplars[unit.index]
    return best[best >= 0]


def _logits_added_by_unit(
    net: SmallTransformer, layer: str, unit: int, concept_set: InputSet, rows: npt.NDArray[np.int64]
) -> torch.Tensor:
    """Return what a unit adds to the logits at each row's query, ``(n, k)``, centred."""
    assert concept_set.focus is not None
    tokens = torch.from_numpy(np.asarray(concept_set.images[rows]).astype(np.int64))
    tokens = tokens.to(net.embed.weight.device)
    query = torch.from_numpy(np.asarray(concept_set.focus[rows, 0]).astype(np.int64))
    seen: dict[torch.nn.Module, torch.Tensor] = {}

    def keep_output(module: torch.nn.Module, _args: Any, out: torch.Tensor) -> None:
        seen[module] = out

    read, last = find_layer(net, layer), net.layers[-1].hook_resid_post
    with (
        torch.no_grad(),
        eval_mode(net),
        temporary_forward_hooks({read: keep_output, last: keep_output}),
    ):
        net.logits_everywhere(tokens)
    each = torch.arange(len(tokens))
    value = seen[read][each, query, unit]
    block = net.layers[int(layer.split(".")[1])]
    with torch.no_grad():
        if value.ndim == 2:  # a head has gathered a vector, a neuron is one number
            width = block.attn.head_width
            columns = block.attn.o.weight[:, unit * width : (unit + 1) * width]
            stream = value @ columns.T
        else:
            assert block.mlp is not None
            stream = value[:, None] * block.mlp.outer.weight[:, unit]
        if isinstance(net.ln_final, torch.nn.LayerNorm):
            whole = seen[last][each, query]
            scale = (whole.var(-1, unbiased=False, keepdim=True) + net.ln_final.eps).sqrt()
            stream = (stream - stream.mean(-1, keepdim=True)) / scale * net.ln_final.weight
        logits = net.unembed(stream).float().cpu()
    return logits - logits.mean(1, keepdim=True)


def _logit_names(z: AnnotatedModel, concept_set: InputSet, outputs: int) -> tuple[str, ...]:
    """Return what the logits stand for: the classes, or tokens where there is one a token."""
    names = tuple(concept_set.vocabulary) if outputs == len(concept_set.vocabulary) else z.classes
    return names[:outputs] if len(names) >= outputs else tuple(str(i) for i in range(outputs))
