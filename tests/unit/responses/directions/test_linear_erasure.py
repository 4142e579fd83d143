from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.errors import InputsError
from circuitz.responses.directions.linear_erasure import Eraser


def test_no_line_tells_an_erased_concept_and_the_others_stay() -> None:
    draw = np.random.default_rng(0)
    told = draw.integers(0, 2, (400, 2)).astype(np.float32)
    mix = draw.normal(0, 1, (2, 10))
    x = torch.from_numpy(told @ mix + 0.3 * draw.normal(0, 1, (400, 10))).float()
    erased = Eraser.fit(x, told[:, :1])(x).double().numpy()
    centred = told - told.mean(0)
    across = centred.T @ (erased - erased.mean(0)) / 400
    assert np.abs(across[0]).max() < 1e-3
    fit = np.linalg.lstsq(np.c_[erased, np.ones(400)], told, rcond=None)
    right = ((np.c_[erased, np.ones(400)] @ fit[0] > 0.5) == told).mean(0)
    assert right[0] < 0.62
    assert right[1] > 0.9
    # Twice is once.
    assert np.allclose(Eraser.fit(x, told[:, :1])(torch.from_numpy(erased)), erased, atol=1e-4)


def test_unknown_labels_and_silent_units_do_no_harm() -> None:
    x = torch.zeros(6, 3)
    x[:3, 0] = 1
    told = np.array([[1], [1], [1], [0], [0], [np.nan]], np.float32)
    assert torch.isfinite(Eraser.fit(x, told)(x)).all()
    with pytest.raises(InputsError, match="all labels"):
        Eraser.fit(x, np.full((6, 1), np.nan, np.float32))
