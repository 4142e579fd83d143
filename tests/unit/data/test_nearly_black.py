from __future__ import annotations

import numpy as np
import pytest

from circuitz.data.concept_set import concepts
from circuitz.data.input_sources import as_inputs
from circuitz.errors import NetworkWarning
from circuitz.z.inputs import InputSet

ONES = np.random.default_rng(0).integers(0, 2, (24, 4, 4, 1), dtype=np.uint8)
LABELS = np.arange(24) % 2


def test_whole_numbers_up_to_one_are_said_to_be_nearly_black():
    given = InputSet(ONES, labels=LABELS, classes=("a", "b"))
    for data in ((ONES, LABELS), (ONES.astype(np.int64), LABELS), given):
        with pytest.warns(NetworkWarning, match="nearly black. Multiply them by 255"):
            assert as_inputs(data).images.max() == 1
    with pytest.warns(NetworkWarning, match="The concept set's pictures hold whole"):
        concepts(ONES, {"snow": LABELS})


def test_white_pictures_are_not(recwarn: pytest.WarningsRecorder):
    for data in (ONES * np.uint8(255), ONES.astype(bool), ONES.astype(np.float32)):
        assert as_inputs((data, LABELS)).images.max() == 255
    concepts(ONES * np.uint8(2), {"snow": LABELS})
    assert not recwarn.list
