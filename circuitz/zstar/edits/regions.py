"""Where in an image a concept lies, learned from the concept set alone.

The search edits inputs where a flagged concept lies. That region must be found on images of D,
for which nobody drew masks. A small network learns it on the concept set, from the best that is
there: drawn masks, pairs of images that differ in the concept alone, or image labels only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.errors import ConceptLabelsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.patching.source_rows import rows_of
from circuitz.z.inputs import InputSet
from circuitz.zstar.concept_columns import column_of, siblings
from circuitz.zstar.edits.erasure import learn_erasure
from circuitz.zstar.edits.patches import targets_from_labels
from circuitz.zstar.edits.pixel_network import learn_pixels, resized, to_tensor
from circuitz.zstar.edits.recolour import Recolouring, learn_recolouring

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Source = Literal["masks", "pairs", "labels"]
Progress = Callable[[int, int], None]

# Pixels whose colour changes by more than this (of 255) differ between the images of a pair;
# what is below is resampling noise.
_CHANGED = 6
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
    """

    concept: str
    source: Source
    net: nn.Module
    alone: bool = False
    teller: nn.Module | None = None
    threshold: float = 0.0
    told_before: float = float("nan")
    told_after: float = float("nan")

    def maps(self, images: U8, batch: int = 128) -> F32:
        """Return the probability of every pixel to lie in the region, ``(n, h, w)`` float32."""
        parts: list[F32] = []
        self.net.eval()
        with torch.no_grad():
            for i in range(0, len(images), batch):
                out = torch.sigmoid(self.net(to_tensor(images[i : i + batch])))
                parts.append(resized(out, images.shape[1:3])[:, 0].numpy())
        return np.concatenate(parts) if parts else np.zeros((0, *images.shape[1:3]), np.float32)

    def present(self, images: U8, batch: int = 128) -> npt.NDArray[np.bool_]:
        """Return for every image whether the concept is there, ``(n,)`` bool."""
        if self.teller is None:
            return (self.maps(images, batch) > 0.5).mean((1, 2)) > NONE
        parts: list[npt.NDArray[np.bool_]] = []
        with torch.no_grad():
            for i in range(0, len(images), batch):
                parts.append(
                    (self.teller(to_tensor(images[i : i + batch])) > self.threshold).numpy()
                )
        return np.concatenate(parts) if parts else np.zeros(0, bool)


Finder = RegionFinder | Recolouring
"""Says how a concept is edited: where it lies, or what it does to all colours."""


