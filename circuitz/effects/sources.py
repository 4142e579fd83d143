"""Which inputs effects are measured on, and which others lend them their values. No torch."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from circuitz.data.splits import assign_splits
from circuitz.errors import InputsError
from circuitz.z.inputs import SPLITS, InputSet

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

# Without splits of its own, D is cut as the dog world cuts it.
_FRACTIONS = (0.7, 0.15, 0.15)


@dataclass(frozen=True, eq=False)
class Sources:
    """Source images of all splits, and the donors of each for every class.

    Parameters
    ----------
    index
        ``(n,)`` index into D.
    label
        ``(n,)`` class, an index into z's classes.
    split, scene
        ``(n,)`` index into ``SPLITS``, and scene number.
    row
        ``(n,)`` position of each among all that were drawn.
    donors
        ``(n, k, r)`` positions among all that were drawn, of the same split. For a class other
        than the source's own they show that class; for its own they show others.
    """

    index: I64
    label: I64
    split: U8
    scene: I64
    row: I64
    donors: I64

    def __len__(self) -> int:
        return len(self.index)

    def take(self, rows: I64) -> Sources:
        """Return some of the sources; all that were drawn still lend."""
        return Sources(*(getattr(self, f.name)[rows] for f in fields(self)))


def class_labels(data: InputSet | None, classes: tuple[str, ...]) -> I64:
    """Return D's labels as indices into z's classes (which may be in another order).

    Raises
    ------
    InputsError
        If there is no D, or no labels, or a class has no image, or there are labels for
        classes z does not have.
    """
    if data is None:
        raise InputsError(
            "Effects need D, the labelled images the network was trained on.",
            "Pass it: measure(z, concept_set, data), or wrap(net, data).",
        )
    if data.labels is None:
        raise InputsError("D has no labels.", "Effects on classes need the label of each image.")
    labels = np.asarray(data.labels, np.int64)
    if data.classes and data.classes != classes:
        unknown = [name for name in data.classes if name not in classes]
        if unknown:
            raise InputsError(
                f"D has class {unknown[0]!r}, which the model does not have.",
                f"The model's classes are {', '.join(classes)}.",
            )
        labels = np.array([classes.index(name) for name in data.classes], np.int64)[labels]
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(classes):
        raise InputsError(
            f"Labels of D go from {labels.min()} to {labels.max()}; there are {len(classes)} "
            "classes.",
            "Count classes from 0, in the order of the logits.",
        )
    absent = [c for k, c in enumerate(classes) if not (labels == k).any()]
    if absent:
        raise InputsError(
            f"D holds no image of {', '.join(absent)}.",
            "The effect on a class is measured between its images and others: add some.",
        )
    return labels


def splits_of(data: InputSet, labels: I64, seed: int = 0) -> U8:
    """Return D's split, or one made for it that is the same every time."""
    if data.split is not None:
        return np.asarray(data.split, np.uint8)
    return assign_splits(len(data), _FRACTIONS, data.scene, seed, strata=labels)


def draw_sources(
    data: InputSet,
    classes: tuple[str, ...],
    *,
    per_split: int = 240,
    donors: int = 2,
    seed: int = 0,
) -> Sources:
    """Draw source images, evenly over the classes of each split, and their donors.

    Parameters
    ----------
    data
        D, with labels.
    classes
        z's classes.
    per_split
        Sources a split; fewer where a split has not as many.
    donors
        Donors a source and class.
    seed
        The same arguments give the same sources and donors.

    Raises
    ------
    InputsError
        See :func:`class_labels`; also if a split holds images but none of some class.
    """
    labels = class_labels(data, classes)
    if len(classes) < 2:
        raise InputsError(
            "The model has one class.", "An effect on a class is measured against other classes."
        )
    split = splits_of(data, labels)
    scene = np.arange(len(data)) if data.scene is None else np.asarray(data.scene, np.int64)
    each = max(1, per_split // len(classes))
    chosen: list[I64] = []
    lenders: list[I64] = []
    start = 0
    for s, name in enumerate(SPLITS):
        members = np.flatnonzero(split == s)
        if not len(members):
            continue
        draw = np.random.default_rng([seed, s, 11])
        picked: list[I64] = []
        for k, cls in enumerate(classes):
            pool = members[labels[members] == k]
            if not len(pool):
                raise InputsError(
                    f"The {name} split of D holds no image of {cls}.",
                    "Split D by class (leave split unset to have that done), or add images.",
                )
            picked.append(np.sort(draw.permutation(pool)[:each]))
        rows = np.concatenate(picked)
        lenders.append(start + _donors(labels[rows], len(classes), donors, draw))
        chosen.append(rows)
        start += len(rows)
    index = np.concatenate(chosen)
    row = np.arange(len(index))
    return Sources(index, labels[index], split[index], scene[index], row, np.concatenate(lenders))


def _donors(label: I64, classes: int, count: int, draw: np.random.Generator) -> I64:
    found = np.empty((len(label), classes, count), np.int64)
    for k in range(classes):
        same, others = np.flatnonzero(label == k), np.flatnonzero(label != k)
        found[others, k] = draw.choice(same, (len(others), count))
        # Evenly over the other classes, whatever their sizes.
        kinds = [np.flatnonzero(label == other) for other in range(classes) if other != k]
        kind = draw.integers(0, len(kinds), (len(same), count))
        lender = np.empty_like(kind)
        for j, pool in enumerate(kinds):
            lender[kind == j] = draw.choice(pool, int((kind == j).sum()))
        found[same, k] = lender
    return found
