"""Joint effect of a set of units, from what was measured.

Where the very set was run, its effect is exact. After an edit of words the set asked for often
differs by a unit or two from one that was run. Then the nearest run set is corrected by the
single effects of the units that differ (control variates with coefficient 1; the empty set, whose
effect is 0, is one of the candidates, so that a plain sum of single effects is the last resort).

What that may miss is the *gap*. For every set that was run, the difference between its exact
effect and the sum of its single effects is known; the largest such difference per unit of single
effect, times the single effects of the units that differ, bounds it. Tests add the gap to the
margin against the claim, and intervals widen by it on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.effects.joint_effect_bounds import Cell, JointEffect
from circuitz.stats.clustered import (
    clustered_mean,
    confidence_interval,
    p_value_mean_above_bound,
    p_value_mean_within_bounds,
)
from circuitz.z.effect import Effect, SufficiencyOrNecessity
from circuitz.z.measurements import EffectMeasurements
from circuitz.z.unit import OUTPUT

F64 = npt.NDArray[np.float64]
#: With no joint set run at all nothing is known about what summing misses.
UNKNOWN_GAP = 1.0
_SMALL = 0.05
#: Share of the whole effect by which a class's own inputs must stand out on the split judged.
SEPARATING_SHARE = 0.25
_CELL = 5  # images that a cell needs at least
_KEPT = 1024  # joint effects remembered
#: Share of the margin below which a unit is dead to what follows. Many honest units do little, and
#: many that do little may add up to much; only what does nothing at all explains nothing.
IDLE = 0.01


@dataclass(frozen=True, eq=False)
class JointEffects:
    """Joint effects on one split, from stored measurements.

    Parameters
    ----------
    measured
        Effects of the cut.
    settings
        Split, margin and level.
    inputs_hash, weights_hash
        Hashes reported with every effect.
    """

    measured: EffectMeasurements
    settings: CheckSettings
    inputs_hash: str = ""
    weights_hash: str = ""
    # Measurements are values, and an edit of words leaves most sets of units as they were.
    _cache: dict[tuple[object, ...], JointEffect] = field(default_factory=dict)

    @cached_property
    def source_rows_on_split(self) -> npt.NDArray[np.bool_]:
        """Source images of the split."""
        return np.asarray(self.measured.split == self.settings.split_index)

    @cached_property
    def source_scenes(self) -> npt.NDArray[np.int64]:
        """Scenes of those images."""
        return self.measured.scene[self.source_rows_on_split]

    @property
    def position_by_unit(self) -> dict[str, int]:
        """Index of each unit of the cut."""
        return self.measured.unit_index

    @cached_property
    def _position_by_group(self) -> dict[frozenset[str], int]:
        return {frozenset(group): i for i, group in enumerate(self.measured.groups)}

    @cached_property
    def _single_unit_effects(self) -> dict[SufficiencyOrNecessity, npt.NDArray[np.float32]]:
        measured = self.measured
        return {
            "sufficiency": measured.sufficiency[self.source_rows_on_split],
            "necessity": measured.necessity[self.source_rows_on_split],
        }

    @cached_property
    def _applicable_sources(self) -> dict[SufficiencyOrNecessity, npt.NDArray[np.bool_]]:
        """``(n, k)`` whether a source is of the right kind: of the class, or of another."""
        return {
            how: np.asarray(~np.isnan(v).all(1), bool)
            for how, v in self._single_unit_effects.items()
        }

    @cached_property
    def _group_effects(self) -> dict[SufficiencyOrNecessity, npt.NDArray[np.float32]]:
        measured = self.measured
        if not measured.groups:
            none = np.zeros(
                (0, int(self.source_rows_on_split.sum()), len(measured.targets)), np.float32
            )
            return {"sufficiency": none, "necessity": none}
        return {
            "sufficiency": measured.group_sufficiency[:, self.source_rows_on_split],
            "necessity": measured.group_necessity[:, self.source_rows_on_split],
        }

    @cached_property
    def mean_single_unit_effects(self) -> dict[SufficiencyOrNecessity, F64]:
        """``(u, k)`` mean effect of each unit; 0 where nothing was measured."""
        return {
            how: _mean_without_nan(values, 0) for how, values in self._single_unit_effects.items()
        }

    @cached_property
    def units_by_sufficiency_per_class(self) -> tuple[npt.NDArray[np.int64], ...]:
        """By class, indices of units from the largest mean sufficiency down."""
        single = self.mean_single_unit_effects["sufficiency"]
        return tuple(np.argsort(-single[:, k]) for k in range(single.shape[1]))

    @cached_property
    def p_idle_by_unit(self) -> F64:
        """``(u,)`` p-value of "does a hundredth of the margin or more for some class", by unit.

        The largest over classes, and over adding the unit and taking it away.
        """
        bound, worst = IDLE * self.settings.delta, np.zeros(len(self.measured.units))
        near = np.ones(len(worst), bool)
        for mean in self.mean_single_unit_effects.values():
            near &= (np.abs(mean) < bound).all(1)
        worst[~near] = 1.0  # its mean lies outside already
        rows = np.flatnonzero(near)
        for values in self._single_unit_effects.values():
            some = values[:, rows].reshape(len(values), -1)
            p = p_value_mean_within_bounds(clustered_mean(some, self.source_scenes), -bound, bound)
            worst[rows] = np.maximum(
                worst[rows], p.reshape(len(rows), len(self.measured.targets)).max(1, initial=0.0)
            )
        return worst

    @cached_property
    def _worst_additivity_ratio(self) -> dict[SufficiencyOrNecessity, F64]:
        """``(k,)`` largest additivity gap per unit of single effect, NaN when none was run."""
        found: dict[SufficiencyOrNecessity, F64] = {}
        for how in ("sufficiency", "necessity"):
            ratios = [np.full(len(self.measured.targets), np.nan)]
            means = _mean_without_nan(self._group_effects[how], 1)
            for i, group in enumerate(self.measured.groups):
                members = [self.position_by_unit[u] for u in group if u in self.position_by_unit]
                if len(members) > 1:
                    single = self.mean_single_unit_effects[how][members]
                    mass = np.maximum(np.abs(single).sum(0), _SMALL)
                    ratios.append(np.abs(means[i] - single.sum(0)) / mass)
            with np.errstate(invalid="ignore"):
                found[how] = np.fmax.reduce(np.stack(ratios))
        return found

    @property
    def _classes_shown_by_source(self) -> npt.NDArray[np.bool_]:
        """``(n, k)`` classes each source image shows: sufficiency for those does not apply."""
        return ~self._applicable_sources["sufficiency"]

    @cached_property
    def margin_separates_by_class(self) -> tuple[bool, ...]:
        """By class, whether its own inputs have a higher margin for it than others, on the split.

        By a quarter of the whole effect or more, at .05; where margins were not kept, nothing
        speaks against it.
        """
        return tuple(self._margin_separates_class(k) for k in range(len(self.measured.targets)))

    def _margin_separates_class(self, k: int) -> bool:
        if self.measured.margin is None:
            return True
        margin = self.measured.margin[self.source_rows_on_split, k].astype(np.float64)
        own = self._classes_shown_by_source[:, k]
        if not own.any() or own.all():
            return False
        values = np.zeros(len(margin))
        difference = 0.0
        for rows, sign in ((own, 1.0), (~own, -1.0)):
            mean = margin[rows].mean()
            difference += sign * mean
            values[rows] = sign * (margin[rows] - mean) * len(margin) / rows.sum()
        # The mean of estimate plus influence is the estimate, and its spread that of the estimate.
        mean = clustered_mean(values + difference, self.source_scenes)
        return (
            float(p_value_mean_above_bound(mean, SEPARATING_SHARE * float(self.measured.scale[k])))
            <= 1 - self.settings.level
        )

    def joint_effect(
        self,
        units: tuple[str, ...],
        k: int,
        intervention: SufficiencyOrNecessity = "sufficiency",
        excluded_classes: frozenset[int] = frozenset(),
    ) -> JointEffect:
        """Joint effect of units of the cut on class ``k``.

        Parameters
        ----------
        units
            Unit ids; those outside the cut's measured units are left out.
        k
            Index of the class in the measured targets.
        intervention
            Sufficiency or necessity.
        excluded_classes
            Classes whose inputs are left out as sources.
        """
        asked = (units, k, intervention, excluded_classes)
        found = self._cache.get(asked)
        if found is None:
            if len(self._cache) >= _KEPT:
                self._cache.clear()
            found = self._cache[asked] = self._compute_joint_effect(*asked)
        return found

    def _compute_joint_effect(
        self,
        units: tuple[str, ...],
        k: int,
        intervention: SufficiencyOrNecessity,
        excluded_classes: frozenset[int],
    ) -> JointEffect:
        position = self.position_by_unit
        at = sorted({position[unit] for unit in units if unit in position})
        chosen = tuple(self.measured.units[i] for i in at)
        values, method, gap = self._source_effects_method_and_gap(
            frozenset(chosen), k, intervention
        )
        if excluded_classes:
            values = np.where(
                self._classes_shown_by_source[:, sorted(excluded_classes)].any(1), np.nan, values
            )
        mean = clustered_mean(values, self.source_scenes)
        low, high = confidence_interval(mean, self.settings.level)
        p = float(p_value_mean_above_bound(mean, self.settings.delta + gap))
        target = self.measured.targets[k]
        given, taken = f"inputs of {target}", "inputs of other classes"
        if excluded_classes:
            names = [self.measured.targets[j] for j in sorted(excluded_classes)]
            taken += f" but {' and '.join(names)}"
        if intervention == "necessity":
            given, taken = taken, given
        effect = Effect(
            sources=chosen,
            target=f"{OUTPUT}:{target}",
            how=intervention,
            value=f"as on {given}",
            baseline=taken,
            estimate=float(mean.mean),
            low=float(low) - gap,
            high=float(high) + gap,
            level=self.settings.level,
            n=int(mean.n),
            clusters=int(mean.clusters),
            p=p,
            delta=self.settings.delta,
            method=method,
            gap=gap,
            split=self.settings.split,
            inputs_hash=self.inputs_hash,
            weights_hash=self.weights_hash,
            seed=self.measured.seed,
        )
        return JointEffect(effect, mean)

    def worst_source_cell(
        self,
        units: tuple[str, ...],
        k: int,
        excluded_classes: frozenset[int] = frozenset(),
        surroundings: Mapping[str, npt.NDArray[np.bool_]] | None = None,
    ) -> Cell | None:
        """Sufficiency on the cell of sources where it is largest; ``None`` where there is but one.

        Parameters
        ----------
        units, k, excluded_classes
            As in :meth:`joint_effect`.
        surroundings
            By name, ``(n,)`` which sources of the split show them: a cell is a class in one of
            them. Without any a cell is a class.
        """
        chosen = frozenset(u for u in units if u in self.position_by_unit)
        values, _, gap = self._source_effects_method_and_gap(chosen, k, "sufficiency")
        cells: list[Cell] = []
        everywhere = {"": np.ones(len(values), bool)}
        for j, name in enumerate(self.measured.targets):
            for where, shown in (surroundings or everywhere).items():
                rows = self._classes_shown_by_source[:, j] & shown & ~np.isnan(values)
                if j in {k, *excluded_classes} or rows.sum() < _CELL:
                    continue
                mean = clustered_mean(values[rows], self.source_scenes[rows])
                p = float(p_value_mean_above_bound(mean, self.settings.delta + gap))
                source = f"{name} with {where}" if where else name
                cells.append(Cell(source, float(mean.mean), int(mean.n), p))
        if len(cells) < 2:
            return None
        worst = max(cells, key=lambda cell: cell.estimate)
        return replace(worst, p=min(1.0, worst.p * len(cells)))

    def _source_effects_method_and_gap(
        self, unit_set: frozenset[str], k: int, intervention: SufficiencyOrNecessity
    ) -> tuple[F64, Literal["exact", "additive"], float]:
        single = self._single_unit_effects[intervention][..., k]
        nothing = np.where(self._applicable_sources[intervention][:, k], 0.0, np.nan)
        if not unit_set:
            return nothing, "exact", 0.0
        if unit_set in self._position_by_group:
            return (
                self._group_effects[intervention][self._position_by_group[unit_set], :, k].astype(
                    np.float64
                ),
                "exact",
                0.0,
            )
        if len(unit_set) == 1:
            (unit,) = unit_set
            return single[:, self.position_by_unit[unit]].astype(np.float64), "exact", 0.0
        position = self.position_by_unit
        # Every unit counts a little, so that of two equal candidates the nearer one wins.
        size = (np.abs(self.mean_single_unit_effects[intervention][:, k]) + 1e-6).tolist()

        def summed_effect_size(units: frozenset[str]) -> float:
            return sum(size[position[unit]] for unit in units)

        runs = [group for group in self._position_by_group if group <= position.keys()]
        base = min(
            [frozenset[str](), *runs], key=lambda group: summed_effect_size(group ^ unit_set)
        )
        values = nothing
        if base:
            values = self._group_effects[intervention][self._position_by_group[base], :, k].astype(
                np.float64
            )
        for units, sign in ((unit_set - base, 1.0), (base - unit_set, -1.0)):
            if units:
                columns = [position[unit] for unit in units]
                values = values + sign * single[:, columns].astype(np.float64).sum(1)
        ratio = float(self._worst_additivity_ratio[intervention][k])
        gap = UNKNOWN_GAP if np.isnan(ratio) else ratio * summed_effect_size(base ^ unit_set)
        return values, "additive", gap


def _mean_without_nan(values: npt.NDArray[np.float32], axis: int) -> F64:
    """Mean over an axis without NaN; 0 where there is nothing."""
    known = ~np.isnan(values)
    count = known.sum(axis)
    total = np.where(known, values, 0).sum(axis, dtype=np.float64)
    return total / np.maximum(count, 1)
