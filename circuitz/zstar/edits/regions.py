"""Where in an image a concept lies, learned from the concept set alone.

The search edits inputs where a flagged concept lies. That region must be found on images of D,
for which nobody drew masks. A small network learns it on the concept set, from the best that is
there: drawn masks, pairs of images that differ in the concept alone, or image labels only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.errors import ConceptLabelsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.patching.source_rows import rows_of_split
from circuitz.z.inputs import InputSet
from circuitz.zstar.edits.additive_pattern import AdditivePattern, learn_additive_pattern
from circuitz.zstar.edits.colour_refinement import refine_by_colour
from circuitz.zstar.edits.erasure import learn_erasure
from circuitz.zstar.edits.fixed_place import learn_fixed_place
from circuitz.zstar.edits.patches import presence_regions_from_labels, region_targets_from_labels
from circuitz.zstar.edits.pixel_network import (
    images_to_shrunk_tensor,
    resize_maps,
    tensor_to_images,
    train_pixel_network,
)
from circuitz.zstar.edits.recolour import Recolouring, learn_recolouring
from circuitz.zstar.edits.region_targets import (
    rows_and_targets_from_masks,
    rows_and_targets_from_pairs,
)
from circuitz.zstar.label_columns import column_labelling_concept, columns_of_same_kind

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Source = Literal["masks", "pairs", "labels"]
LabelWay = Literal["exchange", "overlay", "plain", "erase"]
Progress = Callable[[int, int], None]

# A concept that changes more of the picture than this may be one that lies nowhere.
_WHOLE = 0.9
# Pairs at most that a change of colours is learned from.
_PAIRS = 200
NONE = 0.005
"""A region smaller than this share of the picture is taken for none."""
FEWEST = 20
"""Images with and without a concept, at least, that its region is learned from."""
# Alternatives to a concept are labelled when this share of the images shows one of them.
_COVERED = 0.9


@dataclass(frozen=True, eq=False)
class RegionFinder:
    """A trained network that says where a concept lies, or would lie.

    Parameters
    ----------
    concept
        The concept it was trained for.
    source
        What it learned from.
    net
        Images ``(n, c, h, w)`` in -1..1 in, one logit a pixel ``(n, 1, h, w)`` out.
    alone
        Whether nothing takes the concept's place where it is absent: a collar is there or not,
        but where there is no snow there is other ground, and that is the region then.
    teller, threshold
        Images in, one logit ``(n,)`` out: the concept is there where it is above the threshold.
        Without a teller, a concept that is found alone is there where its region is.
    told_before, told_after
        How well the concept is told on images not learned from, as they are and with the region
        filled (area under the ROC curve; NaN where that was not measured).
    follows_colours
        Whether edges are sharpened in every picture by its own colours.
    """

    concept: str
    source: Source
    net: nn.Module
    alone: bool = False
    teller: nn.Module | None = None
    threshold: float = 0.0
    told_before: float = float("nan")
    told_after: float = float("nan")
    follows_colours: bool = False

    def region_probability_maps(self, images: U8, batch: int = 128) -> F32:
        """Return the probability of every pixel to lie in the region, ``(n, h, w)`` float32."""
        parts: list[F32] = []
        self.net.eval()
        with torch.no_grad():
            for i in range(0, len(images), batch):
                out = torch.sigmoid(self.net(images_to_shrunk_tensor(images[i : i + batch])))
                found = resize_maps(out, images.shape[1:3])[:, 0].numpy()
                if self.follows_colours:
                    found = refine_by_colour(images[i : i + batch], found)
                parts.append(found)
        return np.concatenate(parts) if parts else np.zeros((0, *images.shape[1:3]), np.float32)

    def images_show_concept(self, images: U8, batch: int = 128) -> npt.NDArray[np.bool_]:
        """Return for every image whether the concept is there, ``(n,)`` bool."""
        if self.teller is None:
            return (self.region_probability_maps(images, batch) > 0.5).mean((1, 2)) > NONE
        parts: list[npt.NDArray[np.bool_]] = []
        with torch.no_grad():
            for i in range(0, len(images), batch):
                parts.append(
                    (
                        self.teller(images_to_shrunk_tensor(images[i : i + batch])) > self.threshold
                    ).numpy()
                )
        return np.concatenate(parts) if parts else np.zeros(0, bool)


Finder = RegionFinder | Recolouring | AdditivePattern
"""Says how a concept is edited: where it lies, or what it does to all colours."""


def find_regions(
    concept: str,
    concept_set: InputSet,
    lexicon: Lexicon,
    *,
    source: Source | None = None,
    way: LabelWay | None = None,
    seed: int = 0,
    seconds: float = math.inf,
    progress: Progress | None = None,
) -> Finder:
    """Learn where a concept lies from the *select* split of the concept set.

    Where pairs are learned from and a change of all colours explains them, there is no such
    place, and that change is what is returned.

    Parameters
    ----------
    concept
        A concept the set has a column for.
    concept_set
        The concept set.
    lexicon
        Says of which kind the concept is, and so which masks show it.
    source
        What to learn from; by default the most exact there is.
    way
        How labels are learned from. ``exchange``: small patches tell the concept or an alternative
        to it, labelled or not; ``overlay``: small patches tell that it is there; ``plain``: it
        covers one place or adds one pattern; ``erase``: that, or else two networks against one
        another (:mod:`.erasure`). By default ``exchange`` where alternatives
        are labelled in nearly all images, else ``erase``.
    seed
        Of weights and order.
    seconds
        Most time that ``erase`` may take.
    progress
        Called with steps done and in all.

    Raises
    ------
    SearchError
        If it would take longer.
    ConceptLabelsError
        If the set has no labels for the concept, or the source asked for is not there.
    """
    column = column_labelling_concept(concept, concept_set, lexicon)
    if column is None or concept_set.concepts is None:
        raise ConceptLabelsError(
            f"The concept set has no labels for {concept!r}.",
            f"Add a column for it; there are {', '.join(concept_set.concept_names) or 'none'}.",
        )
    select = rows_of_split(concept_set, "select")
    masks = rows_and_targets_from_masks(concept, concept_set, lexicon, select)
    pairs = rows_and_targets_from_pairs(column, concept_set, select)
    known: dict[Source, tuple[I64, F32] | None] = {"masks": masks, "pairs": pairs}
    chosen: Source = source or ("masks" if masks else "pairs" if pairs else "labels")
    torch.manual_seed(seed)
    if chosen == "labels":
        labels = concept_set.concepts[select][
            :, columns_of_same_kind(concept, concept_set, lexicon)
        ]
        how = way or ("exchange" if alternatives_cover_images(labels) else "erase")
        if how in ("plain", "erase"):
            plain = _plain_finder_of_one_concept(concept, concept_set, column)
            if plain is not None:
                return plain
            if how == "plain":
                raise ConceptLabelsError(
                    f"{concept!r} covers no one place, and adds no one pattern to pictures.",
                    "Learn where it lies in another way.",
                )
            return _finder_from_erasure(concept, concept_set, column, seed, seconds, progress)
        if how == "overlay":
            return _finder_from_presence(concept, concept_set, select, labels, seed, progress)
        target = region_targets_from_labels(concept_set.images, select, labels, seed)
        target = _refine_targets(concept_set.images, select, target)
        net = train_pixel_network(concept_set.images, select, target, seed, progress)
        return RegionFinder(concept, chosen, net, follows_colours=True)
    if chosen == "pairs" and pairs is not None and np.median(pairs[1].mean((1, 2))) > _WHOLE:
        tint = _recolouring_from_pairs(concept, concept_set, column, pairs[0], seed)
        if tint is not None:
            return tint
    known_regions = known[chosen]
    if known_regions is None:
        raise ConceptLabelsError(
            f"The concept set has no {chosen} that show where {concept!r} lies.",
            "Leave the source out to learn from what there is.",
        )
    net = train_pixel_network(concept_set.images, *known_regions, seed, progress)
    return RegionFinder(
        concept,
        chosen,
        net,
        chosen == "masks" and _most_without_concept_lack_region(concept_set, column, masks),
    )


def sources_of_regions(concept: str, concept_set: InputSet, lexicon: Lexicon) -> list[Source]:
    """Return what says where a concept lies in the set's *select* split, the most exact first."""
    column = column_labelling_concept(concept, concept_set, lexicon)
    if column is None or concept_set.concepts is None:
        return []
    select = rows_of_split(concept_set, "select")
    masks = rows_and_targets_from_masks(concept, concept_set, lexicon, select)
    pairs = rows_and_targets_from_pairs(column, concept_set, select)
    there: list[Source] = []
    if masks is not None:
        there.append("masks")
    if pairs is not None:
        there.append("pairs")
    there.append("labels")
    return there


