"""What was measured on a network, stored so that checks never need to run it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
STATISTICS = ("mean", "deviation", "active", "low", "high")
"""Columns of a layer's statistics."""


@dataclass(frozen=True, eq=False)
class LayerMeasurements:
    """Responses of every unit of one layer to the concept set (n images, u units).

    Parameters
    ----------
    layer
        Name of the layer.
    responses
        ``(n, u)`` float32, one number an image and unit: the mean over positions.
    peaks
        ``(n, u)`` float32: the largest value over positions (exemplars are ranked by it).
    exemplars
        ``(u, 9)`` int64 indices into the concept set, best first; -1 where there are fewer.
    exemplar_boxes
        ``(u, 9, 4)`` int16 top, left, bottom, right of the receptive field of the peak.
    exemplar_heat
        ``(u, 9, h, w)`` uint8: the unit's map on each exemplar, 255 = the unit's largest peak.
    histogram, histogram_edges
        ``(u, b)`` int64 counts of ``peaks`` and ``(u, b + 1)`` float32 edges.
    visualisations
        ``(u, H, W, 3)`` uint8 inputs optimised to activate each unit; ``None`` when not made.
    statistics
        ``(u, 5)`` float32, see :data:`STATISTICS`: mean and standard deviation of responses over
        images, share of images with a peak above zero, smallest and largest peak.
    spectrum
        ``(u, 4, 3)`` int64 images, three each, on which the peak is smallest, low, in the middle
        (one and two quarters of the way to the largest) and largest; -1 where there are fewer.
    clarity, polysemanticity, redundancy
        ``(u,)`` float32 scores of how much a unit means one thing
        (:mod:`circuitz.stats.exemplar_quality`).
    neighbours, neighbour_correlation
        ``(u, m)`` int64 units of the layer whose responses correlate most, -1 where there are
        fewer, and ``(u, m)`` float32 the correlations.
    relevant, relevance
        ``(u, k, r)`` int64 images on which the unit contributes most to each class, -1 where
        there are fewer, and ``(u, k, r)`` float32 its share of the layer's contributions there.
    embedding
        Layer whose means over positions the scores compare images by.
    values
        Hash of what the units' values are made from (:mod:`circuitz.models.run.unit_value_hashes`): while it is
        the same, an edit of weights left them as they are. Empty in measurements of old.
    """

    layer: str
    responses: F32
    peaks: F32
    exemplars: npt.NDArray[np.int64]
    exemplar_boxes: npt.NDArray[np.int16]
    exemplar_heat: npt.NDArray[np.uint8]
    histogram: npt.NDArray[np.int64]
    histogram_edges: F32
    visualisations: npt.NDArray[np.uint8] | None = None
    statistics: F32 | None = None
    spectrum: npt.NDArray[np.int64] | None = None
    clarity: F32 | None = None
    polysemanticity: F32 | None = None
    redundancy: F32 | None = None
    neighbours: npt.NDArray[np.int64] | None = None
    neighbour_correlation: F32 | None = None
    relevant: npt.NDArray[np.int64] | None = None
    relevance: F32 | None = None
    embedding: str = ""
    values: str = ""


@dataclass(frozen=True, eq=False)
class ConceptEffects:
    """What concepts do to classes through the cut, over pairs of concept-set images.

    Of a pair, one image shows the concept and the other does not, and they are as alike as can
    be otherwise (:mod:`circuitz.measurement.concept_pairs`). Units go from the values they have on the
    image without it to those on the image with it. Effects are in shares, as all others.

    Parameters
    ----------
    names
        Concepts, as the concept set's columns are called; the order of axis ``c``.
    left_out
        By concept, the units of the cut whose words name it; ``rest`` is about all others.
    of, present, absent
        ``(t,)`` int64: which concept a pair is about, and indices of its images.
    split, scene
        ``(t,)``: index into ``SPLITS``, scene number.
    whole, rest
        ``(t, k)`` float32: change of every margin when the whole cut goes, and when all units but
        those left out do.
    """

    names: tuple[str, ...]
    left_out: tuple[tuple[str, ...], ...]
    of: npt.NDArray[np.int64]
    present: npt.NDArray[np.int64]
    absent: npt.NDArray[np.int64]
    split: npt.NDArray[np.uint8]
    scene: npt.NDArray[np.int64]
    whole: F32
    rest: F32


@dataclass(frozen=True, eq=False)
class EffectMeasurements:
    """Effects of every unit of the cut on every class, per source image.

    All effects are in shares of the class's whole effect (see :class:`circuitz.z.effect.Effect`).

    Parameters
    ----------
    units
        Unit ids, the order of axis ``u``.
    targets
        Class names, the order of axis ``k``.
    scale
        ``(k,)`` float32, the change of the margin when the whole cut is resampled, in logits.
    sufficiency
        ``(n, u, k)`` float32: source image of another class, the unit resampled from class k;
        NaN where the source image is itself of class k.
    necessity
        ``(n, u, k)`` float32: source image of class k, the unit resampled from other classes
        (sign: positive = the class loses); NaN where the source is of another class.
    split, scene, source
        ``(n,)``: index into ``SPLITS``, scene number for clustering, index into D.
    drive
        ``(u, k)`` float32: change of the margin when the unit goes from the values it has where
        it is inactive to those where it is active (concept set), the rest of the cut held.
    span
        ``(u,)`` float32: the change of the unit's mean response that goes with ``drive``.
    groups
        Sets of units whose joint effect was run exactly (each sorted).
    group_sufficiency, group_necessity
        ``(g, n, k)`` float32 like the above, one row a group.
    seed
        Seed of the pairing of sources and donors.
    concepts
        What concepts do through the cut; ``None`` where that was not measured.
    margin
        ``(n, k)`` float32: margins of the sources as they are, in logits; ``None`` in
        measurements of old.
    drive_error
        ``(u, k)`` float32: standard error of ``drive`` over the images it was averaged over;
        ``None`` where it was not measured.
    """

    units: tuple[str, ...]
    targets: tuple[str, ...]
    scale: F32
    sufficiency: F32
    necessity: F32
    split: npt.NDArray[np.uint8]
    scene: npt.NDArray[np.int64]
    source: npt.NDArray[np.int64]
    drive: F32
    span: F32
    groups: tuple[tuple[str, ...], ...] = ()
    group_sufficiency: F32 = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    group_necessity: F32 = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    seed: int = 0
    concepts: ConceptEffects | None = None
    margin: F32 | None = None
    drive_error: F32 | None = None

    @cached_property
    def unit_index(self) -> dict[str, int]:
        """Index of each unit on axis ``u``."""
        return {unit: i for i, unit in enumerate(self.units)}


@dataclass(frozen=True, eq=False)
class Measurements:
    """Everything measured on one network with one concept set.

    Parameters
    ----------
    layers
        Responses, by layer.
    effects
        Effects of the cut; ``None`` until measured.
    weights_hash, concepts_hash, data_hash
        What they were measured on; results are *stale* when these differ from z's.
    pictures
        PNG evidence by content hash (16 hex digits of SHA-256).
    group_pictures
        ``"unit+unit->class"`` (units sorted) to hashes of pictures before and after.
    seed
        Seed of everything random in them.
    """

    layers: dict[str, LayerMeasurements] = field(default_factory=dict)
    effects: EffectMeasurements | None = None
    weights_hash: str = ""
    concepts_hash: str = ""
    data_hash: str = ""
    pictures: dict[str, bytes] = field(default_factory=dict)
    group_pictures: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seed: int = 0
