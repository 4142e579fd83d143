"""Edges of networks that read texts of several lengths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import circuitz as cz
from circuitz.effects.edge.exact_edges import (
    estimated_response_changes,
    exact_response_changes,
    unit_mean_responses,
)
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.builders import build
from circuitz.z.inputs import PADDING, InputSet

BLOCK = "blocks.0.hook_resid_post"
HEADS = "blocks.0.attn.hook_z"
NEURONS = "blocks.0.mlp.hook_post"
DEEP = "blocks.1.mlp.hook_post"
LAST = "blocks.1.hook_resid_post"
MADE = {
    "vocabulary": 9, "context": 24, "heads": 2, "width": 6, "neurons": 5, "classes": 2,
    "at": LAST, "padding": 0,
}  # fmt: skip


def texts(length: int) -> InputSet:
    """The same 48 texts of 3 to 8 words, filled up to a length."""
    draw = np.random.default_rng(0)
    rows = np.zeros((48, length), np.int32)
    for i, row in enumerate(rows):
        row[: 3 + i % 6] = draw.integers(1, 9, 8)[: 3 + i % 6]
    return InputSet(
        images=rows, labels=np.arange(48) // 3 % 2, classes=("a", "b"),
        vocabulary=(PADDING, *"bcdefghi"), split=(np.arange(48) % 3).astype(np.uint8),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    net = build("text-classifier", MADE).eval()
    return {t: cz.wrap(net, texts(t)) for t in (8, 20)}


@pytest.mark.parametrize(
    ("source", "target"), [(HEADS, NEURONS), (BLOCK, DEEP), (BLOCK, "blocks.1.attn.hook_z")]
)
def test_padding_does_not_change_edges(made, source, target):
    short, long = (
        cz.edges(z, source, target, "a", images=30, resamples=20).frame.sort_values(
            ["source", "target"]
        )
        for z in made.values()
    )
    for column in ("direct", "total", "low", "high", "rough"):
        assert np.allclose(short[column], long[column], atol=2e-4, equal_nan=True), column
    assert short["direct"].abs().max() > 0.05


def test_they_are_means_over_tokens(made):
    z = made[20]
    run, spec = runtime(z), {s.name: s for s in z.layers}
    spec[LAST] = replace(spec[BLOCK], name=LAST)
    x = run.prepare(z.data.images[:24])
    lent = run.prepare(z.data.images[24:])
    act = run.run(x, [LAST])[0][LAST]
    known = torch.stack([row[: int((t != 0).sum())].mean(0) for row, t in zip(act, x, strict=True)])
    assert np.allclose(
        unit_mean_responses(run, spec[LAST], x, padding=0), known.detach(), atol=1e-5
    )
    # What is read is the layer, weighed: edges to it are those to the layer, padding and all.
    for run_changes in (lambda *a: exact_response_changes(*a, padding=0).change,
                        lambda *a: estimated_response_changes(*a, padding=0)):  # fmt: skip
        one = run_changes(run, spec[NEURONS], spec[LAST], x, lent)
        assert np.allclose(one, run_changes(run, spec[NEURONS], spec["read"], x, lent), atol=1e-5)
    over_all = exact_response_changes(run, spec[NEURONS], spec[LAST], x, lent).change
    assert not np.allclose(over_all, one, atol=1e-3)


def test_texts_that_nothing_fills_up_count_whole(made):
    z = made[20]
    none = replace(z.data, vocabulary=tuple("abcdefghi"))
    frame = cz.edges(z.with_(data=none), BLOCK, DEEP, "a", images=30, resamples=20).frame
    with_ = cz.edges(z, BLOCK, DEEP, "a", images=30, resamples=20).frame
    assert not np.allclose(
        *(f.sort_values(["source", "target"])["direct"] for f in (frame, with_)), atol=1e-3
    )