def alternatives_cover_images(labels: F32) -> bool:
    """Return whether one of the alternatives is to be seen in most images."""
    whole = labels[np.isfinite(labels).all(1)]
    return labels.shape[1] > 1 and len(whole) > 0 and bool((whole > 0).any(1).mean() >= _COVERED)


def _most_without_concept_lack_region(
    concept_set: InputSet, column: int, masks: tuple[I64, F32] | None
) -> bool:
    """Return whether most images without the concept have no region."""
    assert masks is not None
    assert concept_set.concepts is not None
    rows, target = masks
    without = target[concept_set.concepts[rows, column] < 0.5]
    return bool(len(without)) and bool((without.mean((1, 2)) > NONE).mean() < 0.5)


def _recolouring_from_pairs(
    concept: str, concept_set: InputSet, column: int, paired: I64, seed: int
) -> Recolouring | None:
    """Learn a concept that changes the colours of the whole picture, if it is one."""
    assert concept_set.concepts is not None
    labels = concept_set.concepts[:, column]
    a, b = paired.reshape(2, -1)
    swap = labels[a] < labels[b]
    with_it, without = np.where(swap, b, a), np.where(swap, a, b)
    keep = labels[with_it] != labels[without]
    with_it, without = with_it[keep][:_PAIRS], without[keep][:_PAIRS]
    images = concept_set.images

    def images_with_and_without(split: str) -> tuple[U8, U8]:
        rows = (
            rows_of_split(concept_set, split)
            if split == "select" or concept_set.split is not None
            else a[:0]
        )
        found = [rows[labels[rows] == value] for value in (1, 0)]
        return np.asarray(images[found[0]]), np.asarray(images[found[1]])

    return learn_recolouring(
        concept,
        (np.asarray(images[with_it]), np.asarray(images[without])),
        images_with_and_without("select"),
        images_with_and_without("test"),
        seed=seed,
    )