def find_regions(
    concept: str,
    concepts: InputSet,
    lexicon: Lexicon,
    *,
    source: Source | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Finder:
    """Learn where a concept lies from the *select* split of the concept set.

    Where pairs are learned from and a change of all colours explains them, there is no such
    place, and that change is what is returned.

    Parameters
    ----------
    concept
        A concept the set has a column for.
    concepts
        The concept set.
    lexicon
        Says of which kind the concept is, and so which masks show it.
    source
        What to learn from; by default the most exact there is.
    seed
        Of weights and order.
    progress
        Called with steps done and in all.

    Raises
    ------
    ConceptLabelsError
        If the set has no labels for the concept, or the source asked for is not there.
    """
    column = column_of(concept, concepts, lexicon)
    if column is None or concepts.concepts is None:
        raise ConceptLabelsError(
            f"The concept set has no labels for {concept!r}.",
            f"Add a column for it; there are {', '.join(concepts.concept_names) or 'none'}.",
        )
    select = rows_of(concepts, "select")
    masks = _from_masks(concept, concepts, lexicon, select)
    pairs = _from_pairs(column, concepts, select)
    known: dict[Source, tuple[I64, F32] | None] = {"masks": masks, "pairs": pairs}
    chosen: Source = source or ("masks" if masks else "pairs" if pairs else "labels")
    torch.manual_seed(seed)
    if chosen == "labels":
        labels = concepts.concepts[select][:, siblings(concept, concepts, lexicon)]
        if not _covered(labels):
            return _from_erasing(concept, concepts, column, seed, progress)
        target = targets_from_labels(concepts.images, select, labels, seed)
        net = learn_pixels(concepts.images, select, target, seed, progress)
        return RegionFinder(concept, chosen, net)
    if chosen == "pairs" and pairs is not None and np.median(pairs[1].mean((1, 2))) > _WHOLE:
        tint = _from_colours(concept, concepts, column, pairs[0], seed)
        if tint is not None:
            return tint
    known_regions = known[chosen]
    if known_regions is None:
        raise ConceptLabelsError(
            f"The concept set has no {chosen} that show where {concept!r} lies.",
            "Leave the source out to learn from what there is.",
        )
    net = learn_pixels(concepts.images, *known_regions, seed, progress)
    return RegionFinder(concept, chosen, net, chosen == "masks" and _alone(concepts, column, masks))


def _covered(labels: F32) -> bool:
    """Return whether one of the alternatives is to be seen in most images."""
    whole = labels[np.isfinite(labels).all(1)]
    return labels.shape[1] > 1 and len(whole) > 0 and bool((whole > 0).any(1).mean() >= _COVERED)


def _alone(concepts: InputSet, column: int, masks: tuple[I64, F32] | None) -> bool:
    """Return whether most images without the concept have no region."""
    assert masks is not None
    assert concepts.concepts is not None
    rows, target = masks
    without = target[concepts.concepts[rows, column] < 0.5]
    return bool(len(without)) and bool((without.mean((1, 2)) > NONE).mean() < 0.5)


def _from_colours(
    concept: str, concepts: InputSet, column: int, paired: I64, seed: int
) -> Recolouring | None:
    """Learn a concept that changes the colours of the whole picture, if it is one."""
    assert concepts.concepts is not None
    labels = concepts.concepts[:, column]
    a, b = paired.reshape(2, -1)
    swap = labels[a] < labels[b]
    with_it, without = np.where(swap, b, a), np.where(swap, a, b)
    keep = labels[with_it] != labels[without]
    with_it, without = with_it[keep][:_PAIRS], without[keep][:_PAIRS]
    images = concepts.images

    def both(split: str) -> tuple[U8, U8]:
        rows = (
            rows_of(concepts, split) if split == "select" or concepts.split is not None else a[:0]
        )
        found = [rows[labels[rows] == value] for value in (1, 0)]
        return np.asarray(images[found[0]]), np.asarray(images[found[1]])

    return learn_recolouring(
        concept,
        (np.asarray(images[with_it]), np.asarray(images[without])),
        both("select"),
        both("test"),
        seed=seed,
    )


def _from_erasing(
    concept: str, concepts: InputSet, column: int, seed: int, progress: Progress | None
) -> RegionFinder:
    """Learn from image labels of one concept that is there or not (see :mod:`.erasure`)."""
    assert concepts.concepts is not None
    parts: list[torch.Tensor] = []
    for split in ("select", "test"):
        rows = rows_of(concepts, split)
        if split == "test" and concepts.split is None:
            rows = rows[:0]
        labels = concepts.concepts[rows, column]
        parts += [
            to_tensor(concepts.images[rows[labels == value]]).contiguous() for value in (1, 0)
        ]
    if min(len(parts[0]), len(parts[1])) < FEWEST:
        raise ConceptLabelsError(
            f"{len(parts[0])} images of the concept set's select split show {concept!r} and "
            f"{len(parts[1])} do not; too few to learn where it lies.",
            f"Label {FEWEST} of each or more.",
        )
    made = learn_erasure(*parts, seed=seed, progress=progress)
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


def _from_masks(
    concept: str, concepts: InputSet, lexicon: Lexicon, rows: I64
) -> tuple[I64, F32] | None:
    """Return rows and per-pixel targets from the mask that shows the concept, if one does."""
    if concepts.masks is None:
        return None
    shows = {concept, *lexicon.ancestors(concept), lexicon.kind(concept)}
    for number, name in enumerate(concepts.mask_names):
        if name and (name in shows or shows & set(lexicon.entries(name))):
            return rows, (concepts.masks[rows] == number).astype(np.float32)
    return None


def _from_pairs(column: int, concepts: InputSet, rows: I64) -> tuple[I64, F32] | None:
    """Return rows and targets: pixels that differ between images that differ in the concept."""
    if concepts.pairs is None:
        return None
    usable = concepts.pairs[
        (concepts.pairs[:, 2] == column) & np.isin(concepts.pairs[:, :2], rows).all(1)
    ]
    if len(usable) < 16:
        return None
    a, b = usable[:, 0], usable[:, 1]
    change = np.abs(concepts.images[a].astype(np.int16) - concepts.images[b]).max(-1)
    target = (change > _CHANGED).astype(np.float32)
    return np.concatenate([a, b]), np.concatenate([target, target])
