"""Annotated models made by hand, of any size: nothing was trained or run for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import (
    ConceptEffects,
    EffectMeasurements,
    LayerMeasurements,
    Measurements,
)
from circuitz.z.model import AnnotatedModel

CONCEPTS = ("snow", "grass", "sand", "pointed ears", "floppy ears", "fluffy coat", "curled tail")
CLASSES = ("husky", "beagle", "corgi", "poodle")
LAYER = "conv4"
_SHOWN = 9  # exemplars a unit
_PAIRS = 48  # a concept and split


def random_annotated_model(
    units: int, *, concept_images: int = 240, effect_images: int = 90, annotated: int = 0
) -> AnnotatedModel:
    """Return a measured z whose numbers are drawn at random.

    Parameters
    ----------
    units
        Of its one layer.
    concept_images, effect_images
        Size of the concept set, and of the sources of effects.
    annotated
        How many units have words, with some of those that drive a class among them.
    """
    draw = np.random.default_rng(0)
    known = _random_concept_set(concept_images, draw)
    layer, effects = (
        _random_layer_measurements(known, units, annotated, draw),
        _random_effect_measurements(known, units, effect_images, draw),
    )
    found = Measurements({LAYER: layer}, effects)
    z = AnnotatedModel(
        "made up",
        CLASSES,
        "dog",
        layers=(LayerSpec(LAYER, units),),
        cut=(LAYER,),
        weights={"w": np.arange(4, dtype=np.float32)},
        concept_set=known,
        measurements=found,
    )
    lexicon = Lexicon.load()
    for unit in range(annotated):
        text = CONCEPTS[unit % len(CONCEPTS)]
        z = z.annotate(f"{LAYER}:{unit}", text, author="bench", author_kind="rule", lexicon=lexicon)
    return z


def _random_concept_set(n: int, rng: np.random.Generator) -> InputSet:
    return InputSet(
        rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8),
        concepts=rng.integers(0, 2, (n, len(CONCEPTS))).astype(np.float32),
        concept_names=CONCEPTS,
        split=(np.arange(n) % 3).astype(np.uint8),
        scene=np.arange(n),
        role="concepts",
    )


def _random_layer_measurements(
    concept_set: InputSet, units: int, annotated: int, rng: np.random.Generator
) -> LayerMeasurements:
    n = len(concept_set)
    assert concept_set.concepts is not None
    responses = np.abs(rng.standard_normal((n, units), dtype=np.float32))
    # What the words say is true, so that everything that rests on words is worked out.
    meant = np.arange(annotated) % len(CONCEPTS)
    responses[:, :annotated] = concept_set.concepts[:, meant] + 0.2 * responses[:, :annotated]
    edges = np.linspace(0, responses.max(0), 11).T.astype(np.float32)
    return LayerMeasurements(
        LAYER,
        responses,
        responses,
        rng.integers(0, n, (units, _SHOWN)),
        np.tile(np.array([4, 4, 20, 20], np.int16), (units, _SHOWN, 1)),
        rng.integers(0, 256, (units, _SHOWN, 4, 4), dtype=np.uint8),
        np.full((units, 10), n // 10, np.int64),
        edges,
    )


def _random_effect_measurements(
    concept_set: InputSet, units: int, images: int, rng: np.random.Generator
) -> EffectMeasurements:
    k = len(CLASSES)
    labels = np.arange(images) % k
    values = rng.standard_normal((2, images, units, k), dtype=np.float32) * np.float32(0.1)
    for c in range(k):
        # Sufficiency is read on other classes' inputs, necessity on the class's own.
        values[0, labels == c, :, c] = np.nan
        values[1, labels != c, :, c] = np.nan
    drive = np.zeros((units, k), np.float32)
    drive[: k * 4] = 0.3
    return EffectMeasurements(
        tuple(f"{LAYER}:{i}" for i in range(units)),
        CLASSES,
        np.full(k, 5.0, np.float32),
        values[0],
        values[1],
        (np.arange(images) // k % 3).astype(np.uint8),
        np.arange(images),
        np.arange(images),
        drive,
        np.ones(units, np.float32),
        concepts=_random_concept_effects(concept_set, rng),
    )


def _random_concept_effects(concept_set: InputSet, rng: np.random.Generator) -> ConceptEffects:
    assert concept_set.concepts is not None
    of = np.repeat(np.arange(len(CONCEPTS)), 3 * _PAIRS)
    whole = rng.standard_normal((len(of), len(CLASSES)), dtype=np.float32) * np.float32(0.2)
    whole[of == 0, 0] += 0.5
    return ConceptEffects(
        names=CONCEPTS,
        left_out=((),) * len(CONCEPTS),
        of=of,
        present=_draw_matching_image_per_row(concept_set.concepts.T[of] == 1, rng),
        absent=_draw_matching_image_per_row(concept_set.concepts.T[of] == 0, rng),
        split=np.tile(np.repeat(np.arange(3, dtype=np.uint8), _PAIRS), len(CONCEPTS)),
        scene=np.arange(len(of)),
        whole=whole,
        rest=whole,
    )


def _draw_matching_image_per_row(
    matches: npt.NDArray[np.bool_], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """One of the images that fit, by row."""
    return (rng.random(matches.shape) * matches).argmax(1)
