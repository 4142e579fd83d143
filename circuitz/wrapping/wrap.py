"""From a live torch module to a z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.data.class_names import read_class_names
from circuitz.data.input_sources import ClassNames, inputs_and_remarks
from circuitz.data.label_words import check_labels_count_from_zero, words_of_labels
from circuitz.errors import InputsError, LayerError
from circuitz.models.adapters.unwrap import readable_network
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.check_opened_network import note_checked
from circuitz.models.run.choose_layers import LayerNames, choose_cut, requested_layers
from circuitz.models.run.network_facts import check_logits_finite
from circuitz.models.run.read_outputs import read_outputs
from circuitz.models.run.restore_state import eval_mode, outside_inference_mode
from circuitz.models.run.runtime import Runtime
from circuitz.wrapping.build_preprocessing import PreprocessingLike, build_preprocessing
from circuitz.wrapping.found_and_assumed import with_accuracy_and_warnings
from circuitz.wrapping.layers_of_network import choose_and_describe_layers
from circuitz.wrapping.wrap_tokens import is_language_model, wrap_token_network
from circuitz.z.assumed_preprocessing import PREPROCESSING_NOTE
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Head, Preprocessing
from circuitz.z.model import AnnotatedModel

_PROBED = 3  # images the network is tried out on
_READ = 48  # images of which its outputs are looked at
_SAVABLE = (
    "This z lives in this session only: its network has no registered builder. To save it, "
    "register one with @circuitz.models.zoo.builders.register(name) and wrap build(name, arguments) "
    "with the weights loaded."
)


@outside_inference_mode
def wrap(
    net: nn.Module,
    data: Any = None,
    *,
    layers: LayerNames | None = None,
    classes: ClassNames | None = None,
    preprocess: PreprocessingLike = None,
    cut: str | Sequence[str] | None = None,
    head: Head | None = None,
    output: str | int = "",
    subject: str = "",
    name: str = "model",
) -> AnnotatedModel:
    """Make a z from a live torch module.

    Parameters
    ----------
    net
        Prepared inputs ``(n, c, h, w)`` in, logits ``(n, classes)`` out. Left as it is. With token
        sequences also a TransformerLens model, a ``Lens``, or a Hugging Face language model.
    data
        What it was trained on: an ``InputSet``, a data loader or dataset, or arrays (see
        :func:`circuitz.data.input_sources.as_inputs`). Of token sequences the units are a
        transformer's heads (:func:`circuitz.wrapping.wrap_tokens.wrap_transformer_heads`).
    layers
        Dotted names of the layers whose units are of interest; by default every block but the
        last, read after its activation. Along which axis of a layer its units lie is found out;
        ``{name: {"axis": 3}}`` says it, the axis of inputs being 0. What was assumed, left out or
        could not be found out, ``notes["layers"]`` tells.
    classes
        Class names in the order of the logits, or with their numbers: a dict ``{name: number}``
        (``class_to_idx``) or ``{number: name}`` (``id2label``). By default those of the data.
    preprocess
        How 8-bit images become inputs: a ``Preprocessing``, its fields as a mapping (size and
        channels by default those of the data and the network), or a transform such as
        torchvision's, which is run to see what it does. By default what the network itself says (timm's ``pretrained_cfg``, torchvision's weights),
        or else an assumption, which ``notes["preprocessing"]`` tells. Wrong preprocessing gives
        silently wrong findings, so give it.
    cut
        The layer that all paths to the output cross, at which z is read; by default the last
        of ``layers`` for which that holds.
    head
        What the logits mean: ``softmax``, one class of several; ``binary``, one logit for the
        second of two classes; ``multi-label``, a yes or no for each class. By default binary
        where there is one logit, multi-label where images of the data show several classes or
        none, and else softmax.
    output
        Which of several tensors the network returns are its logits: a key, a name or a number. By
        default the one with as many columns as there are classes; of several such the one named
        ``logits``, or the one that is computed from the others. ``remarks`` tell which it was.
    subject
        What the classes are kinds of, for instance ``"dog"``.
    name
        What to call it.

    Returns
    -------
    AnnotatedModel
        Savable when the module comes from a registered builder, otherwise session-only
        (``notes["session"]`` says what to do).

    Raises
    ------
    LayerError
        If a layer does not exist or cannot be read, or paths run around the cut; also if it does
        not put out one row an input, or its axis of units cannot be established.
    InputsError
        If the data or the class names do not fit the network.
    WeightsError
        If a weight, or what the network makes of its data, is not finite.
    ProbabilitiesError
        If the network returns probabilities instead of logits.
    NetworkError
        If the network itself fails when it is run, or reads more than one input.
    RandomNetworkError, BatchDependenceError
        If the same inputs do not give the same logits twice, or an input's logits depend on what
        else is in the batch.
    """
    tokens = isinstance(data, InputSet) and data.is_tokens
    names = None if classes is None else read_class_names(classes, alike=tokens) or None
    if tokens:
        return wrap_token_network(
            net,
            data,
            layers=None if layers is None else requested_layers(layers)[0],
            classes=names,
            cut=cut,
            output=output,
            subject=subject,
            name=name,
        )
    if is_language_model(net):
        raise InputsError(
            f"A {type(net).__name__} is a language model: it reads tokens.",
            "Pass token sequences: cz.wrap(model, data), with an InputSet of token numbers (n, t) "
            "and their vocabulary.",
        )
    net = readable_network(net)
    inputs, guess = _as_input_set(data, names)
    notes: dict[str, Any] = {}
    how, source, said = build_preprocessing(preprocess, net, inputs)
    if source:
        notes[PREPROCESSING_NOTE] = source
    sample = Runtime(net, (), how).prepare(_some_images_or_noise(inputs, how))
    named = names or (inputs.classes if inputs is not None else ())
    many = Runtime(net, (), how).prepare(_some_images_or_noise(inputs, how, _READ))
    read = read_outputs(net, many, len(named) or None, str(output))
    kind = head or _guess_head(read.network, inputs, sample)
    probe = Runtime(read.network, (), how, head=kind)
    logits = _count_logits(probe, sample[:2])
    described = choose_and_describe_layers(probe, sample, layers)
    if isinstance(layers, Mapping) and requested_layers(layers)[1]:
        notes["unit_axes"] = requested_layers(layers)[1]
    if described.remarks:
        notes["layers"] = ". ".join(r[:1].upper() + r[1:] for r in described.remarks) + "."
    called = [spec.name for spec in described.specs]
    where = (cut,) if isinstance(cut, str) else tuple(cut or (choose_cut(probe, called),))
    _check_all_paths_cross_cut(probe, where, called)
    named = _resolve_class_names(names, inputs, logits, kind)
    builder, arguments = getattr(net, "circuitz_builder", ("", {}))
    if not builder:
        notes["session"] = _SAVABLE
    made = AnnotatedModel(
        name=name,
        classes=named,
        subject=subject,
        layers=described.specs,
        cut=where,
        preprocessing=how,
        builder=builder,
        builder_args=dict(arguments),
        head=kind,
        output=read.choice.key,
        weights=weights_to_numpy(net),
        data=inputs,
        data_ref=None if inputs is None else DataRef.referring_to(inputs),
        notes=notes,
        live=net,
        remarks=(*said, *read.remarks, *described.of_network, *guess),
    )
    note_checked(made, net)
    return with_accuracy_and_warnings(made)


def _as_input_set(
    data: Any, classes: tuple[str, ...] | None
) -> tuple[InputSet | None, tuple[str, ...]]:
    """Return D, and what is to be said of the order of its classes."""
    if data is None:
        return None, ()
    if classes is not None and isinstance(data, tuple):
        arrays = cast(tuple[Any, ...], data)
        if len(arrays) == 2 and words_of_labels(arrays[1]) is not None:
            return inputs_and_remarks(data, classes=classes)  # matched by name, and not by order
    found, guess = inputs_and_remarks(data)
    if classes is None or isinstance(data, InputSet) or set(found.classes) <= set(classes):
        return found, guess if classes is None else ()
    if guess:  # labels that are words are matched by name, and not by order
        raise InputsError(
            f"A label is {min(set(found.classes) - set(classes))!r}, which is no class.",
            f"Classes are {', '.join(classes[:12])}.",
        )
    # Arrays and loaders number their classes; whoever wraps them knows the names.
    fits = len(found.classes) <= len(classes)
    return (replace(found, classes=classes) if fits else found), ()


def _some_images_or_noise(
    inputs: InputSet | None, preprocessing: Preprocessing, n: int = _PROBED
) -> npt.NDArray[np.uint8]:
    if inputs is not None and len(inputs):
        return np.array(inputs.images[:n])
    draw = np.random.default_rng(0)
    return draw.integers(0, 256, (n, *preprocessing.size, len(preprocessing.mean)), dtype=np.uint8)


def _guess_head(net: nn.Module, inputs: InputSet | None, sample: torch.Tensor) -> Head:
    if inputs is not None and inputs.labels is not None and inputs.labels.ndim == 2:
        return "multi-label"
    try:
        with torch.no_grad(), eval_mode(net):
            out = net(sample)
    except Exception:  # told by name when the network is run in earnest
        return "softmax"
    one = isinstance(out, torch.Tensor) and out.shape in ((len(sample),), (len(sample), 1))
    return "binary" if one else "softmax"


def _count_logits(runtime: Runtime, sample: torch.Tensor) -> int:
    """Run the network once and count its logits."""
    with torch.no_grad():
        out = runtime.forward(sample)
    check_logits_finite(out, "its own data")
    return int(out.shape[1])


def _check_all_paths_cross_cut(
    runtime: Runtime, cut: tuple[str, ...], layers: Sequence[str]
) -> None:
    if len(cut) != 1 or cut[0] not in layers:
        raise LayerError(
            f"The cut is {list(cut)}; it must be one of the layers {list(layers)}.",
            "Pass one name as cut=, and have it among layers=.",
        )
    if runtime.is_bypassed(cut[0]):
        raise LayerError(
            f"Not every path to the output goes through {cut[0]!r}, so it is no cut.",
            "Choose a layer after the last residual sum around it.",
        )


def _resolve_class_names(
    classes: tuple[str, ...] | None, inputs: InputSet | None, logits: int, head: Head
) -> tuple[str, ...]:
    named = tuple(classes or (inputs.classes if inputs is not None else ()))
    if inputs is not None:
        check_labels_count_from_zero(inputs.labels, logits)
    named = named or tuple(f"class {i}" for i in range(logits))
    if len(named) != logits and head == "binary":
        raise InputsError(
            f"There are {len(named)} class names; a network with one logit tells two classes apart.",
            "Pass two names: first what a logit below 0 means, then what one above 0 does, such as "
            f"classes={['not ' + named[-1], named[-1]]}.",
        )
    if len(named) != logits:
        raise InputsError(
            f"There are {len(named)} class names but the network has {logits} logits.",
            "Pass classes= with one name a logit, in their order.",
        )
    if inputs is not None and inputs.classes and set(inputs.classes) - set(named):
        raise InputsError(
            f"The data has class {min(set(inputs.classes) - set(named))!r}, the network has not.",
            "Use the same class names for both.",
        )
    return named
