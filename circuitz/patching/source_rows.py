"""Which inputs effects are measured on, and which others lend them their values. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from circuitz.data.splits import assign_splits
from circuitz.errors import InputsError
from circuitz.z.inputs import SPLITS, InputSet

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]

# Without splits of its own, D is cut as the dog world cuts it.
_FRACTIONS = (0.7, 0.15, 0.15)
# So many of a class always leave one for the smallest of these splits.
_IN_EVERY_SPLIT = math.ceil(1 / min(_FRACTIONS))


@dataclass(frozen=True, eq=False)
class Sources:
    """Source images of all splits, and the donors of each for every class.

    Parameters
    ----------
    index
        ``(n,)`` index into D.
    shows
        ``(n, k)`` whether the image shows the class; one of z's classes each, unless images may
        show several.
    split, scene
        ``(n,)`` index into ``SPLITS``, and scene number.
    row
        ``(n,)`` position of each among all that were drawn.
    donors
        ``(n, k, r)`` positions among all that were drawn, of the same split. For a class other
        than the source's own they show that class; for its own they do not.
    """

    index: I64
    shows: Bool
    split: U8
    scene: I64
    row: I64
    donors: I64

    def __len__(self) -> int:
        return len(self.index)

    @property
    def label(self) -> I64:
        """``(n,)`` the first class each image shows; 0 where it shows none."""
        return self.shows.argmax(1)

    def take(self, rows: I64) -> Sources:
        """Return some of the sources; all that were drawn still lend."""
        return Sources(*(getattr(self, f.name)[rows] for f in fields(self)))


def labels_as_class_indices(data: InputSet | None, classes: tuple[str, ...]) -> I64:
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
    if data.labels.ndim != 1:
        raise InputsError(
            "Images of D may show several classes, or none.",
            "Use a network whose head is multi-label, or give one class an image.",
        )
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


def _hint_for_empty_split(count: int) -> str:
    return (
        f"D holds {count} of it, and each split needs one. Add images ({_IN_EVERY_SPLIT} different "
        "ones a class are enough where circuitz splits D), or say which split each is in: an "
        "InputSet with split=."
    )


def class_membership_mask(
    data: InputSet | None, classes: tuple[str, ...], head: str = "softmax"
) -> Bool:
    """Return which of z's classes each image of D shows, ``(n, k)``.

    Raises
    ------
    InputsError
        As :func:`labels_as_class_indices`; with several classes an image, also if a class is shown by all.
    """
    if data is None or data.labels is None or data.labels.ndim == 1 or head != "multi-label":
        return labels_as_class_indices(data, classes)[:, None] == np.arange(len(classes))
    unknown = [name for name in data.classes if name not in classes]
    if unknown or data.labels.shape[1] != len(data.classes):
        raise InputsError(
            f"D has class {unknown[0]!r}, which the model does not have."
            if unknown
            else f"D has {data.labels.shape[1]} columns of labels and {len(data.classes)} classes.",
            f"The model's classes are {', '.join(classes)}.",
        )
    shows = np.zeros((len(data), len(classes)), bool)
    for column, name in enumerate(data.classes):
        shows[:, classes.index(name)] = data.labels[:, column] == 1
    for k, name in enumerate(classes):
        if shows[:, k].all() or not shows[:, k].any():
            many = "every" if shows[:, k].all() else "no"
            raise InputsError(
                f"D holds {name} in {many} image.",
                "The effect on a class is measured between its images and others: add some.",
            )
    return shows


def existing_or_assigned_splits(data: InputSet, labels: I64, seed: int = 0) -> U8:
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
    head: str = "softmax",
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
    head
        z's head. With ``multi-label`` an image may show several classes or none; sources are
        then drawn evenly over the classes and over images that show none.

    Raises
    ------
    InputsError
        See :func:`labels_as_class_indices`; also if a split holds images but none of some class.
    """
    shows = class_membership_mask(data, classes, head)
    if head == "multi-label":
        return _draw_multilabel_sources(data, shows, classes, per_split, donors, seed)
    labels = shows.argmax(1)
    if len(classes) < 2:
        raise InputsError(
            "The model has one class.", "An effect on a class is measured against other classes."
        )
    split = existing_or_assigned_splits(data, labels)
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
                    _hint_for_empty_split(int((labels == k).sum())),
                )
            picked.append(np.sort(draw.permutation(pool)[:each]))
        rows = np.concatenate(picked)
        lenders.append(start + _draw_donors_per_class(labels[rows], len(classes), donors, draw))
        chosen.append(rows)
        start += len(rows)
    index = np.concatenate(chosen)
    row = np.arange(len(index))
    return Sources(index, shows[index], split[index], scene[index], row, np.concatenate(lenders))


