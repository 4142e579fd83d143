"""What a concept does to a class through units whose words do not name it.

Over pairs of images, one with the concept (:class:`circuitz.z.measurements.ConceptEffects`), the
*rest*, all units of the cut but those that validly mean the concept, go from the values they have
without it to those with it, less what else differs between the two
(:mod:`circuitz.plausibility.effects.pair_covariates`). Margins sum to zero, so what the concept adds to one class
it takes from every other in equal shares. On *select* it is found which classes it leaves where they
are, going by the middle one; what happens to their margins is others' doing and is taken off, pair
by pair; an effect counts where it holds both ways.

Whose effect it is, single units say, on *select*: how much their responses change with the concept,
with all other labels held (ridge regression), times what a change of them does to the class. Those
carry it that do at least a quarter of what the strongest does, in the same direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from circuitz.plausibility.case import Case
from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.effects.pair_covariates import cached_pair_covariates
from circuitz.stats.clustered import (
    ClusteredMean,
    clustered_mean,
    clusters_needed_to_decide,
    confidence_interval,
    p_value_mean_above_bound,
    p_value_mean_below_bound,
    p_value_mean_within_bounds,
    power,
)
from circuitz.z.co_changing_concepts import co_changing_concepts
from circuitz.z.inputs import SPLITS
from circuitz.z.measurements import ConceptEffects

F64 = npt.NDArray[np.float64]
Criterion = Literal["mean", "net", "lead"]
_MEMBER = 0.25
# Penalty of the regression of responses on labels, in images.
_RIDGE = 1.0


@dataclass(frozen=True, eq=False)
class UnnamedEffect:
    """What a concept does to one class through units whose words do not name it.

    Parameters
    ----------
    concept, k
        Concept, by its canonical name, and index of the class.
    named
        Units of the cut that validly mean it.
    members
        Units that carry it, strongest first.
    sign
        1 where the concept raises the class, -1 where it lowers it (on *select*).
    mean, net
        The effect times its sign, on the split judged: as it is, and without others' doing.
    lead
        By how much it exceeds, pair by pair, what the named units do.
    gap
        What summing may miss, where exactly these units were not run.
    ahead_on_select
        Whether on *select* it does more than the named units do.
    """

    concept: str
    k: int
    named: tuple[str, ...]
    members: tuple[str, ...]
    sign: int
    mean: ClusteredMean
    net: ClusteredMean
    lead: ClusteredMean
    gap: float
    ahead_on_select: bool

    def means_and_bounds_by_criterion(
        self, bound: float
    ) -> dict[Criterion, tuple[ClusteredMean, float]]:
        """Return what must exceed what: the effect and the net effect a bound, the lead none."""
        more = bound + self.gap
        return {"mean": (self.mean, more), "net": (self.net, more), "lead": (self.lead, self.gap)}

    def p_beyond(self, bound: float) -> float:
        """P-value of "at most ``bound``, one way or the other"."""
        return max(
            float(p_value_mean_above_bound(m, bound + self.gap)) for m in (self.mean, self.net)
        )

    def p_within_margin(self, bound: float) -> float:
        """P-value of "``bound`` or more away from 0"."""
        room = bound - self.gap
        return float(p_value_mean_within_bounds(self.mean, -room, room)) if room > 0 else 1.0

    def p_exceeds_named(self) -> float:
        """P-value of "the named units do as much"."""
        return float(p_value_mean_above_bound(self.lead, self.gap))

    def interval(self, level: float) -> tuple[float, float]:
        """Interval of the effect."""
        low, high = confidence_interval(self.mean, level)
        return float(low) - self.gap, float(high) + self.gap

    def power_at_twice_margin(self, delta: float, alpha: float) -> float:
        """Probability of finding an effect of twice the margin."""
        return float(power(self.mean, 2 * delta, delta + self.gap, alpha))

    def scenes_needed(self, test: Criterion, delta: float, alpha: float) -> float:
        """Scenes that would decide a test; infinite when no number would."""
        return float(
            clusters_needed_to_decide(*self.means_and_bounds_by_criterion(delta)[test], alpha=alpha)
        )


def cached_unnamed_effects(case: Case) -> tuple[UnnamedEffect, ...]:
    """Return the effects beyond the margin on *select*, and there significantly beyond half of it.

    Two kinds divide them among them.
    """
    if "carried" not in case.rule_cache:
        case.rule_cache["carried"] = _find_unnamed_effects(case)
    return case.rule_cache["carried"]


def _find_unnamed_effects(case: Case) -> tuple[UnnamedEffect, ...]:
    effects = case.effects.concepts
    if effects is None:
        return ()
    all_paths = [p for c in range(len(effects.names)) if (p := _unnamed_paths(case, effects, c))]
    found: list[UnnamedEffect] = []
    for paths in all_paths:
        found += _unnamed_effects_on_classes(case, effects, paths, all_paths)
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _UnnamedPaths:
    """What one concept does through units whose words do not name it, pair by pair.

    Parameters
    ----------
    c, column, rows
        Its place among the measured concepts, its column, and its pairs.
    named, excluded_units
        Units that validly mean it; these, and those that mean what comes and goes with it.
    co_changing
        Columns that come and go with it.
    values, whole, gap
        ``(t, k)`` effects, the same of the whole cut, and ``(k,)`` what the first may miss.
    means
        ``(k,)`` of the effects on *select*.
    """

    c: int
    column: int
    rows: np.ndarray
    named: tuple[str, ...]
    excluded_units: tuple[str, ...]
    co_changing: tuple[int, ...]
    values: F64
    whole: F64
    gap: F64
    means: F64


def _unnamed_paths(case: Case, effects: ConceptEffects, c: int) -> _UnnamedPaths | None:
    name, known = effects.names[c], case.concept_set.concept_names
    rows = np.flatnonzero(effects.of == c)
    chosen = effects.split[rows] == SPLITS.index("select")
    judged = effects.split[rows] == case.settings.split_index
    if name not in known or not (chosen.any() and judged.any()):
        return None
    column = known.index(name)
    if column in case.classes_by_confounded_column:
        return None
    named = _units_meaning_column(case, column)
    moved = co_changing_concepts(case.concept_set, effects.present[rows], effects.absent[rows])
    others = (u for j in moved for u in case.units_validly_meaning(case.concept_columns.names[j]))
    shown = case.units_on_cut([*named, *others])
    rest, gap = _effects_without_named_units(case, effects, c, rows, shown)
    split = case.settings.split_index
    off = cached_pair_covariates(effects, case.concept_set, c, rows, (column, *moved), split)
    values, whole = (
        off.subtract_explained(v) for v in (rest, effects.whole[rows].astype(np.float64))
    )
    means = values[chosen].mean(0)
    return _UnnamedPaths(c, column, rows, named, shown, moved, values, whole, gap, means)


def _unnamed_effects_on_classes(
    case: Case, effects: ConceptEffects, paths: _UnnamedPaths, all_paths: list[_UnnamedPaths]
) -> Iterator[UnnamedEffect]:
    settings, scale = case.settings, case.effects.scale.astype(np.float64)
    net = _effects_net_of_unmoved_classes(paths.values, scale, paths.means, settings.delta)
    for k in range(len(scale)):
        if not case.network_separates_class(k) or abs(paths.means[k]) <= settings.delta / 2:
            continue
        alike = _unconfounded_pairs(case, effects, paths, all_paths, k)
        rows, value, other = paths.rows[alike], paths.values[alike, k], net[alike, k]
        scene, split = effects.scene[rows], effects.split[rows]
        chosen, judged = split == SPLITS.index("select"), split == settings.split_index
        sign = _sign_beyond_margin(value[chosen], other[chosen], scene[chosen], settings)
        members = _carrying_units(case, effects, paths, k, sign) if sign and judged.any() else ()
        if not members:
            continue
        lead = sign * (2 * value - paths.whole[alike, k])
        first = clustered_mean(lead[chosen], scene[chosen])
        yield UnnamedEffect(
            concept=case.concept_columns.names[paths.column],
            k=k,
            named=paths.named,
            members=members,
            sign=sign,
            mean=clustered_mean(sign * value[judged], scene[judged]),
            net=clustered_mean(sign * other[judged], scene[judged]),
            lead=clustered_mean(lead[judged], scene[judged]),
            gap=float(paths.gap[k]),
            ahead_on_select=float(p_value_mean_above_bound(first, 0.0)) <= settings.q,
        )


def _unconfounded_pairs(
    case: Case,
    effects: ConceptEffects,
    paths: _UnnamedPaths,
    all_paths: list[_UnnamedPaths],
    k: int,
) -> np.ndarray:
    """Return the pairs that agree in whatever goes along with the concept and does more.

    Where snow makes the class, grass seems to hold it back: it is there when snow is not.
    """
    labels = case.concept_set.concepts
    assert labels is not None
    stronger = [
        other.column
        for other in all_paths
        if other.column in paths.co_changing and abs(other.means[k]) > abs(paths.means[k])
    ]
    here, there = effects.present[paths.rows], effects.absent[paths.rows]
    return (labels[here][:, stronger] == labels[there][:, stronger]).all(1)


def _sign_beyond_margin(value: F64, net: F64, scene: np.ndarray, settings: CheckSettings) -> int:
    """1 or -1 for an effect on *select* beyond the margin that way, as it is and net; else 0."""
    if not len(value):
        return 0
    means = [clustered_mean(some, scene) for some in (value, net)]
    for sign, p_of in ((1, p_value_mean_above_bound), (-1, p_value_mean_below_bound)):
        p = max(float(p_of(mean, sign * settings.delta / 2)) for mean in means)
        if min(sign * float(mean.mean) for mean in means) > settings.delta and p <= settings.q:
            return sign
    return 0


def _effects_net_of_unmoved_classes(values: F64, scale: F64, means: F64, delta: float) -> F64:
    """Return ``(t, k)`` values less what happens to the classes that the concept leaves alone.

    A margin is a logit less the mean of the others. Of all ways to explain margins by logits, the
    one that moves them least takes the middle class as unmoved; so are all near it.
    """
    logits, count = values * scale, len(scale)
    if count < 3:
        return values
    moved = means * scale
    still = np.abs(moved - np.median(moved)) <= delta / 2 * np.abs(scale)
    if not still.any():  # an even number of classes, the middle between two of them
        still[np.argsort(np.abs(moved - np.median(moved)))[:2]] = True
    return (logits - logits[:, still].mean(1, keepdims=True)) * (count - 1) / count / scale


def _units_meaning_column(case: Case, column: int) -> tuple[str, ...]:
    """Units of the cut that validly mean the concept of a column, or its kin."""
    kin = (column, *case.concept_columns.kin[column])
    return case.units_on_cut(
        u for i in kin for u in case.units_validly_meaning(case.concept_columns.names[i])
    )


def _effects_without_named_units(
    case: Case, effects: ConceptEffects, c: int, rows: np.ndarray, named: tuple[str, ...]
) -> tuple[F64, F64]:
    """Return ``(t, k)`` values of all units but the named ones, and ``(k,)`` what they may miss."""
    whole, none = effects.whole[rows].astype(np.float64), np.zeros(effects.whole.shape[1])
    if not named:
        return whole, none
    if set(named) == set(effects.left_out[c]):
        return effects.rest[rows].astype(np.float64), none
    # Other units than were left out when this was measured: what each does by itself, going by its
    # response in each pair, stands in for the set that was not run.
    position = case.joint_effects.position_by_unit
    bases = {(): whole, effects.left_out[c]: effects.rest[rows].astype(np.float64)}
    base = min(bases, key=lambda units: len(set(units) ^ set(named)))
    out = [position[u] for u in set(named) - set(base) if u in position]
    back = [position[u] for u in set(base) - set(named) if u in position]
    slope, responses = (
        _class_effect_per_response(case),
        case.measured.layers[_cut_layer_name(case)].responses,
    )
    here, there = effects.present[rows][:, None], effects.absent[rows][:, None]

    def summed_single_effects(units: list[int]) -> F64:
        return (responses[here, units] - responses[there, units]) @ slope[units]

    means = responses[here[:, 0]].mean(0) - responses[there[:, 0]].mean(0)
    single = means[:, None] * slope
    missed = np.abs(whole.mean(0) - single.sum(0)) / np.maximum(np.abs(single).sum(0), 0.05)
    return bases[base] + summed_single_effects(back) - summed_single_effects(out), missed * np.abs(
        single[[*out, *back]]
    ).sum(0)


def _carrying_units(
    case: Case, effects: ConceptEffects, paths: _UnnamedPaths, k: int, sign: int
) -> tuple[str, ...]:
    along = _label_differences(case, effects, paths.rows).mean(0)
    along[[j for j in range(len(along)) if j not in (paths.column, *paths.co_changing)]] = 0.0
    # A unit whose responses are no numbers carries nothing that can be told.
    size = np.nan_to_num(
        sign * (along @ _regress_responses_on_labels(case)) * _class_effect_per_response(case)[:, k]
    )
    size[[case.joint_effects.position_by_unit[unit] for unit in paths.excluded_units]] = 0.0
    most = float(size.max(initial=0.0))
    if most <= 0:
        return ()
    strong = np.flatnonzero(size >= _MEMBER * most)
    order = strong[np.argsort(-size[strong], kind="stable")]
    return tuple(case.effects.units[i] for i in order)


def _label_differences(case: Case, effects: ConceptEffects, rows: np.ndarray) -> F64:
    """``(t, c)`` label of the one image less that of the other; 0 where either is unknown."""
    labels = case.concept_set.concepts
    assert labels is not None
    return np.nan_to_num(
        (labels[effects.present[rows]] - labels[effects.absent[rows]]).astype(float)
    )


def _cut_layer_name(case: Case) -> str:
    """Layer of the cut."""
    return case.effects.units[0].rpartition(":")[0]


def _class_effect_per_response(case: Case) -> F64:
    """``(u, k)`` what a change of a unit's response by 1 does to each class."""
    span = case.effects.span.astype(np.float64)
    return case.effects.drive / np.where(span > 0, span, np.inf)[:, None]


def _regress_responses_on_labels(case: Case) -> F64:
    """``(c, u)`` change of each unit's response with each concept, all other labels held."""
    table = case.select_match_table(_cut_layer_name(case))
    if "answers" not in table.cache:
        there = np.isfinite(table.labels)
        mean = np.where(there, table.labels, 0.0).sum(0) / np.maximum(there.sum(0), 1)
        known = np.where(there, table.labels - mean, 0.0).astype(np.float64)
        responses = table.responses_on_split - table.responses_on_split.mean(0)
        inner = known @ known.T
        inner[np.diag_indices_from(inner)] += _RIDGE
        table.cache["answers"] = known.T @ np.linalg.solve(inner, responses.astype(np.float64))
    return table.cache["answers"]
