from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.errors import InputsError
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.builders import build
from circuitz.responses.sweep_layers import sweep
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing


def test_known_units_get_their_responses_exemplars_boxes_and_heat(colours, patches):
    runtime, specs = colours
    images, colour, place, strength = patches
    found = sweep(runtime, specs, InputSet(images), batch=7)
    layer = found["colour"]
    value = strength / 255 - 0.5
    for unit in range(3):
        own = np.where(colour == unit, value, 0)
        assert np.allclose(layer.peaks[:, unit], own, atol=1e-6)
        assert np.allclose(layer.responses[:, unit], own / 16, atol=1e-6)
        best = np.argsort(-own)[:9]
        assert layer.exemplars[unit].tolist() == best.tolist()
        for slot, i in enumerate(best):
            top, left = 4 * place[i]
            assert layer.exemplar_boxes[unit, slot].tolist() == [top, left, top + 1, left + 1]
            heat = layer.exemplar_heat[unit, slot]
            hot = np.zeros((16, 16), bool)
            hot[top : top + 4, left : left + 4] = True
            assert (heat[~hot] == 0).all()
            assert (heat[hot] == round(255 * own[i] / own.max())).all()
        pooled = found["pool"].exemplar_boxes[unit, 0]
        top, left = 4 * place[best[0]]
        assert pooled.tolist() == [top, left, top + 4, left + 4]
    assert found["head"].exemplar_heat.shape == (3, 9, 1, 1)
    assert found["head"].exemplar_boxes[0, 0].tolist() == [0, 0, 16, 16]


def test_a_dead_unit_has_no_exemplars(colours, patches):
    runtime, specs = colours
    layer = sweep(runtime, specs, InputSet(patches[0]))["colour"]
    assert (layer.exemplars[3] == -1).all()
    assert (layer.exemplar_heat[3] == 0).all()
    assert layer.histogram[3].sum() == len(patches[0])
    assert layer.exemplars[:3].min() >= 0


def test_at_most_one_exemplar_a_scene(colours, patches):
    runtime, specs = colours
    images = np.repeat(patches[0], 3, 0)
    scene = np.repeat(np.arange(len(patches[0])), 3)
    shuffled = np.random.default_rng(1).permutation(len(images))
    for order in (np.arange(len(images)), shuffled):
        inputs = InputSet(images[order], scene=scene[order])
        for batch in (5, 64):
            layer = sweep(runtime, specs, inputs, batch=batch)["colour"]
            for unit in range(3):
                chosen = layer.exemplars[unit]
                assert len(set(inputs.scene[chosen].tolist())) == 9
                best = np.sort(np.unique(layer.peaks[:, unit]))[::-1][:9]
                assert np.allclose(layer.peaks[chosen, unit], best)
                first = [np.flatnonzero(inputs.scene == s)[0] for s in inputs.scene[chosen]]
                assert chosen.tolist() == first, "of equal images the first"


@pytest.mark.parametrize("batch", [1, 13, 500])
def test_the_batch_size_changes_nothing_but_rounding(batch):
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 3, "widths": [5, 6, 7], "strides": [2, 1, 2]})
    names = ["conv1", "conv3", "head"]
    specs = describe_layers(net, names, torch.rand(1, 3, 24, 24))
    runtime = Runtime(net, names, Preprocessing(size=(24, 24)))
    draw = np.random.default_rng(0)
    inputs = InputSet(
        draw.integers(0, 256, (90, 24, 24, 3), dtype=np.uint8), scene=draw.integers(0, 40, 90)
    )
    one, two = sweep(runtime, specs, inputs), sweep(runtime, specs, inputs, batch=batch)
    for name in names:
        a, b = one[name], two[name]
        assert np.allclose(a.responses, b.responses, atol=1e-5)
        assert np.allclose(a.peaks, b.peaks, atol=1e-5)
        units = np.arange(a.peaks.shape[1])[:, None]
        valid = a.exemplars >= 0
        assert (valid == (b.exemplars >= 0)).all()
        pa, pb = a.peaks[a.exemplars, units], b.peaks[b.exemplars, units]
        assert np.allclose(pa[valid], pb[valid], atol=1e-5)
        same = (a.exemplars == b.exemplars) & valid
        assert same.mean() > 0.9
        assert np.abs(a.exemplar_heat[same].astype(int) - b.exemplar_heat[same]).max() <= 1


def test_arrays_have_the_types_that_are_stored(colours, patches):
    runtime, specs = colours
    layer = sweep(runtime, specs, InputSet(patches[0][:4]))["pool"]
    n, u = 4, 4
    expected = {
        "responses": ((n, u), np.float32),
        "peaks": ((n, u), np.float32),
        "exemplars": ((u, 9), np.int64),
        "exemplar_boxes": ((u, 9, 4), np.int16),
        "exemplar_heat": ((u, 9, 4, 4), np.uint8),
        "histogram": ((u, 32), np.int64),
        "histogram_edges": ((u, 33), np.float32),
    }
    for name, (shape, dtype) in expected.items():
        assert getattr(layer, name).shape == shape
        assert getattr(layer, name).dtype == dtype
    assert layer.visualisations is None


def test_fewer_images_than_exemplars(colours, patches):
    runtime, specs = colours
    images, colour, *_ = patches
    layer = sweep(runtime, specs, InputSet(images[:5]))["colour"]
    for unit in range(3):
        assert (layer.exemplars[unit] >= 0).sum() == (colour[:5] == unit).sum()


def test_units_that_may_be_negative_keep_their_least_negative(patches):
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten(), nn.Linear(512, 2))
    with torch.no_grad():
        net[0].weight.fill_(1.0)
        net[0].bias.fill_(-9)
    prep = Preprocessing((0.0,) * 3, (1.0,) * 3, (16, 16))
    specs = describe_layers(net, ["0"], torch.rand(1, 3, 16, 16))
    layer = sweep(Runtime(net, ["0"], prep), specs, InputSet(patches[0]))["0"]
    assert layer.exemplars[0, 0] == layer.peaks[:, 0].argmax()
    assert (layer.exemplar_heat == 0).all()


def test_images_of_another_size_than_the_network_s(colours, patches):
    runtime, specs = colours
    images, _, place, _ = patches
    wide = images.repeat(2, 1).repeat(2, 2)
    layer = sweep(runtime, specs, InputSet(wide))["pool"]
    i = layer.exemplars[0, 0]
    top, left = 8 * place[i]
    assert layer.exemplar_boxes[0, 0].tolist() == [top, left, top + 8, left + 8]


def test_an_empty_set_and_progress(colours, patches):
    runtime, specs = colours
    with pytest.raises(InputsError, match="empty"):
        sweep(runtime, specs, InputSet(patches[0][:0]))
    told = []
    sweep(runtime, specs, InputSet(patches[0]), batch=25, progress=lambda *a: told.append(a))
    assert told == [(25, 60), (50, 60), (60, 60)]
