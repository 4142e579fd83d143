"""From a language model with a read-out, and texts, to a z; and from other networks that read tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from circuitz.errors import InputsError, LayerError
from circuitz.models.adapters.adapted_network import adapt_network
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.probe_network import probe_network
from circuitz.models.run.read_outputs import read_outputs
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.read_out import READ
from circuitz.models.zoo.small_transformer import HeadPoint
from circuitz.wrapping.choose_masking import choose_masking
from circuitz.wrapping.found_and_assumed import with_accuracy_and_warnings
from circuitz.wrapping.name_padding import name_padding
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.input_set_integrity import check_input_set_fields
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec, Preprocessing
from circuitz.z.model import AnnotatedModel

_SITES = ("attn.hook_z", "mlp.hook_post", "hook_resid_post")
_SAVABLE = (
    "This z lives in this session only: its network has no registered builder. To save it, "
    "register one with @circuitz.models.zoo.builders.register(name), or make it with "
    "circuitz new --texts."
)


def wrap_text_network(
    net: nn.Module,
    data: InputSet,
    *,
    layers: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    cut: str | None = None,
    output: str | int = "",
    subject: str = "",
    name: str = "model",
) -> AnnotatedModel:
    """Make a z from a network that tells classes from whole token sequences.

    Parameters
    ----------
    net
        Tokens ``(n, t)`` int64 in, logits ``(n, classes)`` out (or an object with ``logits``).
    data
        D: token sequences with labels.
    layers
        Dotted names of modules that put out ``(n, t, units)``, heads ``(n, t, heads, width)`` or
        a vector an input; by default the points TransformerLens names, where it has them.
    classes
        Class names in the order of the logits; by default those of the data.
    cut
        The layer that all paths to the output cross; by default ``read``, or the last of
        ``layers`` for which that holds.
    output
        Which of several tensors the network returns are its logits; see :func:`circuitz.wrap`.
    subject, name
        What the classes are kinds of, and what to call the model.

    Raises
    ------
    LayerError
        If a layer cannot be read, none is named where none is known, or paths run around the cut.
    InputsError
        If the data does not fit the network.
    NetworkError
        If the network fails.
    """
    check_input_set_fields(data)
    length = int(data.images.shape[1])
    context, vocabulary = (getattr(net, what, None) for what in ("context", "vocabulary"))
    if (isinstance(context, int) and length > context) or (
        isinstance(vocabulary, int) and len(data.vocabulary) > vocabulary
    ):
        raise InputsError(
            f"Sequences have {length} positions and {len(data.vocabulary)} tokens; the model has "
            f"{context} and {vocabulary}.",
            "Use the model's own vocabulary, and sequences no longer than its context.",
        )
    data, remarks = name_padding(net, data)
    how = Preprocessing.for_token_sequences(length, data.padding)
    names = tuple(layers) if layers is not None else _default_layers(net)
    sample = Runtime(net, names, how).prepare(data.images[:2])
    named = tuple(classes or data.classes)
    read = read_outputs(net, sample, len(named) or None, str(output))
    told = choose_masking(read.network, data)
    how = replace(how, masking=told.masking, padded_at=told.padded_at)
    seen = adapt_network(read.network, padding=how.padding, masking=how.masking)
    probe = Runtime(seen, names, how)
    tried = probe_network(probe, probe.prepare(data.images[:3]), names)
    tried.check_layers_usable()
    acts, logits = tried.acts, tried.logits
    specs = tuple(_text_layer_spec_from_output(probe, name, acts[name], length) for name in names)
    if len(named) != logits.shape[1]:
        raise InputsError(
            f"There are {len(named)} class names but the network has {logits.shape[1]} logits.",
            "Name one class a logit, in their order.",
        )
    builder, arguments = getattr(net, "circuitz_builder", ("", {}))
    notes: dict[str, Any] = {} if builder else {"session": _SAVABLE}
    made = AnnotatedModel(
        name=name, classes=named, subject=subject or "text", layers=specs,
        cut=(_check_or_choose_cut(probe, names, cut),), preprocessing=how, builder=builder,
        builder_args=dict(arguments), output=read.choice.key, remarks=(*remarks, *read.remarks, *told.remarks, *tried.remarks), weights=weights_to_numpy(net), data=data,
        data_ref=DataRef.referring_to(data), notes=notes, live=net,
    )  # fmt: skip
    return with_accuracy_and_warnings(made)


def _default_layers(net: nn.Module) -> tuple[str, ...]:
    known = dict(net.named_modules())
    found: list[str] = []
    at = str(getattr(net, "circuitz_builder", ("", {}))[1].get("at", ""))
    for i in range(len(known)):
        if f"blocks.{i}" not in known:
            break
        here = (f"blocks.{i}.{site}" for site in _SITES)
        # The layer that is read is there once, as what is read.
        found += [
            name
            for name in here
            if name in known and name != at and _is_before_read_layer(name, at)
        ]
    if READ in known:
        found.append(READ)
    if not found:
        raise LayerError(
            f"Which layers of a {type(net).__name__} to look at is not known.",
            "Pass layers= with the dotted names of modules, the last one crossed by all paths.",
        )
    return tuple(found)


def _is_before_read_layer(name: str, at: str) -> bool:
    """Whether a point lies before the layer that is read."""
    if not at:
        return True
    order = {site: i for i, site in enumerate(_SITES)}

    def order_in_network(text: str) -> tuple[int, int]:
        _, block, site = text.split(".", 2)
        return int(block), order[site]

    return order_in_network(name) < order_in_network(at)


def _text_layer_spec_from_output(
    runtime: Runtime, name: str, act: torch.Tensor, length: int
) -> LayerSpec:
    shape = tuple(int(side) for side in act.shape[1:])
    heads = isinstance(runtime.module.get_submodule(name), HeadPoint)
    if act.ndim == 2:
        return LayerSpec(name, shape[0], shape=shape)
    if shape[0] == length and (act.ndim == 3 or heads):
        return LayerSpec(name, shape[1], unit_axis=2, token_axes=(1,), shape=shape)
    raise LayerError(
        f"{name!r} puts out {tuple(act.shape)} for {len(act)} texts of {length} tokens.",
        "Choose a layer with one vector a token, or one a text.",
    )


def _check_or_choose_cut(runtime: Runtime, names: Sequence[str], cut: str | None) -> str:
    if cut is not None and cut not in names:
        raise LayerError(f"The cut {cut!r} is none of the layers.", f"They are {list(names)}.")
    for name in (cut,) if cut is not None else reversed(names):
        assert name is not None
        if not runtime.is_bypassed(name):
            return name
    raise LayerError(
        f"None of {[cut] if cut else list(names)} is crossed by every path to the output.",
        "Name as cut= a layer after which nothing is added"
        + (
            ", and nothing goes by where padding stands: a pooler, or a module of your own that "
            "passes what is read of each text."
            if runtime.preprocessing.padding >= 0
            else "."
        ),
    )