def _draw_multilabel_sources(
    data: InputSet, shows: Bool, classes: tuple[str, ...], per_split: int, donors: int, seed: int
) -> Sources:
    """Draw sources among images that show any number of classes."""
    split = existing_or_assigned_splits(data, shows.astype(np.int64))
    scene = np.arange(len(data)) if data.scene is None else np.asarray(data.scene, np.int64)
    # Images that show nothing are a kind of their own.
    kinds = np.concatenate([shows, ~shows.any(1, keepdims=True)], 1)
    each = max(1, per_split // kinds.shape[1])
    chosen: list[I64] = []
    lenders: list[I64] = []
    start = 0
    for s, name in enumerate(SPLITS):
        members = np.flatnonzero(split == s)
        if not len(members):
            continue
        draw = np.random.default_rng([seed, s, 12])
        picked = [
            draw.permutation(members[kinds[members, k]])[:each] for k in range(kinds.shape[1])
        ]
        rows = np.unique(np.concatenate(picked))
        lent = np.empty((len(rows), len(classes), donors), np.int64)
        for k, cls in enumerate(classes):
            here = shows[rows, k]
            if here.all() or not here.any():
                raise InputsError(
                    f"The {name} split of D holds {cls} in {'every' if here.all() else 'no'} image.",
                    "Split D by class (leave split unset to have that done), or add images.",
                )
            for own, pool in ((here, np.flatnonzero(~here)), (~here, np.flatnonzero(here))):
                lent[own, k] = draw.choice(pool, (int(own.sum()), donors))
        lenders.append(start + lent)
        chosen.append(rows)
        start += len(rows)
    index = np.concatenate(chosen)
    row = np.arange(len(index))
    return Sources(index, shows[index], split[index], scene[index], row, np.concatenate(lenders))


def _draw_donors_per_class(label: I64, classes: int, count: int, rng: np.random.Generator) -> I64:
    found = np.empty((len(label), classes, count), np.int64)
    for k in range(classes):
        same, others = np.flatnonzero(label == k), np.flatnonzero(label != k)
        found[others, k] = rng.choice(same, (len(others), count))
        # Evenly over the other classes, whatever their sizes.
        kinds = [np.flatnonzero(label == other) for other in range(classes) if other != k]
        kind = rng.integers(0, len(kinds), (len(same), count))
        lender = np.empty_like(kind)
        for j, pool in enumerate(kinds):
            lender[kind == j] = rng.choice(pool, int((kind == j).sum()))
        found[same, k] = lender
    return found


def rows_of_split(inputs: InputSet, split: str) -> I64:
    """Return the rows of one split; all rows where the inputs are not split."""
    if inputs.split is None:
        return np.arange(len(inputs))
    return np.flatnonzero(inputs.split == SPLITS.index(split))


def rows_of_select_split(data: InputSet) -> I64:
    """Return the *select* rows of D, by the split that effects are measured with."""
    assert data.labels is not None
    return np.flatnonzero(existing_or_assigned_splits(data, data.labels) == SPLITS.index("select"))
