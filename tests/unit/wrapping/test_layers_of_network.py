"""Layers that are chosen, left out or named: right units, and a word where something is assumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.effects.attribution.attribute import attribute
from circuitz.effects.unit_effect import effect
from circuitz.errors import BatchDependenceError, LayerError, NetworkError, RandomNetworkError
from circuitz.measurement.measure import measure
from circuitz.models.run.open_runtime import runtime
from circuitz.wrapping.wrap import wrap
from circuitz.z.inputs import InputSet

HOW = {"mean": 0.5, "std": 0.25, "size": (12, 20)}
CLASSES = ("red", "green", "blue")


def pictures(seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw, label = np.random.default_rng(seed), np.arange(36) % 3
    colour = np.array([(220, 30, 30), (30, 220, 30), (30, 30, 220)])[label]
    noise = draw.normal(0, 30, (36, 12, 20, 3))
    return (colour[:, None, None] + noise).clip(0, 255).astype(np.uint8), label


@pytest.fixture(scope="module")
def data() -> InputSet:
    images, labels = pictures(0)
    split = (np.arange(36) // 3 % 3).astype(np.uint8)
    return InputSet(images, labels=labels, classes=CLASSES, split=split)


@pytest.fixture(scope="module")
def concepts() -> InputSet:
    images, labels = pictures(1)
    return InputSet(
        images, concepts=np.eye(3, dtype=np.float32)[labels], concept_names=("snow", "grass", "sky"),
        split=(np.arange(36) // 3 % 3).astype(np.uint8), scene=np.arange(36), role="concepts",
    )  # fmt: skip


class ChannelsLast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 4, 4)
        self.block = nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 6), nn.ReLU())
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.block(self.stem(x).permute(0, 2, 3, 1)).mean((1, 2)))


class SequenceFirst(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0)
        self.patch, self.encoder = nn.Conv2d(3, 8, 4, 4), nn.TransformerEncoder(layer, 1)
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(self.patch(x).flatten(2).permute(2, 0, 1)).mean(0))


class OnePatch(nn.Module):
    """Tells the class from the patch in row 2, column 1 of 3 × 5, behind a class token."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.first = nn.Conv2d(3, 8, 4, 4), nn.Parameter(torch.zeros(1, 1, 8))
        self.block, self.head = nn.Sequential(nn.Linear(8, 8), nn.ReLU()), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patch(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.first.expand(len(x), -1, -1), tokens], 1)
        return self.head(self.block(tokens)[:, 1 + 2 * 5 + 1])


class SharedActivation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.act = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3), nn.ReLU()
        self.head, self.switch = nn.Linear(5, 3), ""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.act(self.b(self.act(self.a(x))))
        if self.switch == "random":
            h = nn.functional.dropout(h)
        if self.switch == "batch":
            h = h - h.mean(0)
        return self.head(h.mean((2, 3)))


def test_channels_that_come_last_are_the_units(data, concepts) -> None:
    torch.manual_seed(0)
    z = wrap(ChannelsLast(), data, preprocess=HOW)
    assert [(s.name, s.size, s.unit_axis) for s in z.layers] == [("stem", 6, 1), ("block", 6, 3)]
    z = measure(replace(z, data=None), concepts, pictures=False)
    found = z.measurements.layers["block"]
    with torch.no_grad():
        x = runtime(z).prepare(concepts.images)
        right = z.live.block(z.live.stem(x).permute(0, 2, 3, 1)).mean((1, 2)).numpy()
    np.testing.assert_allclose(found.responses, right, atol=1e-5)
    assert found.exemplar_heat.shape[2:] == (3, 5)
    for method in ("grad-cam", "conductance"):
        drawn = attribute(z, data.images[:2], "output:red", method, layer="block")
        assert drawn.units.shape == (2, 6)
        assert np.isfinite(drawn.values).all()


def test_what_an_earlier_version_took_rows_for_is_refused_when_it_is_run(data) -> None:
    torch.manual_seed(0)
    z = wrap(ChannelsLast(), data, preprocess=HOW)
    old = replace(z.layers[1], size=3, unit_axis=1, spatial_axes=(2, 3))
    z = replace(z, layers=(z.layers[0], old))
    with pytest.raises(LayerError, match="they lie on axis 3") as caught:
        runtime(z)
    assert "wrap the network again" in caught.value.hint
    told = wrap(ChannelsLast(), data, preprocess=HOW, layers={"block": {"axis": 1}})
    assert told.layers[0].size == 3
    runtime(told)


