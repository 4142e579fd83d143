"""What a concept does to a class through units whose words do not name it.

Over pairs of images, one with the concept (:class:`circuitz.z.measurements.ConceptEffects`), the
*rest*, all units of the cut but those that validly mean the concept, go from the values they have
without it to those with it. Margins sum to zero, so what the concept adds to one class it takes
from every other in equal shares: on *select* it is found which classes it raises beyond the margin,
and for the others that share is given back, pair by pair; an effect counts where it holds both
ways.

Whose effect it is, single units say, on *select*: those that carry at least a quarter of what the
strongest of them carries, in the same direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.effects.statistics import (
    ClusteredMean,
    clustered_mean,
    clusters_needed,
    interval,
    p_equivalent,
    p_greater,
    p_less,
    power,
)
from circuitz.plausibility.case import Case
from circuitz.z.inputs import SPLITS
from circuitz.z.measurements import ConceptEffects

F64 = npt.NDArray[np.float64]
_MEMBER = 0.25


@dataclass(frozen=True, eq=False)
class Carried:
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
        The effect times its sign, on the split judged: as it is, and with the share given back.
    lead
        By how much it exceeds, pair by pair, what the named units do.
    gap
        What summing may miss, where exactly these units were not run.
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

    def p_beyond(self, bound: float) -> float:
        """P-value of "at most ``bound``, one way or the other"."""
        return max(float(p_greater(m, bound + self.gap)) for m in (self.mean, self.net))

    def p_none(self, bound: float) -> float:
        """P-value of "``bound`` or more away from 0"."""
        room = bound - self.gap
        return float(p_equivalent(self.mean, -room, room)) if room > 0 else 1.0

    def p_leads(self) -> float:
        """P-value of "the named units do as much"."""
        return float(p_greater(self.lead, self.gap))

    def interval(self, level: float) -> tuple[float, float]:
        """Interval of the effect."""
        low, high = interval(self.mean, level)
        return float(low) - self.gap, float(high) + self.gap

    def power(self, delta: float, alpha: float) -> float:
        """Probability of finding an effect of twice the margin."""
        return float(power(self.mean, 2 * delta, delta + self.gap, alpha))

    def needed(self, delta: float, alpha: float) -> float:
        """Scenes that would tell it from the margin; infinite when no number would."""
        return float(clusters_needed(self.mean, delta + self.gap, alpha=alpha))


def carried(case: Case) -> tuple[Carried, ...]:
    """Return the effects beyond the margin on *select*, and there significantly beyond half of it."""
    effects = case.effects.concepts
    if effects is None:
        return ()
    found: list[Carried] = []
    for c, column in enumerate(effects.names):
        found += _of_concept(case, effects, c, column)
    return tuple(found)


def _of_concept(case: Case, effects: ConceptEffects, c: int, column: str) -> Iterator[Carried]:
    if column not in case.concept_set.concept_names:
        return
    at = case.concept_set.concept_names.index(column)
    if at in case.ties:
        return
    concept, delta = case.columns.names[at], case.settings.delta
    rows = effects.of == c
    named = _named(case, at)
    values, gap = _rest(case, effects, c, rows, named)
    chosen = effects.split[rows] == SPLITS.index("select")
    judged = effects.split[rows] == case.settings.split_index
    if not (chosen.any() and judged.any()):
        return
    first = clustered_mean(values[chosen], effects.scene[rows][chosen])
    means = np.asarray(first.mean)
    sure = np.minimum(p_greater(first, delta / 2), p_less(first, -delta / 2)) <= case.settings.q
    scale = case.effects.scale.astype(np.float64)
    raised = [k for k in range(len(scale)) if means[k] > delta and case.tells_apart(k)]
    scene, whole = effects.scene[rows][judged], effects.whole[rows][judged].astype(np.float64)
    for k in range(len(scale)):
        if not (case.tells_apart(k) and abs(means[k]) > delta and sure[k]):
            continue
        sign = 1 if means[k] > 0 else -1
        taken = sum(values[judged][:, j] * scale[j] for j in raised if j != k)
        net = values[judged][:, k] + taken / max(len(scale) - 1, 1) / scale[k]
        mine = sign * values[judged][:, k]
        yield Carried(
            concept=concept,
            k=k,
            named=named,
            members=_members(case, effects, c, k, sign, named),
            sign=sign,
            mean=clustered_mean(mine, scene),
            net=clustered_mean(sign * net, scene),
            lead=clustered_mean(mine - sign * (whole[:, k] - values[judged][:, k]), scene),
            gap=float(gap[k]),
        )


def _named(case: Case, column: int) -> tuple[str, ...]:
    """Units of the cut that validly mean the concept of a column, or its kin."""
    kin = (column, *case.columns.kin[column])
    return case.on_cut(u for i in kin for u in case.units_meaning(case.columns.names[i]))


def _rest(
    case: Case, effects: ConceptEffects, c: int, rows: np.ndarray, named: tuple[str, ...]
) -> tuple[F64, F64]:
    """Return ``(t, k)`` values of all units but the named ones, and ``(k,)`` what they may miss."""
    whole, none = effects.whole[rows].astype(np.float64), np.zeros(effects.whole.shape[1])
    if not named:
        return whole, none
    if set(named) == set(effects.left_out[c]):
        return effects.rest[rows].astype(np.float64), none
    # Words were edited since: sums of single units stand in for the set that was not run.
    position = case.joints.position
    bases = {(): whole, effects.left_out[c]: effects.rest[rows].astype(np.float64)}
    base = min(bases, key=lambda units: len(set(units) ^ set(named)))
    out = [position[u] for u in set(named) - set(base) if u in position]
    back = [position[u] for u in set(base) - set(named) if u in position]
    single = effects.unit[c].astype(np.float64)
    change = single[back].sum(0) - single[out].sum(0)
    missed = np.abs(whole.mean(0) - single.sum(0)) / np.maximum(np.abs(single).sum(0), 0.05)
    return bases[base] + change, missed * np.abs(single[[*out, *back]]).sum(0)


def _members(
    case: Case, effects: ConceptEffects, c: int, k: int, sign: int, named: tuple[str, ...]
) -> tuple[str, ...]:
    size = sign * effects.unit[c, :, k].astype(np.float64)
    size[[case.joints.position[unit] for unit in named]] = 0.0
    most = float(size.max(initial=0.0))
    if most <= 0:
        return ()
    order = [int(i) for i in np.argsort(-size, kind="stable") if size[i] >= _MEMBER * most]
    return tuple(case.effects.units[i] for i in order)
