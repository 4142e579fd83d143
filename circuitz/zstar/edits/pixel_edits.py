"""Edits of training images that take a concept's news away: do(concept) in pixels.

Where alternatives take turns (snow, grass, sand), an image's region is filled from a donor of the
concept set, half of the donors showing the concept and half not. A concept that is there or not
(a collar, falling snow) is erased, and laid over from a donor: both versions are trained on. Every
image is edited alike, so that having been edited tells nothing; images without the concept get it
laid over first, so that what an imperfect search for it leaves behind is left in them too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from circuitz.errors import ConceptLabelsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.patching.source_rows import rows_of_split
from circuitz.z.inputs import InputSet
from circuitz.zstar.edits.additive_pattern import AdditivePattern
from circuitz.zstar.edits.colour_groups import split_by_colour
from circuitz.zstar.edits.inpainting import fill_unknown_pixels
from circuitz.zstar.edits.recolour import Recolouring
from circuitz.zstar.edits.regions import NONE, Finder, RegionFinder
from circuitz.zstar.label_columns import columns_of_same_kind

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Augment = Callable[[U8, I64, np.random.Generator], U8]
RegionMode = Literal["found", "random"]

_DONORS = 800
# Pixels next to an edge learned from labels alone that a donor does not lend.
_RIM = 2


@dataclass(frozen=True, eq=False)
class Editor:
    """Edits images of D in the regions of flagged concepts.

    Parameters
    ----------
    layers
        One for each concept, applied in turn: alternatives before what is there or not.
    """

    layers: tuple[_Exchange | _Overlay | _WholePicture, ...]

    @property
    def makes_several_versions(self) -> bool:
        """Whether batches come in several versions (see :meth:`make_batch_edit_for_rows`)."""
        return any(not isinstance(layer, _Exchange) for layer in self.layers)

    def make_batch_edit_for_rows(self, rows: I64) -> Augment:
        """Return the edit for training on these rows of D.

        It returns the batch once, or, where a concept is erased and laid over, three times: as it
        is, without the concept and with it.
        """

        def edit_batch_into_versions(images: U8, batch: I64, rng: np.random.Generator) -> U8:
            versions = [images]
            for layer in self.layers:
                if isinstance(layer, _Exchange):
                    versions = [
                        layer.exchange_region_with_donors(v, rows[batch], rng) for v in versions
                    ]
                elif len(versions) == 1:
                    erased = layer.without_concept(versions[0], rows[batch], rng)
                    versions = [versions[0], erased, layer.with_concept(erased, rng)]
                else:
                    without = [layer.without_concept(v, rows[batch], rng) for v in versions[1:]]
                    versions[1:] = [layer.with_concept_in_half(v, rng) for v in without]
            return np.concatenate(versions)

        return edit_batch_into_versions


@dataclass(frozen=True, eq=False)
class _Exchange:
    """What lies in the region is exchanged for what lies there in a donor."""

    regions: Bool
    donors: U8
    completed_donors: U8
    donor_regions: Bool
    showing: Bool
    region_mode: RegionMode

    def exchange_region_with_donors(self, images: U8, rows: I64, rng: np.random.Generator) -> U8:
        n = len(rows)
        show = np.where(
            rng.random(n) < 0.5,
            rng.choice(np.flatnonzero(self.showing), n),
            rng.choice(np.flatnonzero(~self.showing), n),
        )
        own = self.regions[rows]
        if self.region_mode == "random":
            own = random_boxes_like(self.regions, n, rng)
        lent = self.donor_regions[show]
        has, gives = _area_shares(own) > NONE, _area_shares(lent) > NONE
        # An image without a region takes the donor's; a donor without one lends nothing, and the
        # region is filled from the image's own rest.
        region = np.where(has[:, None, None], own, lent & gives[:, None, None])
        content = np.where(has[:, None, None, None], self.completed_donors[show], self.donors[show])
        blank = has & ~gives
        if blank.any():
            content[blank] = fill_unknown_pixels(images[blank], ~own[blank])
        return np.where(region[..., None], content, images)


@dataclass(frozen=True, eq=False)
class _Overlay:
    """A concept that is there or not is erased, and laid over from a donor."""

    finder: RegionFinder
    present: Bool
    regions: Bool
    donors: U8
    donor_regions: Bool
    region_mode: RegionMode

    def without_concept(self, images: U8, rows: I64, rng: np.random.Generator) -> U8:
        """Return images without the concept; those that never had it were given it first."""
        out = images.copy()
        lacking = ~self.present[rows]
        region = self.regions[rows]
        if lacking.any():
            out[lacking] = self.with_concept(images[lacking], rng)
            region[lacking] = grow_regions(self.finder.region_probability_maps(out[lacking]) > 0.5)
        if self.region_mode == "random":
            region = random_boxes_like(self.regions[self.present], len(rows), rng)
        return fill_unknown_pixels(out, ~region)

    def with_concept(self, images: U8, rng: np.random.Generator) -> U8:
        """Return images with the concept of random donors."""
        lent = rng.integers(len(self.donors), size=len(images))
        region = self.donor_regions[lent]
        if self.region_mode == "random":
            region = random_boxes_like(self.donor_regions, len(images), rng)
        return np.where(region[..., None], self.donors[lent], images)

    def with_concept_in_half(self, images: U8, rng: np.random.Generator) -> U8:
        """Return images of which half have the concept laid over."""
        chosen = rng.random(len(images)) < 0.5
        return np.where(chosen[:, None, None, None], self.with_concept(images, rng), images)


@dataclass(frozen=True, eq=False)
class _WholePicture:
    """A concept that tints the whole picture, or lies all over it, is taken off, and put on."""

    change: Recolouring | AdditivePattern
    present: Bool

    def without_concept(self, images: U8, rows: I64, rng: np.random.Generator) -> U8:
        """Return images without the concept; those that never had it were given it first."""
        out = images.copy()
        lacking = ~self.present[rows]
        if lacking.any():
            out[lacking] = self.with_concept(images[lacking], rng)
        return self.change.without_concept(out, rng)

    def with_concept(self, images: U8, rng: np.random.Generator) -> U8:
        """Return images with the concept."""
        return self.change.with_concept(images, rng)

    def with_concept_in_half(self, images: U8, rng: np.random.Generator) -> U8:
        """Return images of which half have the concept put on."""
        chosen = rng.random(len(images)) < 0.5
        return np.where(chosen[:, None, None, None], self.with_concept(images, rng), images)


def make_editor(
    data: InputSet,
    concept_set: InputSet,
    finders: tuple[Finder, ...],
    lexicon: Lexicon,
    *,
    region_mode: RegionMode = "found",
    seed: int = 0,
) -> Editor:
    """Prepare the edits of D for some concepts.

    Parameters
    ----------
    data, concept_set
        D, and the concept set that lends (its *select* split).
    finders
        One for each concept.
    lexicon
        Says which concepts are alternatives to one another.
    region_mode
        ``random`` puts the same content into boxes of the same area at random places: the control
        that shows what finding the region is worth. What tints the whole picture has no place: its
        control tints other channels.
    seed
        Of the donors.
    """
    layers = [
        _make_edit_layer(data, concept_set, finder, lexicon, region_mode, seed)
        for finder in finders
    ]
    return join_editors([Editor(tuple(layers))])


def join_editors(editors: list[Editor]) -> Editor:
    """Return one editor that does what all of them do.

    Exchanges come first: the versions an overlay makes must differ in its own concept alone, since
    responses to them are made to agree.
    """
    layers = [layer for editor in editors for layer in editor.layers]
    return Editor(tuple(sorted(layers, key=lambda layer: not isinstance(layer, _Exchange))))


def _make_edit_layer(
    data: InputSet,
    concept_set: InputSet,
    finder: Finder,
    lexicon: Lexicon,
    region_mode: RegionMode,
    seed: int,
) -> _Exchange | _Overlay | _WholePicture:
    assert concept_set.concepts is not None
    if not isinstance(finder, RegionFinder):
        present = finder.images_show_concept(data.images)
        return _WholePicture(finder if region_mode == "found" else finder.as_control(), present)
    draw = np.random.default_rng((seed, 2))
    rows = rows_of_split(concept_set, "select")
    columns = columns_of_same_kind(finder.concept, concept_set, lexicon)
    rows = rows[np.isfinite(concept_set.concepts[rows][:, columns[0]])]
    if len(rows) > _DONORS:
        # Not the first ones: concept sets often lie sorted by what they show.
        rows = np.sort(draw.choice(rows, _DONORS, replace=False))
    donors = np.asarray(concept_set.images[rows])
    lent = finder.region_probability_maps(donors) > 0.5
    labels = np.nan_to_num(concept_set.concepts[rows][:, columns], nan=0.5)
    if len(np.unique(labels[:, 0])) < 2:
        raise ConceptLabelsError(
            f"No image of the concept set's select split lends the absence and presence of "
            f"{finder.concept!r}.",
            "Add images that show it, and images that do not, with their labels.",
        )
    if finder.alone:
        present = finder.images_show_concept(data.images)
        shows = (labels[:, 0] > 0.5) & (lent.mean((1, 2)) > NONE)
        if not present.any() or not shows.any():
            raise ConceptLabelsError(
                f"{finder.concept!r} was flagged but is found in no image of D, or in none that "
                "could lend it.",
                "Look at the concept set's labels: they may not mean what D shows.",
            )
        return _Overlay(
            finder=finder,
            present=present,
            regions=grow_regions(finder.region_probability_maps(data.images) > 0.5)
            & present[:, None, None],
            donors=donors[shows],
            donor_regions=lent[shows],
            region_mode=region_mode,
        )
    _, alike = np.unique(labels, axis=0, return_inverse=True)
    alike = alike.astype(np.int64)
    if finder.source == "labels":
        # What lies close to the edge may show a rim of the thing itself, which is not to be lent.
        lent = ~grow_regions(~lent, _RIM)
        alike = split_by_colour(donors, lent, alike, seed)
    return _Exchange(
        regions=grow_regions(finder.region_probability_maps(data.images) > 0.5),
        donors=donors,
        completed_donors=fill_donors_outside_regions(donors, lent, alike, draw),
        donor_regions=lent,
        showing=labels[:, 0] > 0.5,
        region_mode=region_mode,
    )


def random_boxes_like(regions: Bool, n: int, rng: np.random.Generator) -> Bool:
    """Return ``n`` boxes at random places, each of the area of a region drawn at random."""
    height, width = regions.shape[1:]
    out = np.zeros((n, height, width), bool)
    for i, area in enumerate(_area_shares(regions[rng.integers(len(regions), size=n)])):
        h = int(np.clip(round(height * np.sqrt(area) * rng.uniform(0.8, 1.25)), 1, height))
        w = int(np.clip(round(area * height * width / h), 1, width))
        top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
        out[i, top : top + h, left : left + w] = True
    return out


def _area_shares(regions: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    return regions.mean((1, 2))


def fill_donors_outside_regions(
    images: U8, regions: Bool, alike: I64, rng: np.random.Generator
) -> U8:
    """Return donors whose region covers the whole picture.

    Parameters
    ----------
    images
        ``(m, h, w, c)`` uint8 donors.
    regions
        ``(m, h, w)`` bool, where each shows the concept or an alternative to it.
    alike
        ``(m,)`` int64: donors with the same number show the same and may complete one another.
    rng
        Chooses who completes whom.

    Returns
    -------
    ``(m, h, w, c)`` uint8: holes filled from the mirrored donor, then from donors alike, and
    what is left from the nearest filled colours.
    """
    filled = np.array(images)
    hole = ~regions
    _fill_holes_in_place(filled, hole, filled[:, :, ::-1].copy(), regions[:, :, ::-1])
    for _ in range(3):
        partner = _random_partners_showing_same(alike, rng)
        _fill_holes_in_place(filled, hole, images[partner], regions[partner])
    return fill_unknown_pixels(filled, ~hole)


def grow_regions(regions: Bool, pixels: int = 1) -> Bool:
    """Return regions grown by some pixels in the four directions.

    A rim of the old content left around an object would tell what was there before.
    """
    out = regions.copy()
    for _ in range(pixels):
        now = out.copy()
        out[:, 1:] |= now[:, :-1]
        out[:, :-1] |= now[:, 1:]
        out[:, :, 1:] |= now[:, :, :-1]
        out[:, :, :-1] |= now[:, :, 1:]
    return out


def _fill_holes_in_place(into: U8, hole: Bool, other: U8, available: npt.NDArray[np.bool_]) -> None:
    """Fill holes from ``other`` where it has something, in place."""
    found = hole & available
    into[found] = other[found]
    hole &= ~available


def _random_partners_showing_same(alike: I64, rng: np.random.Generator) -> I64:
    """Return for every donor another one that shows the same."""
    partner = np.arange(len(alike))
    for number in np.unique(alike):
        rows = np.flatnonzero(alike == number)
        partner[rows] = rng.permutation(rows)
    return partner