def test_layers_whose_inputs_are_not_first_are_left_out_or_refused(data) -> None:
    torch.manual_seed(0)
    net = SequenceFirst()
    z = wrap(net, data, preprocess=HOW)
    assert [s.name for s in z.layers] == ["patch"]
    assert "'encoder' is left out" in z.notes["layers"]
    assert "inputs on axis 1" in z.notes["layers"]
    with pytest.raises(LayerError, match="inputs on axis 1") as caught:
        wrap(net, data, preprocess=HOW, layers="encoder")
    assert "batch_first=True" in caught.value.hint


def test_maps_of_tokens_lie_where_the_patches_are(data, concepts) -> None:
    torch.manual_seed(0)
    z = wrap(OnePatch(), data, preprocess=HOW, layers=["patch", "block"])
    assert z.layers[1].patches == (1, 3, 5)
    size = np.abs(
        attribute(z, data.images[1:3], "output:green", "conductance", layer="block").values
    )
    # That patch covers rows 8 to 12 and columns 4 to 8; maps are drawn smoothly.
    assert size[:, 7:, 2:10].sum() > 0.9 * size.sum()
    assert attribute(z, data.images[1:3], "red", "grad-cam", layer="block").values.any()
    z = measure(replace(z, data=None), concepts, pictures=False)
    heat = z.measurements.layers["block"].exemplar_heat
    assert heat.shape[2:] == (3, 5)
    unit = int(heat.reshape(len(heat), -1).max(1).argmax())
    image = int(z.measurements.layers["block"].exemplars[unit, 0])
    with torch.no_grad():
        x = runtime(z).prepare(concepts.images[image : image + 1])
        tokens = z.live.block(z.live.patch(x).flatten(2).transpose(1, 2))[0, :, unit].view(3, 5)
    top = float(z.measurements.layers["block"].peaks[:, unit].max())
    right = np.round(255 * np.clip(tokens.numpy() / top, 0, 1))
    assert np.abs(heat[unit, 0].astype(int) - right).max() <= 1


def test_a_module_that_is_called_twice_is_remarked_on(data) -> None:
    torch.manual_seed(0)
    z = wrap(SharedActivation(), data, preprocess=HOW)
    assert [s.name for s in z.layers] == ["a", "b"]
    assert "'act' is called more than once" in z.notes["layers"]
    one = wrap(SharedActivation(), data, preprocess=HOW, layers="a", cut="a")
    assert [s.name for s in one.layers] == ["a"]
    with pytest.raises(LayerError, match="No layer is named"):
        wrap(SharedActivation(), data, preprocess=HOW, layers=[])


class TextNet(nn.Module):
    """The mean of words, and dropout that stays on."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.words, self.mix, self.head = nn.Embedding(9, 8), nn.Linear(8, 6), nn.Linear(6, 2)
        self.rate = rate

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        h = nn.functional.dropout(self.mix(self.words(tokens)).relu(), self.rate)
        return self.head(h.mean(1))


def test_a_network_that_reads_texts_is_probed_too() -> None:
    torch.manual_seed(0)
    tokens = np.random.default_rng(0).integers(0, 9, (12, 5)).astype(np.int32)
    texts = InputSet(
        tokens, labels=np.arange(12) % 2, classes=("no", "yes"), vocabulary=tuple("abcdefghi"),
        split=(np.arange(12) // 2 % 3).astype(np.uint8),
    )  # fmt: skip
    assert [s.unit_axis for s in wrap(TextNet(0.0), texts, layers=["mix"], cut="mix").layers] == [2]
    with pytest.raises(RandomNetworkError):
        wrap(TextNet(0.5), texts, layers=["mix"], cut="mix")


@pytest.mark.parametrize(
    ("switch", "error"), [("random", RandomNetworkError), ("batch", BatchDependenceError)]
)
def test_verbs_refuse_a_network_that_became_random_or_depends_on_the_batch(
    switch: str, error: type[NetworkError], data, concepts
) -> None:
    torch.manual_seed(0)
    good = wrap(SharedActivation(), data, preprocess=HOW)
    bad = SharedActivation()
    bad.load_state_dict(good.live.state_dict())
    bad.switch = switch
    with pytest.raises(error):
        wrap(bad, data, preprocess=HOW)
    z = replace(good, live=bad)
    for run in (
        lambda: measure(z, concepts, pictures=False),
        lambda: attribute(z, data.images[:2], "output:red"),
        lambda: effect(z, ["b:0"], "red"),
        lambda: runtime(z),
    ):
        with pytest.raises(error):
            run()
