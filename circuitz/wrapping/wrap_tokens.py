"""From a small transformer and token sequences to a z."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import nn

from circuitz.errors import InputsError, LayerError, NetworkError
from circuitz.models.adapters.bridged import BridgedLM
from circuitz.models.adapters.transformer_lens import Lens
from circuitz.models.adapters.unwrap import is_transformer_lens_model, readable_network
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.prepare_inputs import check_tokens_readable
from circuitz.models.run.text_padding import MaskingTrial, padded_sides, try_maskings
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.wrapping.choose_masking import best_masking, choose_masking
from circuitz.wrapping.found_and_assumed import with_accuracy_and_warnings
from circuitz.wrapping.name_padding import name_padding
from circuitz.wrapping.wrap_texts import wrap_text_network
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.input_set_integrity import check_input_set_fields
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec, Masking, Preprocessing
from circuitz.z.model import AnnotatedModel


def wrap_token_network(
    net: Any,
    data: InputSet,
    *,
    layers: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    cut: str | Sequence[str] | None = None,
    output: str | int = "",
    subject: str = "",
    name: str = "model",
) -> AnnotatedModel:
    """Make a z from any network that reads token sequences; see :func:`circuitz.wrap`.

    A small transformer whose logits are those of tokens gives its heads (:func:`wrap_transformer_heads`), and
    so do TransformerLens models and Hugging Face language models: as a plain copy where one can be
    made, and else as they are. Other networks tell classes from whole texts
    (:func:`circuitz.wrapping.wrap_texts.wrap_text_network`).
    """
    remarks: tuple[str, ...] = ()
    if is_language_model(net):
        data, remarks = name_padding(net, data)
        net = _small_transformer_or_bridged(_as_lens(net), data)
    else:
        net = readable_network(net)
    if isinstance(net, SmallTransformer | BridgedLM) and layers is None and cut is None:
        return wrap_transformer_heads(
            net, data, subject=subject or "token", name=name, remarks=remarks
        )
    where = cut if cut is None or isinstance(cut, str) else next(iter(cut), None)
    return wrap_text_network(
        net, data, layers=layers, classes=classes, cut=where, output=output, subject=subject,
        name=name,
    )  # fmt: skip


def is_language_model(net: Any) -> bool:
    """Whether this is a language model of TransformerLens or Hugging Face."""
    # As Hugging Face names them; a classifier on top of one reads texts like any other network.
    kind = type(net).__name__
    theirs = hasattr(net, "config") and kind.endswith(("ForCausalLM", "LMHeadModel"))
    return theirs or isinstance(net, Lens) or is_transformer_lens_model(net)


def _as_lens(net: Any) -> Lens:
    if isinstance(net, Lens):
        return net
    return Lens(net) if is_transformer_lens_model(net) else Lens.from_hugging_face_model(net)


def _small_transformer_or_bridged(lens: Lens, data: InputSet) -> SmallTransformer | BridgedLM:
    answers = _tokens_of_class_names(data, int(lens.config.d_vocab_out or lens.config.d_vocab))
    padding = data.padding
    if padding < 0 or not padded_sides(data.images, padding):
        with suppress(NetworkError):
            if not answers:
                return lens.to_small_transformer()
    made = BridgedLM.from_lens(lens, answers, padding)
    return made if padding < 0 else _told_of_padding(lens, made, data)


def _told_of_padding(lens: Lens, model: BridgedLM, data: InputSet) -> BridgedLM:
    """Return the model told about padding in the first way that is right at both sides."""
    ways: tuple[Masking, ...] = ("mask and positions", "mask", "none")
    models = {way: BridgedLM.from_lens(lens, model.answers, model.padding, way) for way in ways}
    check_tokens_readable(torch.from_numpy(data.images[:2]).long(), model.context, model.vocabulary)
    trials: list[MaskingTrial] = []
    for way in ways:
        with suppress(Exception):  # not every architecture takes positions
            trials += try_maskings(
                models["none"], lambda tokens, way: models[way](tokens), (way,), data.images,
                model.padding,
            )  # fmt: skip
    if not trials:
        return model
    theirs = getattr(lens.bridge, "original_model", lens.bridge)
    sides = padded_sides(data.images, model.padding)
    return models[best_masking(trials, sides, model.padding, theirs).masking]


def _tokens_of_class_names(data: InputSet, outputs: int) -> tuple[int, ...]:
    """Return the tokens that are the classes, where these are not all the model can say."""
    place = {word: i for i, word in enumerate(data.vocabulary)}
    if len(data.classes) == outputs or not set(data.classes) <= set(place):
        return ()
    return tuple(place[name] for name in data.classes)


def wrap_transformer_heads(
    net: nn.Module,
    data: InputSet,
    *,
    subject: str = "token",
    name: str = "model",
    remarks: tuple[str, ...] = (),
) -> AnnotatedModel:
    """Make a z from a transformer and the token sequences it was trained on.

    Its units are the heads of all blocks, which together are its cut, and neurons where there
    are any; its classes are those of the data, in the order of the logits at the last position.

    Parameters
    ----------
    net
        A :class:`~circuitz.models.zoo.small_transformer.SmallTransformer`, or a
        :class:`~circuitz.models.adapters.bridged.BridgedLM`, of any architecture.
    data
        D: token sequences labelled with what follows.
    subject
        What the classes are kinds of.
    name
        What to call it.
    remarks
        What was found out before, for the z's.

    Raises
    ------
    LayerError
        If the network is of another kind.
    InputsError
        If the data does not fit the network.
    """
    if not isinstance(net, SmallTransformer | BridgedLM):
        raise LayerError(
            f"Token sequences are for transformers; this is a {type(net).__name__}.",
            "Wrap a SmallTransformer, a TransformerLens model, or BridgedLM.of(Lens(...)).",
        )
    check_input_set_fields(data)
    length = int(data.images.shape[1])
    outputs = net.outputs if isinstance(net, BridgedLM) else net.unembed.out_features
    if length > net.context or len(data.vocabulary) > net.vocabulary:
        raise InputsError(
            f"Sequences have {length} positions and {len(data.vocabulary)} tokens; the model has "
            f"{net.context} and {net.vocabulary}.",
            "Use the model's own vocabulary, and sequences no longer than its context.",
        )
    if len(data.classes) != outputs:
        raise InputsError(
            f"There are {len(data.classes)} class names but the model has {outputs} logits.",
            "Name one class a logit, in their order; or name classes after tokens of the "
            "vocabulary, and wrap the language model.",
        )
    if isinstance(net, SmallTransformer) and padded_sides(data.images, data.padding):
        remarks = (*remarks, *choose_masking(net, data).remarks)
    builder, arguments = getattr(net, "circuitz_builder", ("", {}))
    specs = (
        net.layers(length) if isinstance(net, BridgedLM) else _head_and_neuron_specs(net, length)
    )
    notes: dict[str, Any] = {}
    if not builder:
        notes["session"] = (
            "This z lives in this session only: build the network with "
            "circuitz.models.zoo.builders.build('small-transformer', arguments) to save it."
        )
    made = AnnotatedModel(
        name=name,
        classes=data.classes,
        subject=subject,
        layers=specs,
        cut=tuple(spec.name for spec in specs if spec.name.endswith("hook_z")),
        preprocessing=Preprocessing.for_token_sequences(length, data.padding),
        builder=builder,
        builder_args=dict(arguments),
        weights=weights_to_numpy(net),
        data=data,
        data_ref=DataRef.referring_to(data),
        notes=notes,
        live=net,
        remarks=remarks,
    )
    return with_accuracy_and_warnings(made)


def _head_and_neuron_specs(net: SmallTransformer, length: int) -> tuple[LayerSpec, ...]:
    found: list[LayerSpec] = []
    for i, block in enumerate(net.layers):
        attn = block.attn
        shape = (length, attn.heads, attn.head_width)
        found.append(
            LayerSpec(
                f"blocks.{i}.attn.hook_z", attn.heads, unit_axis=2, token_axes=(1,), shape=shape
            )
        )
        if block.mlp is not None:
            neurons = int(block.mlp.inner.out_features)
            found.append(
                LayerSpec(
                    f"blocks.{i}.mlp.hook_post",
                    neurons,
                    unit_axis=2,
                    token_axes=(1,),
                    shape=(length, neurons),
                )
            )
    return tuple(found)