def _plain_finder_of_one_concept(concept: str, concept_set: InputSet, column: int) -> Finder | None:
    """Learn one concept that is there or not in a plain way, if one does.

    Erasing it takes minutes, and nothing is left of a picture from which what lies all over it is
    erased. So what it adds everywhere, and a place that it covers, are tried first.
    """
    assert concept_set.concepts is not None
    labels = concept_set.concepts.astype(np.float64)
    rows = rows_of_split(concept_set, "select")
    rows = rows[np.isfinite(labels[rows, column])]
    others = rows_of_split(concept_set, "test") if concept_set.split is not None else rows[:0]
    others = others[np.isfinite(labels[others, column])]
    few = [np.bincount(labels[some, column] > 0.5, minlength=2).min() for some in (rows, others)]
    if min(few) >= FEWEST:
        images, unseen = (
            np.asarray(concept_set.images[rows]),
            np.asarray(concept_set.images[others]),
        )
        held_out = (unseen, labels[others, column] > 0.5)
        place = learn_fixed_place(images, labels[rows, column] > 0.5, held_out)
        if place is not None:
            return RegionFinder(
                concept, "labels", place.mask, alone=True, teller=place.teller, threshold=0.0,
                told_before=place.told_before, told_after=place.told_after,
            )  # fmt: skip
        return learn_additive_pattern(concept, images, labels[rows], column, held_out)
    return None


def _refine_targets(images: U8, rows: I64, targets: F32, batch: int = 128) -> F32:
    """Return targets, at their own size, whose edges follow each picture's colours."""
    parts: list[F32] = []
    for i in range(0, len(rows), batch):
        found = targets[i : i + batch]
        small = tensor_to_images(images_to_shrunk_tensor(images[rows[i : i + batch]]))
        parts.append(refine_by_colour(small, found))
    return np.concatenate(parts)


def _finder_from_presence(
    concept: str,
    concept_set: InputSet,
    rows: I64,
    labels: F32,
    seed: int,
    progress: Progress | None,
) -> RegionFinder:
    """Learn from image labels of one concept that is there or not, by small patches."""
    known = np.isfinite(labels[:, 0])
    rows, labels = rows[known], labels[known]
    shown = int((labels[:, 0] > 0.5).sum())
    _check_enough_labels(concept, shown, len(rows) - shown)
    made = presence_regions_from_labels(concept_set.images, rows, labels, seed)
    net = train_pixel_network(concept_set.images, rows, made.targets, seed, progress)
    return RegionFinder(
        concept, "labels", net, alone=True, teller=made.teller, threshold=made.threshold
    )


def _check_enough_labels(concept: str, present: int, absent: int) -> None:
    if min(present, absent) < FEWEST:
        raise ConceptLabelsError(
            f"{present} images of the concept set's select split show {concept!r} and "
            f"{absent} do not; too few to learn where it lies.",
            f"Label {FEWEST} of each or more.",
        )


def _finder_from_erasure(
    concept: str,
    concept_set: InputSet,
    column: int,
    seed: int,
    seconds: float,
    progress: Progress | None,
) -> RegionFinder:
    """Learn from image labels of one concept that is there or not (see :mod:`.erasure`)."""
    assert concept_set.concepts is not None
    parts: list[torch.Tensor] = []
    for split in ("select", "test"):
        rows = rows_of_split(concept_set, split)
        if split == "test" and concept_set.split is None:
            rows = rows[:0]
        labels = concept_set.concepts[rows, column]
        parts += [
            images_to_shrunk_tensor(concept_set.images[rows[labels == value]]).contiguous()
            for value in (1, 0)
        ]
    _check_enough_labels(concept, len(parts[0]), len(parts[1]))
    made = learn_erasure(*parts, seed=seed, seconds=seconds, progress=progress)
    return RegionFinder(
        concept,
        "labels",
        made.mask,
        alone=True,
        teller=made.opponent,
        threshold=made.threshold,
        told_before=made.told_before,
        told_after=made.told_after,
    )
