"""A head fitted to *select* of D with labels shuffled, on honest units: it learned noise by heart."""

from __future__ import annotations

import numpy as np

from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case
from circuitz.bench.checker.random_choices import tied
from circuitz.z.inputs import SPLITS


def make(base: Base, draw: np.random.Generator) -> Case:
    """See the module."""
    base = tied(base, draw)[0].with_(shuffled=True)
    data = base.data
    assert data.labels is not None
    assert data.split is not None
    # What was learned by heart is really there on the images it was learned from.
    seen = data.split == SPLITS.index("select")
    responses = base.run(data.images[seen])[0]
    wanted = np.eye(len(base.world.classes), dtype=np.float32)[data.labels[seen]]
    centred = responses - responses.mean(0)
    fitted = np.linalg.lstsq(centred, (wanted - wanted.mean(0)) * 10, rcond=None)[0].T
    weight = fitted.astype(np.float32)
    bias = (-weight @ responses.mean(0)).astype(np.float32)
    return Case(base.with_(head=((weight, bias),)))
