from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.measurement import activation_effect as drive
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.from_cut import Downstream


@pytest.mark.parametrize("shortcut", [True, False])
def test_drive_is_slope_times_span(world, shortcut):
    z = world.z()
    concepts = world.concepts()
    run = runtime(z)
    pool = drive.draw_switching_pool(concepts, 0)
    assert set(concepts.split[pool].tolist()) == {0}, "bases come from select alone"
    act = run.run(run.prepare(concepts.images[pool]), ["colour"])[0]["colour"]
    down = Downstream(run, z.layers[0], torch.cat([act[:3], act]), shortcut=shortcut)
    responses = act.mean((2, 3)).numpy()
    switch = drive.pair_off_on_images(responses, 0)
    scale = np.array([1.0, 2.0, 4.0], np.float32)
    found, error = drive.margin_change_off_to_on(down, switch, 3, scale)
    span = drive.activation_rise(responses, switch)
    assert np.allclose(found, (world.margin_slopes().T * span[:, None]) / scale, atol=1e-4)
    assert span[:3].min() > 0.3
    assert span[3] == 0
    assert found.dtype == error.dtype == span.dtype == np.float32
    # A unit that acts through its mean changes a margin by its slope times the change of its mean.
    rise = (
        responses[switch.on, np.arange(4)[:, None]] - responses[switch.off, np.arange(4)[:, None]]
    )
    each = world.margin_slopes().T[:, None, :] * rise[:, :, None] / scale
    assert np.allclose(error, each.std(1, ddof=1) / np.sqrt(drive.DRAWS), atol=1e-4)


def test_a_unit_is_switched_from_its_lower_half_to_its_top():
    responses = np.random.default_rng(0).permutation(np.arange(200.0))[:, None].astype(np.float32)
    switch = drive.pair_off_on_images(responses, 1)
    assert responses[switch.off[0], 0].max() < 100
    assert responses[switch.on[0], 0].min() >= 170
    assert switch.base.shape == (drive.DRAWS,)
    again = drive.pair_off_on_images(responses, 1)
    assert np.array_equal(switch.on, again.on)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_very_small_pools(count):
    switch = drive.pair_off_on_images(np.arange(count, dtype=np.float32)[:, None], 0)
    for part in (switch.base, switch.off, switch.on):
        assert 0 <= part.min() <= part.max() < count


def test_a_pool_without_splits_or_without_select(world):
    concepts = world.concepts()
    bare = type(concepts)(concepts.images)
    assert len(drive.draw_switching_pool(bare, 0)) == len(bare)
    no_select = type(concepts)(concepts.images, split=np.ones(len(concepts), np.uint8))
    assert len(drive.draw_switching_pool(no_select, 0)) == len(no_select)
