"""Data in which a shortcut cannot be seen for what it is: never *supported*."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from circuitz.measurement.measure import measure
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import Recipe, fit
from circuitz.plausibility.check import check
from circuitz.plausibility.propose import propose
from circuitz.plausibility.report import Report
from circuitz.plausibility.words.class_confounds import columns_confounded_with_class
from circuitz.wrapping.wrap import wrap
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel

PARTS = {"husky": (1, 1, 0), "corgi": (1, 0, 1), "beagle": (0, 1, 1)}


def with_concepts(data: InputSet, ground: np.ndarray) -> InputSet:
    """D's own pictures as a concept set, its labels kept."""
    parts = np.array([PARTS[name] for name in data.classes])[data.labels]
    split = np.random.default_rng(3).choice(3, len(data), p=(0.5, 0.25, 0.25)).astype(np.uint8)
    return replace(
        data, concepts=np.concatenate([parts, np.eye(3)[ground]], 1).astype(np.float32),
        concept_names=("ears", "tail", "legs", "snow", "grass", "sand"), split=split,
        role="concepts",
    )  # fmt: skip


def only(concepts: InputSet, *names: str) -> InputSet:
    columns = [concepts.concept_names.index(name) for name in names]
    assert concepts.concepts is not None
    return replace(concepts, concepts=concepts.concepts[:, columns], concept_names=names)


def looked_at(z: AnnotatedModel, concepts: InputSet) -> AnnotatedModel:
    """The same network with no words but those proposed on another concept set."""
    z = z.with_(log=(), measurements=None, concept_set=None)
    z = measure(z, concepts, images=90, pictures=False)
    return measure(propose(z), images=90, pictures=False)


@pytest.fixture(scope="module")
def grounds(block_world) -> np.ndarray:
    """Ground of each picture of D, read off a corner: no concept label of D's is needed."""
    data, _ = block_world
    corner = data.images[:, :3, :3].reshape(len(data), -1, 3).mean(1)
    colours = np.array([(235, 240, 250), (60, 150, 60), (210, 180, 110)])
    return ((corner[:, None] - colours) ** 2).sum(2).argmin(1)


@pytest.fixture(scope="module")
def clean(shifted) -> AnnotatedModel:
    """A network that has no shortcut to learn."""
    data, _ = shifted
    how_many = np.random.default_rng(4).choice(3, len(data), p=(0.6, 0.2, 0.2)).astype(np.uint8)
    data = replace(data, split=how_many)
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 3, "widths": [8, 16, 24], "strides": [2, 2, 1]})
    rows = np.flatnonzero(data.split == 0)
    from circuitz.z.layer import Preprocessing

    how = Preprocessing(size=(24, 24))
    recipe = Recipe(epochs=14, rate=1e-2, batch=32, flip=False)
    fit(net, data.images[rows], data.labels[rows], how, recipe)
    layers = ["conv2", "conv3"]
    return wrap(net, data, layers=layers, preprocess=how, subject="dog").with_(live=None)


def verdict(report: Report, kind: str, target: str, subject: str = "") -> set[str]:
    return {
        f.verdict for f in report.findings
        if f.kind == kind and f.target == f"output:{target}" and subject in f.sentence
    }  # fmt: skip


def test_grounds_of_the_fixture_are_the_shortcut(block_world, grounds) -> None:
    assert ((grounds == 0) == (block_world[0].labels == 0)).all()


def test_concept_and_class_that_go_together_are_told_apart_by_nobody(
    caught, clean, block_world, grounds
) -> None:
    own = with_concepts(block_world[0], grounds)
    for z in (caught, clean.with_(data=block_world[0], data_ref=None)):
        report = check(looked_at(z, own))
        assert verdict(report, "implausible-driver", "husky", "snow") == {"inconclusive"}
        finding = next(f for f in report.findings if f.kind == "implausible-driver")
        assert "cannot be told" in finding.sentence
        assert "concept set" in finding.decide
        for name in PARTS:
            assert verdict(report, "missing-support", name) == {"inconclusive"}
            assert verdict(report, "unexplained-effect", name) == {"flagged"}


def test_words_of_people_on_such_units_are_neither_right_nor_wrong(
    caught, block_world, grounds
) -> None:
    z = looked_at(caught, with_concepts(block_world[0], grounds))
    drive = z.measurements.effects.drive[:, 0]
    strongest = z.measurements.effects.units[int(drive.argmax())]
    for words in ("snow", "ears", "husky detector"):
        said = measure(z.annotate(strongest, words), images=90, pictures=False)
        report = check(said)
        about = [
            f for f in report.findings if f.kind == "mislabelled-unit" and strongest in f.units
        ]
        assert [f.verdict for f in about] == ["inconclusive"]
        assert "go together" in about[0].sentence
        assert "A concept set" in about[0].decide
        assert verdict(report, "implausible-driver", "husky") == {"inconclusive"}
        assert verdict(report, "missing-support", "husky") == {"inconclusive"}
        assert verdict(report, "unexplained-effect", "husky") == {"flagged"}


