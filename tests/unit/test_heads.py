"""Heads other than softmax: one logit, or a yes or no for each class."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.effects.unit_effect import effect
from circuitz.errors import InputsError, LayerError
from circuitz.measurement.measure import measure
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import LOSSES, Recipe, fit
from circuitz.patching.source_rows import class_membership_mask, draw_sources
from circuitz.plausibility.check import check
from circuitz.plausibility.propose import propose
from circuitz.wrapping.wrap import wrap
from circuitz.z.bundle.load_save import load
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing
from circuitz.z.model import AnnotatedModel

HOW = Preprocessing(size=(24, 24))
SMALL = {"widths": [8, 16, 24], "strides": [2, 2, 1]}


def trained(net: nn.Module, data: InputSet, head: str) -> nn.Module:
    rows = np.flatnonzero(data.split == 0)
    assert data.labels is not None
    recipe = Recipe(epochs=8, rate=1e-2, batch=32, flip=False)
    fit(net, data.images[rows], data.labels[rows], HOW, recipe, loss=LOSSES[head])
    return net


@pytest.fixture(scope="module")
def two(block_world) -> InputSet:
    """Huskies, all on snow, and corgis, none on snow."""
    data, _ = block_world
    rows = np.flatnonzero(data.labels != 2)
    return InputSet(
        data.images[rows], labels=1 - data.labels[rows], classes=("corgi", "husky"),
        split=data.split[rows],
    )  # fmt: skip


@pytest.fixture(scope="module")
def binary(two, block_world) -> AnnotatedModel:
    torch.manual_seed(0)
    net = trained(build("small-cnn", {"classes": 1, **SMALL}), two, "binary")
    z = wrap(net, two, layers=["conv2", "conv3"], preprocess=HOW, subject="dog")
    return measure(propose(measure(z, block_world[1], images=60)), images=60)


@pytest.fixture(scope="module")
def several(block_world) -> InputSet:
    """What parts a block shows: ears, tail, both or none; ears only on snow."""
    _, concepts = block_world
    labels = concepts.concepts[:, :2].astype(np.int64)
    on_snow = concepts.concepts[:, 3] == 1
    keep = (labels[:, 0] == 1) == on_snow
    return InputSet(
        concepts.images[keep], labels=labels[keep], classes=("ears", "tail"),
        split=concepts.split[keep],
    )  # fmt: skip


@pytest.fixture(scope="module")
def many(several, block_world) -> AnnotatedModel:
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 2, **SMALL})
    for seed in range(3):
        torch.manual_seed(seed)
        trained(net, several, "multi-label")
    z = wrap(net, several, layers=["conv2", "conv3"], preprocess=HOW, subject="dog")
    return measure(propose(measure(z, block_world[1], images=60)), images=60)


def test_one_logit_is_presented_as_two_whose_softmax_is_its_sigmoid(binary, two) -> None:
    assert binary.head == "binary"
    assert binary.classes == ("corgi", "husky")
    s = binary.live(runtime(binary).prepare(two.images[:8])).detach().numpy()[:, 0]
    logits = runtime(binary).logits(two.images[:8])
    assert logits.shape == (8, 2)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(shares[:, 1], 1 / (1 + np.exp(-s)), rtol=1e-4)
    assert (runtime(binary).logits(two.images).argmax(1) == two.labels).mean() > 0.95


def test_the_check_reads_a_binary_head(binary) -> None:
    flagged = {(f.kind, f.target) for f in check(binary).flagged}
    assert ("implausible-driver", "output:husky") in flagged
    scale = binary.measurements.effects.scale
    assert scale[0] == pytest.approx(scale[1], rel=1e-4)


def test_a_head_is_saved_and_part_of_what_z_is(binary, tmp_path) -> None:
    binary.save(tmp_path / "b.z")
    again = load(tmp_path / "b.z")
    assert again.head == "binary"
    assert again.hash == binary.hash
    assert runtime(again).logits(np.zeros((1, 24, 24, 3), np.uint8)).shape == (1, 2)
    other = binary.with_(head="softmax")
    assert other.hash != binary.hash
    assert "head" in binary.diff(other).to_string()


def test_a_network_that_returns_one_number_an_image(two) -> None:
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU())
            self.b = nn.Sequential(nn.Conv2d(4, 4, 3, 2), nn.ReLU())
            self.c = nn.Linear(4, 1)

        def forward(self, x):
            return self.c(self.b(self.a(x)).mean((2, 3))).squeeze(1)

    z = wrap(Flat(), two, preprocess=HOW)
    assert z.head == "binary"
    assert runtime(z).logits(two.images[:3]).shape == (3, 2)


def test_heads_that_do_not_fit_are_refused(two, block_world) -> None:
    net = build("small-cnn", {"classes": 3, **SMALL})
    with pytest.raises(LayerError, match="one logit; the network returns 3"):
        wrap(net, two, preprocess=HOW, head="binary")
    single = build("small-cnn", {"classes": 1, **SMALL})
    with pytest.raises(InputsError, match="3 class names; a network with one logit"):
        wrap(single, block_world[0], preprocess=HOW)
    with pytest.raises(LayerError, match="no head 'hinge'"):
        wrap(net, block_world[0], preprocess=HOW, head="hinge")


def test_multi_label_logits_stay_apart(many, several) -> None:
    assert many.head == "multi-label"
    said = runtime(many).logits(several.images) > 0
    assert (said == (several.labels == 1)).mean() > 0.9
    effects = many.measurements.effects
    # The whole cut resampled is the whole effect: the mean own logit, shown less not shown.
    drawn = draw_sources(several, many.classes, per_split=60, head="multi-label")
    logits = runtime(many).logits(several.images[drawn.index])
    seen = drawn.split != 2
    for k in range(2):
        shown = drawn.shows[:, k]
        expected = logits[shown & seen, k].mean() - logits[~shown & seen, k].mean()
        assert effects.scale[k] == pytest.approx(expected, rel=1e-3)
    both = drawn.shows.all(1)
    assert both.any()
    assert (~drawn.shows.any(1)).any()
    assert np.isnan(effects.sufficiency[both]).all()
    assert np.isnan(effects.necessity[~drawn.shows.any(1)]).all()
    whole = effect(many, [f"conv3:{u}" for u in range(24)], "ears")
    assert 0.5 < whole.estimate < 1.5


def test_the_check_reads_a_multi_label_head(many) -> None:
    report = check(many)
    flagged = {(f.kind, f.target) for f in report.flagged}
    assert ("implausible-driver", "output:ears") in flagged
    assert ("implausible-driver", "output:tail") not in flagged


def test_sources_and_donors_of_several_classes(several) -> None:
    drawn = draw_sources(several, several.classes, per_split=40, head="multi-label", seed=3)
    assert len(np.unique(drawn.index)) == len(drawn)
    for k in range(2):
        lent = drawn.shows[drawn.donors[:, k], k]
        assert (lent == ~drawn.shows[:, k][:, None]).all()
    assert (drawn.split[drawn.donors] == drawn.split[:, None, None]).all()
    turned = class_membership_mask(several, ("tail", "ears"), "multi-label")
    assert (turned[:, 0] == (several.labels[:, 1] == 1)).all()


def test_labels_that_say_nothing_or_too_much(several) -> None:
    with pytest.raises(InputsError, match="may show several classes"):
        draw_sources(several, several.classes)
    always = InputSet(several.images, labels=np.ones_like(several.labels), classes=several.classes)
    with pytest.raises(InputsError, match="ears in every image"):
        draw_sources(always, always.classes, head="multi-label")
    with pytest.raises(InputsError, match="'ears', which the model does not have"):
        draw_sources(several, ("nose", "tail"), head="multi-label")


def test_a_binary_head_is_searched_and_several_classes_an_image_are_refused(
    binary, many, tmp_path
) -> None:
    from circuitz.errors import SearchError
    from circuitz.zstar.search import search
    from circuitz.zstar.search_settings import SearchSettings

    settings = SearchSettings(rounds=1, epochs=1, steps=20, flip=False, images=60)
    found = search(binary.with_(live=None), settings=settings)
    assert found.last.head == "binary"
    assert found.last.weights_hash != binary.weights_hash
    with pytest.raises(SearchError, match="images may show several"):
        search(many, settings=settings)
