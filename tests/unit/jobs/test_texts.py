"""Texts are measured on workers as here."""

from __future__ import annotations

import numpy as np
import torch

import circuitz as cz
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.fit_probe import fit_probe, pooled_activations
from circuitz.z.bundle.measurements_io import encode_effects, encode_layer
from circuitz.z.inputs import PADDING, InputSet

WORDS = (PADDING, *"abcdefgh")


def texts(n: int, seed: int, role: str) -> InputSet:
    draw = np.random.default_rng(seed)
    rows = draw.integers(3, len(WORDS), (n, 10)).astype(np.int32)
    label = np.arange(n) % 2
    rows[:, 0] = 1 + label
    for row, length in zip(rows, draw.integers(4, 11, n), strict=True):
        row[length:] = 0
    shows = (rows == 3).any(1).astype(np.float32)[:, None]
    return InputSet(
        rows, labels=label if role == "D" else None, classes=("a", "b") if role == "D" else (),
        concepts=shows, concept_names=("c",), vocabulary=WORDS, role=role,
        split=(np.arange(n) // 2 % 3).astype(np.uint8),
    )  # fmt: skip


def test_a_text_classifier_is_measured_on_workers_bit_for_bit(dask_cluster):
    torch.manual_seed(0)
    net = build("text-classifier", {
        "vocabulary": len(WORDS), "context": 10, "heads": 2, "width": 8, "neurons": 12,
        "classes": 2, "at": "blocks.0.mlp.hook_post", "padding": 0,
    })  # fmt: skip
    data = texts(90, 0, "D")
    fit_probe(net, pooled_activations(net, data.images), data.labels)
    z = cz.wrap(net, data).with_(concept_set=texts(80, 1, "concepts"))
    how = {"images": 12, "donors": 1, "shard": 20}
    here = cz.measure(z, **how).measurements
    there = cz.measure(z, cluster=dask_cluster, **how).measurements
    for name, layer in here.layers.items():
        assert encode_layer(there.layers[name]) == encode_layer(layer), name
    assert encode_effects(there.effects) == encode_effects(here.effects)