def test_where_no_parts_are_labelled_nothing_speaks_for_the_dog(caught, clean, block_world) -> None:
    grounds_alone = only(block_world[1], "snow", "grass", "sand")
    report = check(looked_at(caught, grounds_alone))
    assert verdict(report, "implausible-driver", "husky", "snow") == {"flagged"}
    for name in PARTS:
        assert verdict(report, "missing-support", name) == {"inconclusive"}
    report = check(looked_at(clean, grounds_alone))
    assert verdict(report, "implausible-driver", "husky") <= {"supported", "inconclusive"}
    for name in PARTS:
        assert verdict(report, "missing-support", name) == {"inconclusive"}
        assert verdict(report, "unexplained-effect", name) <= {"flagged", "inconclusive"}


@pytest.mark.parametrize(
    "known",
    [("ears", "tail", "legs", "grass", "sand"), ("ears", "tail", "legs"), ("ears", "grass")],
)
def test_a_shortcut_nobody_has_a_word_for_is_an_unexplained_driver(
    caught, block_world, known
) -> None:
    z = looked_at(caught, only(block_world[1], *known))
    report = check(z)
    assert verdict(report, "unexplained-effect", "husky") == {"flagged"}
    assert verdict(report, "missing-support", "husky") <= {"flagged", "inconclusive"}
    finding = next(
        f for f in report.findings if f.kind == "unexplained-effect" and f.target == "output:husky"
    )
    # It names the units that do it: they are what sees snow.
    named = [r.arguments["unit"] for r in finding.remedies if r.action == "annotate"]
    _, concepts = block_world
    where = z.measurements.layers["conv3"].responses
    snow = concepts.concepts[:, concepts.concept_names.index("snow")]
    seen = [abs(np.corrcoef(where[:, int(u.split(":")[1])], snow)[0, 1]) for u in named]
    assert max(seen) > 0.6


def test_vague_or_wrong_words_do_not_explain_it(caught, block_world) -> None:
    z = looked_at(caught, only(block_world[1], "ears", "tail", "legs"))
    drive = z.measurements.effects.drive[:, 0]
    for i in np.argsort(-drive)[:8]:
        z = z.annotate(z.measurements.effects.units[int(i)], "ears")
    report = check(measure(z, images=90, pictures=False))
    assert verdict(report, "unexplained-effect", "husky") == {"flagged"}
    assert verdict(report, "missing-support", "husky") <= {"flagged", "inconclusive"}


# -- what counts as going together ----------------------------------------------------------


def labelled(snow: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> InputSet:
    return InputSet(
        np.zeros((len(labels), 4, 4, 3), np.uint8), labels=labels, classes=classes,
        concepts=snow[:, None].astype(np.float32), concept_names=("snow",),
    )  # fmt: skip


def test_ties_are_found_where_classes_give_a_concept_away() -> None:
    labels = np.repeat(np.arange(4), 50)
    classes = ("husky", "corgi", "beagle", "poodle")
    tied = labelled(labels == 0, labels, classes)
    assert columns_confounded_with_class(tied, classes) == {0: ("husky",)}
    # Two classes on snow and two elsewhere: no class by itself, all of them together.
    both = labelled(labels < 2, labels, classes)
    assert columns_confounded_with_class(both, classes) == {0: ("husky", "corgi")}
    # Nearly always, and nearly never.
    most = (labels == 0).astype(float)
    most[[0, 60]] = 1 - most[[0, 60]]
    assert columns_confounded_with_class(labelled(most, labels, classes), classes) == {
        0: ("husky",)
    }
    loose = most.copy()
    loose[:15] = 0
    assert columns_confounded_with_class(labelled(loose, labels, classes), classes) == {}
    assert (
        columns_confounded_with_class(labelled(np.arange(200) % 2, labels, classes), classes) == {}
    )


def test_ties_need_classes_of_z_and_known_labels() -> None:
    labels = np.repeat(np.arange(2), 40)
    snow = (labels == 0).astype(float)
    sorted_away = labelled(snow, labels, ("snowy", "plain"))
    assert columns_confounded_with_class(sorted_away, ("husky", "corgi")) == {}
    assert (
        columns_confounded_with_class(
            replace(sorted_away, labels=None, classes=()), ("husky", "corgi")
        )
        == {}
    )
    unknown = labelled(np.full(80, np.nan), labels, ("husky", "corgi"))
    assert columns_confounded_with_class(unknown, ("husky", "corgi")) == {}
    several = np.stack([labels == 0, np.arange(80) % 2], 1).astype(np.int64)
    assert columns_confounded_with_class(
        labelled(snow, several, ("husky", "corgi")), ("corgi", "husky")
    ) == {0: ("husky",)}


def test_many_classes_of_few_images_do_not_tie_by_chance() -> None:
    draw = np.random.default_rng(0)
    labels = np.repeat(np.arange(30), 2)
    snow = draw.integers(0, 2, 60).astype(float)
    classes = tuple(f"breed {i}" for i in range(30))
    assert columns_confounded_with_class(labelled(snow, labels, classes), classes) == {}
