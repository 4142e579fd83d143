from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import MeasurementError
from circuitz.measurement.cut_responses import cut_responses
from circuitz.models.run.open_runtime import runtime


def test_responses_are_those_of_the_measurements_and_logits_those_of_the_network(world):
    z, concepts = world.z(), world.concepts()
    read = cut_responses(z, concepts)
    run = runtime(z)
    acts, logits = run.run(run.prepare(concepts.images), [z.cut[0]])
    assert np.allclose(read.responses, acts[z.cut[0]].mean((2, 3)).numpy(), atol=1e-6)
    assert np.allclose(read.logits, logits.numpy(), atol=1e-5)
    assert read.units == tuple(f"{z.cut[0]}:{u}" for u in range(read.responses.shape[1]))
    assert np.array_equal(read.predicted, logits.argmax(1).numpy())
    rows = np.array([5, 2])
    assert np.allclose(cut_responses(z, concepts, rows).responses, read.responses[rows], atol=1e-6)


def test_no_inputs_are_refused(world):
    with pytest.raises(MeasurementError, match="no inputs"):
        cut_responses(world.z(), world.concepts(), np.array([], np.int64))
