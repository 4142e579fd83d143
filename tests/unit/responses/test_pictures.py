"""Several pictures a unit, the other direction, phases alone, and directions of a basis."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.errors import UnitError
from circuitz.models.run.basis import Basis
from circuitz.models.run.basis_space import basis_unit_space
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.responses.optimised.maco import Phases, mean_frequency_strength
from circuitz.responses.optimised.visualise import visualise
from circuitz.z.layer import Preprocessing


def small(channels=3, size=(24, 32)):
    torch.manual_seed(0)
    args = {"classes": 3, "widths": [6, 8], "strides": [2, 1], "channels": channels}
    net = build("small-cnn", args)
    how = Preprocessing(
        (0.5,) * channels, (0.25,) * channels, size, "RGB" if channels == 3 else "L"
    )
    specs = describe_layers(net, ["conv1", "conv2"], torch.rand(1, channels, *size))
    return Runtime(net, ["conv1", "conv2"], how), specs


def response(runtime, place, images):
    with torch.no_grad():
        act = runtime.forward_to(place.layer.name, runtime.prepare(np.ascontiguousarray(images)))
    return place.maps_of_units(act).flatten(2).mean(2).numpy()


def test_pictures_of_one_unit_differ_and_all_activate_it():
    runtime, specs = small()
    found = visualise(runtime, specs[1], [2, 5], each=3, steps=24)
    assert found.shape == (2, 3, 24, 32, 3)
    draw = np.random.default_rng(0)
    noise = draw.integers(0, 256, (40, 24, 32, 3), dtype=np.uint8)
    with torch.no_grad():
        act = [runtime.forward_to("conv2", runtime.prepare(x)) for x in (*found, noise)]
    for row, unit in enumerate((2, 5)):
        assert (act[row][:, unit].mean((1, 2)) > act[2][:, unit].mean((1, 2)).max()).all()
        for a in range(3):
            for b in range(a):
                assert np.abs(found[row, a].astype(int) - found[row, b]).mean() > 3
    alone = visualise(runtime, specs[1], [5], each=3, steps=24)
    assert np.abs(alone[0].astype(int) - found[1]).mean() < 3


def test_the_negative_direction_lowers_a_unit():
    runtime, specs = small()
    specs = describe_layers(runtime.module, ["conv2.0"], torch.rand(1, 3, 24, 32))
    runtime = Runtime(runtime.module, ["conv2.0"], runtime.preprocessing)
    up, down = (visualise(runtime, specs[0], [3], steps=16, negative=n) for n in (False, True))
    with torch.no_grad():
        act = [runtime.forward_to("conv2.0", runtime.prepare(x))[0, 3].mean() for x in (up, down)]
        grey = np.full((1, 24, 32, 3), 128, np.uint8)
        middle = runtime.forward_to("conv2.0", runtime.prepare(grey))[0, 3].mean()
    assert act[1] < middle < act[0]


@pytest.mark.parametrize("channels", [1, 3])
def test_phases_alone(channels):
    runtime, specs = small(channels)
    found = visualise(runtime, specs[1], [0, 4], method="maco", steps=64)
    assert found.shape == (2, 24, 32, 3)
    before = visualise(runtime, specs[1], [0, 4], method="maco", steps=0)
    with torch.no_grad():
        act = [
            runtime.forward_to("conv2", runtime.prepare(x[..., :channels].copy()))
            for x in (found, before)
        ]
    for row, unit in enumerate((0, 4)):
        assert act[0][row, unit].mean() > act[1][row, unit].mean()


def test_strength_is_what_photographs_have_and_phases_keep_it():
    draw = np.random.default_rng(0)
    images = draw.integers(60, 200, (5, 12, 10, 3), dtype=np.uint8)
    strength = mean_frequency_strength(images, (12, 10))
    assert strength.shape == (3, 12, 6)
    made = Phases(3, 12, 10, [1, 2], strength).images().detach()
    assert made.shape == (2, 3, 12, 10)
    assert ((made > 0) & (made < 1)).all()
    again = mean_frequency_strength(
        (made.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8), (12, 10)
    )
    inner = (slice(None), slice(1, 6), slice(1, 5))
    assert np.corrcoef(again[inner].ravel(), strength[inner].ravel())[0, 1] > 0.8


def test_directions_are_visualised_as_units_are():
    runtime, specs = small()
    rows = np.random.default_rng(0).normal(size=(3, 8))
    place = basis_unit_space(specs[1], Basis.from_rows(rows), "mine")
    found = visualise(runtime, place, steps=24)
    own = response(runtime, place, found)
    noise = np.random.default_rng(0).integers(0, 256, (40, 24, 32, 3), dtype=np.uint8)
    assert (own.diagonal() > response(runtime, place, noise).max(0)).all()
    with pytest.raises(UnitError, match="conv2@mine has no unit 3"):
        visualise(runtime, place, [3])


def test_previews_and_odd_requests():
    runtime, specs = small()
    seen: list[tuple[list[int], tuple[int, ...]]] = []
    visualise(runtime, specs[0], [1, 2], steps=20, preview=lambda u, x: seen.append((u, x.shape)))
    assert seen == [([1, 2], (2, 1, 24, 32, 3))] * 2
    with pytest.raises(UnitError, match="cannot be made"):
        visualise(runtime, specs[0], [1], each=0)
