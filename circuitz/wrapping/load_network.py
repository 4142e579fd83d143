"""A network for a folder of pictures: trained here, or the user's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from circuitz.data.folders.name_forms import caseless_name
from circuitz.errors import BuilderError, InputsError
from circuitz.models.adapters import preprocessing_config
from circuitz.models.adapters.imported import trust
from circuitz.models.adapters.weight_files import (
    load_foreign_state_dict,
    narrow_precisions,
    read_state_dict,
)
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.small_cnn import small_cnn_arguments
from circuitz.models.zoo.training import LOSSES, Recipe, fit
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class LoadedNetwork:
    """A network and what is known about its inputs.

    Parameters
    ----------
    net
        It comes from a registered builder, so that a z of it can be saved.
    preprocess
        ``Preprocessing``, or those of its fields that are known; None when nothing is.
    classes
        Class names in the order of its logits; empty when they are those of D, in D's order.
    notes
        For ``z.notes``: ``preprocessing`` tells where that comes from.
    """

    net: nn.Module
    preprocess: Preprocessing | Mapping[str, Any] | None
    classes: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of its input, where known."""
        if isinstance(self.preprocess, Preprocessing):
            return self.preprocess.size
        size = (self.preprocess or {}).get("size")
        return None if size is None else (size, size) if isinstance(size, int) else tuple(size)


def train_small_cnn(
    data: InputSet, recipe: Recipe, device: str = "cpu", progress: Progress | None = None
) -> LoadedNetwork:
    """Train a small CNN that suits the pictures on the *select* split of D.

    Returns
    -------
    Brought
        The trained network.
    """
    assert data.labels is not None
    height, width, channels = data.images.shape[1:]
    torch.manual_seed(recipe.seed)
    net = build(
        "small-cnn", small_cnn_arguments(min(height, width), len(data.classes), channels)
    ).to(device)
    how = Preprocessing((0.5,) * channels, (0.25,) * channels, (height, width),
                        "RGB" if channels == 3 else "L")  # fmt: skip
    rows = np.flatnonzero(data.split == 0)
    loss = LOSSES["softmax" if data.labels.ndim == 1 else "multi-label"]
    fit(net, data.images[rows], data.labels[rows], how, recipe, loss=loss, progress=progress)
    notes = {"preprocessing": "chosen with the network, which was trained with it"}
    return LoadedNetwork(net, how, (), notes)


def load_own_network(
    function: str,
    args: str = "{}",
    weights: Path | None = None,
    *,
    preprocessing_fields: Mapping[str, Any] | None = None,
    size: int | None = None,
    classes: tuple[str, ...] = (),
) -> LoadedNetwork:
    """Build a user's network and load its weights. Runs the user's code.

    Parameters
    ----------
    function
        ``package.module:function``.
    args
        Its arguments, a JSON object.
    weights
        A ``.safetensors`` or ``.pt`` file, or the index or folder of a model in several files;
        without one the weights are what the function gives.
    preprocessing_fields
        Fields of the preprocessing that the user knows; they beat what is found.
    size
        Side of its input, where the user names it.
    classes
        Class names in the order of its logits.

    Raises
    ------
    BuilderError, WeightsError, InputsError
        If the function, the weights or the preprocessing cannot be used.
    """
    trust(function)
    net = build("import", {"function": function, "args": _parse_json_object(args)})
    notes: dict[str, Any] = {"network": {"function": function}}
    if weights is not None:
        state = read_state_dict(weights)
        prefix, narrow = load_foreign_state_dict(net, state), narrow_precisions(state)
        notes["network"] |= {"weights": weights.name} | ({"prefix": prefix} if prefix else {})
        notes["network"] |= {"precision": narrow} if narrow else {}
    known = dict(preprocessing_fields or {}) | ({"size": size} if size is not None else {})
    found = preprocessing_config.preprocessing_from_network(net)
    if found is None and weights is not None:
        found = preprocessing_config.preprocessing_beside_weights(weights)
    fields = {**(found[0] if found else {}), **known}
    if {"mean", "std"} <= set(known):
        notes["preprocessing"] = "given"
    elif found and {"mean", "std"} <= set(fields):
        notes["preprocessing"] = found[1] + (f"; given: {', '.join(known)}" if known else "")
    names = classes or preprocessing_config.class_names_from_network(net) or ()
    return LoadedNetwork(net.eval(), fields or None, names, notes)


def _parse_json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as problem:
        raise BuilderError(
            f"--model-args is no JSON: {problem}.", "Write {} or a JSON object."
        ) from (problem)
    if not isinstance(found, dict):
        raise BuilderError("--model-args is no JSON object.", 'Write {"name": value, …}.')
    return found


def class_names_in_logit_order(names: tuple[str, ...], data: InputSet) -> tuple[str, ...]:
    """Return class names in the order of the logits.

    Parameters
    ----------
    names
        What the network or the user says; names that have nothing to do with D's folders are
        left aside. Names that differ from them in case, blanks or the form of an accent alone
        are taken as D writes them.

    Raises
    ------
    InputsError
        If some of D's classes are among them and others are not.
    """
    of_data = {caseless_name(name): name for name in data.classes}
    alike = tuple(of_data.get(caseless_name(name), name) for name in names)
    if not set(data.classes) <= set(names) and len(set(alike)) == len(names):
        names = alike
    if not names or not set(names) & set(data.classes):
        return data.classes
    missing = [name for name in data.classes if name not in names]
    if missing:
        raise InputsError(
            f"D has class {missing[0]!r}, which the network has not.",
            f"Its classes are {', '.join(names[:12])}; name D's folders like them.",
        )
    return names
