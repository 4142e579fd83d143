"""A head fitted to *select* of D with labels shuffled, on honest units: it learned noise by heart."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.random_choices import tie_random_context_to_class
from circuitz.z.inputs import SPLITS


def make_shuffled(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
    """See the module."""
    base = tie_random_context_to_class(base, rng)[0].with_fields(shuffled=True)
    data = base.data
    assert data.labels is not None
    assert data.split is not None
    # What was learned by heart is really there on the images it was learned from.
    seen = data.split == SPLITS.index("select")
    responses = base.responses_and_logits(data.images[seen])[0]
    wanted = np.eye(len(base.world.classes), dtype=np.float32)[data.labels[seen]]
    centred = responses - responses.mean(0)
    fitted = np.linalg.lstsq(centred, (wanted - wanted.mean(0)) * 10, rcond=None)[0].T
    weight = fitted.astype(np.float32)
    bias = (-weight @ responses.mean(0)).astype(np.float32)
    return CheckerCase(base.with_fields(head=((weight, bias),)))
