"""The units of a z by row: what tiles show, and what drives a class. No torch, no widget.

A row is a unit's place in the order of the screen. Names and sizes of layers give every unit its
row and id, so those need not be sent. What a tile shows is: of all units where they are few, else
of those round the one looked at first; the rest is asked for as it comes into sight. Columns are
little-endian bytes, a row each; what is not known is -1 or NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import MeasurementError, UnitError
from circuitz.responses.token_grid import images_or_token_pictures
from circuitz.stats.clustered import clustered_mean, confidence_interval
from circuitz.widgets.studio import sprite_sheets
from circuitz.widgets.studio.studio_payload import (
    PER_UNIT,
    SPLIT,
    fitting_layer_measurements,
    layers_and_bases_in_screen_order,
)
from circuitz.z.effect import SufficiencyOrNecessity
from circuitz.z.inputs import SPLITS

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

DELTA = 0.10
INTERVENTIONS: tuple[SufficiencyOrNecessity, SufficiencyOrNecessity] = ("sufficiency", "necessity")
#: Columns of all units are sent at once where they take no more bytes than this.
MOST_AT_ONCE = 2**21
#: Otherwise so many rows round the first unit, and pictures for those next to it.
FIRST_ROWS, FIRST_PICTURED = 320, 64
#: Rows and pictures a message may ask for.
MOST_ROWS, MOST_PICTURES = 2048, 512
#: Units of a class that its own list shows.
MOST_DRIVERS = 12
_FIXED_BYTES = PER_UNIT * (4 + 4)


class UnitTable:
    """Rows of units, of one set of measurements.

    Parameters
    ----------
    z
        Annotated model; its words play no part.
    split
        Sources whose effects are shown.
    """

    def __init__(self, z: AnnotatedModel, split: str = SPLIT) -> None:
        self._z = z
        self._split = split
        self._first: dict[str, tuple[int, int]] = {}
        self.count = 0
        for name, size, _ in layers_and_bases_in_screen_order(z):
            self._first[name] = (self.count, size)
            self.count += size
        self._driving: dict[tuple[str, str], tuple[I64, I64]] = {}

    # -- rows and ids ---------------------------------------------------------------------

    def row_of(self, unit: str) -> int:
        """Return the row of a unit; -1 when it is not listed."""
        name, _, index = unit.rpartition(":")
        first, size = self._first.get(name, (0, 0))
        good = len(index) < 10 and index.isascii() and index.isdecimal()
        found = int(index) if good else size
        return first + found if found < size and str(found) == index else -1

    def unit_at(self, row: int) -> str:
        """Return the id of a row.

        Raises
        ------
        UnitError
            If there is no such row.
        """
        for name, (first, size) in self._first.items():
            if first <= row < first + size:
                return f"{name}:{row - first}"
        raise UnitError(f"There is no row {row}; there are {self.count:,}.", "Reload the screen.")

    # -- what tiles show ------------------------------------------------------------------

    def first_screen_traits(
        self, row: int
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Return the traits of the first screen: units, effects and pictures.

        Parameters
        ----------
        row
            The unit looked at first.
        """
        found = self._measured_effects
        targets = list(found.targets) if found is not None else []
        each = _FIXED_BYTES + len(INTERVENTIONS) * 3 * 4 * len(targets)
        whole = self.count * each <= MOST_AT_ONCE
        # A row may be heavy by itself: of a thousand classes, few are sent before they are asked.
        most = self.count if whole else max(16, min(FIRST_ROWS, MOST_AT_ONCE // each))
        low = max(0, min(row - most // 2, self.count - most))
        rows = np.arange(low, min(low + most, self.count))
        columns = self.columns_as_bytes(rows)
        pictured = rows if whole else rows[np.abs(rows - row) <= FIRST_PICTURED // 2]
        atlas = self._thumbnail_atlas(
            self._exemplar_images_by_rank(pictured, PER_UNIT if whole else 4)
        )
        units = {
            "count": self.count,
            "rows": None if whole else rows.astype("<i4").tobytes(),
            "exemplars": columns["exemplars"],
            "boxes": columns["boxes"],
        }
        effects = {
            "targets": targets,
            "delta": DELTA,
            "split": self._split,
            **{how: columns.get(how) for how in INTERVENTIONS},
        }
        return units, effects, atlas.payload()

    def columns_as_bytes(self, rows: I64) -> dict[str, bytes]:
        """Return what is shown of some rows, in their order.

        Returns
        -------
        ``exemplars`` int32 ``(rows, 9)``, indices into the concept set; ``boxes`` uint8
        ``(rows, 9, 4)``: top, left, bottom, right as shares of 255; once effects are measured
        ``sufficiency`` and ``necessity`` float32 ``(rows, classes, 3)``: estimate, low, high.
        """
        exemplars = np.full((len(rows), PER_UNIT), -1, np.int32)
        boxes = np.tile(np.array([0, 0, 255, 255], np.uint8), (len(rows), PER_UNIT, 1))
        images = images_or_token_pictures(self._z.concept_set)
        pictures, height, width = images.shape[:3] if images is not None else (0, 0, 0)
        for name, (first, size) in self._first.items():
            mine = (rows >= first) & (rows < first + size)
            layer = fitting_layer_measurements(self._z, name) if pictures and mine.any() else None
            if layer is None:
                continue
            units = rows[mine] - first
            best = layer.exemplars[units, :PER_UNIT]
            exemplars[mine, : best.shape[1]] = np.where(best < pictures, best, -1)
            boxes[mine] = sprite_sheets.exemplar_crop_boxes(layer, units, height, width)
        found = {"exemplars": exemplars.astype("<i4").tobytes(), "boxes": boxes.tobytes()}
        if self._measured_effects is not None:
            for how in INTERVENTIONS:
                found[how] = self._mean_effects_with_intervals(how, rows).astype("<f4").tobytes()
        return found

    def columns_of_requested_rows(self, rows: Sequence[Any]) -> dict[str, bytes]:
        """Return the columns of rows that a screen asks for.

        Raises
        ------
        UnitError
            If they are too many, or not rows.
        """
        return self.columns_as_bytes(_validated_indices(rows, self.count, MOST_ROWS, "rows"))

    # -- pictures -------------------------------------------------------------------------

    def thumbnails_of_requested_images(self, images: Sequence[Any]) -> sprite_sheets.ThumbnailAtlas:
        """Return thumbnails of images that a screen asks for.

        Raises
        ------
        UnitError
            If they are too many, or not among the concept set.
        """
        known = self._z.concept_set
        limit = len(known) if known is not None else 0
        return self._thumbnail_atlas(_validated_indices(images, limit, MOST_PICTURES, "images"))

    def _thumbnail_atlas(self, images: I64) -> sprite_sheets.ThumbnailAtlas:
        return sprite_sheets.pack_thumbnails_into_atlas(
            images_or_token_pictures(self._z.concept_set), images
        )

    def _exemplar_images_by_rank(self, rows: I64, ranks: int) -> I64:
        """Return images of rows, once each: the best of every unit, then the second best, ..."""
        flat = np.frombuffer(self.columns_as_bytes(rows)["exemplars"], "<i4").reshape(-1, PER_UNIT)
        ranked = flat[:, :ranks].T.ravel()
        ranked = ranked[ranked >= 0]
        _, first = np.unique(ranked, return_index=True)
        return ranked[np.sort(first)][: sprite_sheets.MOST_TILES].astype(np.int64)

    # -- effects --------------------------------------------------------------------------

    @property
    def _measured_effects(self) -> Any:
        known = self._z.measurements
        return known.effects if known is not None else None

    @cached_property
    def _effects_in_split_mask(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self._measured_effects.split == SPLITS.index(self._split))

    @cached_property
    def _screen_rows_of_effect_units(self) -> I64:
        """Row of each unit that effects were measured of; -1 where it is not listed."""
        return np.array([self.row_of(unit) for unit in self._measured_effects.units], np.int64)

    def _mean_effects_with_intervals(self, intervention: SufficiencyOrNecessity, rows: I64) -> F32:
        """Return ``(rows, classes, 3)`` mean effects of single units with 95 % intervals."""
        found = self._measured_effects
        table = np.full((len(rows), len(found.targets), 3), np.nan, np.float32)
        known = [found.unit_index.get(self.unit_at(int(row)), -1) for row in rows]
        columns = np.array(known, np.int64)
        inside = columns >= 0
        if inside.any():
            chosen = np.ix_(np.flatnonzero(self._effects_in_split_mask), columns[inside])
            table[inside] = _clustered_mean_and_interval(
                getattr(found, intervention)[chosen], found.scene[self._effects_in_split_mask]
            )
        return table

    def drivers(self, target: str, intervention: str) -> tuple[I64, I64]:
        """Return what drives a class.

        Returns
        -------
        Rows whose interval lies above zero, strongest first; and the rows of the
        :data:`MOST_DRIVERS` largest effects of either sign.

        Raises
        ------
        MeasurementError
            If there are no effects of that kind on that class.
        """
        found = self._measured_effects
        if found is None or target not in found.targets or intervention not in INTERVENTIONS:
            raise MeasurementError(
                f"No {intervention} of units for {target!r} was measured.",
                "Choose one of z's classes.",
            )
        if (target, intervention) not in self._driving:
            values = getattr(found, intervention)[..., found.targets.index(target)][
                self._effects_in_split_mask
            ]
            three = _clustered_mean_and_interval(
                values[..., None], found.scene[self._effects_in_split_mask]
            )[:, 0]
            rows = self._screen_rows_of_effect_units
            known = (rows >= 0) & ~np.isnan(three[:, 0])
            rows, three = rows[known], three[known]
            above = np.flatnonzero(three[:, 1] > 0)
            above = above[np.lexsort((rows[above], -three[above, 0]))]
            largest = np.lexsort((rows, -np.abs(three[:, 0])))[:MOST_DRIVERS]
            self._driving[target, intervention] = rows[above], rows[largest]
        return self._driving[target, intervention]


def _clustered_mean_and_interval(values: F32, scene: I64) -> F32:
    """Return ``(units, classes, 3)`` estimate, low, high from ``(sources, units, classes)``."""
    shape = (*values.shape[1:], 3)
    if not len(values):
        return np.full(shape, np.nan, np.float32)
    mean = clustered_mean(values.reshape(len(values), -1), scene)
    low, high = confidence_interval(mean)
    three = np.stack([mean.mean, low, high], axis=-1).reshape(shape)
    # Intervals of one scene are infinite: an estimate nobody can vouch for is not shown.
    three[~np.isfinite(three).all(-1)] = np.nan
    return three.astype(np.float32)


def _validated_indices(values: Sequence[Any], limit: int, most: int, what: str) -> I64:
    good = isinstance(values, list) and len(values) <= most
    good = good and all(type(v) is int and 0 <= v < limit for v in values)
    if not good:
        raise UnitError(
            f"A screen asks for at most {most:,} {what}, each from 0 to {limit - 1:,}.",
            "Reload the screen.",
        )
    return np.array(values, np.int64)
