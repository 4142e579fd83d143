"""The parameters of M_L at their most probable, with raters' ways and sureness summed over.

    maximise  Σ_raters log Σ_way Σ_T share(way) · w(T) · Π_answers P(choice | way, T)  +  log prior

so that nobody's way is decided on few answers. Slopes are exact (those of a mixture are the slopes
of its parts, weighted by how likely each part is).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax, logsumexp

from circuitz.cards.activity import MUCH, STEPS
from circuitz.posterior.likelihood_from_people.cue_evidence import (
    GRADES,
    N_LOOKED_FOR,
    N_STEPS,
    READINGS,
)
from circuitz.posterior.likelihood_from_people.label_probabilities import (
    DEPTHS,
    LAPSE,
    SURENESS_NODES,
    LabelledEvidence,
    LikelihoodWeights,
    cues_within,
    read_cues,
    softmax_over_offered,
    with_lapse,
)

F64 = npt.NDArray[np.float64]
# Name, number, prior mean and standard deviation; logarithms and log-odds where numbers are
# positive or shares.
_PARTS: tuple[tuple[str, int, tuple[float, ...], float], ...] = (
    ("grades", 4, (1.4, 0.9, 0.4, -0.35), 0.7),
    # Activity much less than usual, by -2, -1, 0, 1 and 2 steps; much more counts 1.
    ("activity", 6, (-0.5, -0.4, -0.3, -0.2, 0.3, 0.6), 0.4),
    ("absent", 2, (-0.4, -0.2), 0.5),
    ("failing", 1, (-1.0,), 1.5),
    ("not_told", 1, (-2.0,), 1.5),
    ("saturation", 1, (-1.9,), 1.5),
    ("depths", 3, (-1.5, -1.5, -1.5), 1.2),
    ("sign_blind", 1, (-1.5,), 1.2),
    ("guessing", 1, (-4.0,), 1.0),
    ("spread", 1, (-1.2,), 0.5),
)
_BIAS_SD = 0.1
# All that is called much more, or much less, is read alike.
_STEP_READ = np.clip(np.arange(-STEPS, STEPS + 1), -MUCH, MUCH) + MUCH
_FOR, _AGAINST, _FAILING, _UNTESTED = 1, 2, N_LOOKED_FOR, 2 * N_LOOKED_FOR


@dataclass(frozen=True, eq=False)
class LikeliestWeights:
    """What a fit found.

    Parameters
    ----------
    weights
        The parameters.
    log_sureness
        ``(j,)`` expected log T of every rater, of mean 0.
    theta
        The free numbers, for a start near by.
    """

    weights: LikelihoodWeights
    log_sureness: F64
    theta: F64


def free_numbers(k: int) -> dict[str, int]:
    """Return how many numbers a fit of ``k`` classes has, by part."""
    return {**{name: n for name, n, _, _ in _PARTS}, "bias": k}


def find_likeliest_weights(
    answers: LabelledEvidence,
    n_raters: int,
    importance: F64 | None = None,
    start: F64 | None = None,
) -> LikeliestWeights:
    """Find the most probable parameters.

    Parameters
    ----------
    answers
        What was read and said.
    n_raters
        How many raters there are.
    importance
        ``(m,)`` how much each answer counts; 1 by default.
    start
        Free numbers to start from; the prior's mean by default.
    """
    k = answers.offered.shape[1]
    w = np.ones(len(answers)) if importance is None else importance
    mean = np.concatenate([np.array(m) for _, _, m, _ in _PARTS] + [np.zeros(k)])
    sd = np.concatenate([np.full(n, s) for _, n, _, s in _PARTS] + [np.full(k, _BIAS_SD)])

    def loss_and_slope(theta: F64) -> tuple[float, F64]:
        value, slope, _ = _log_likelihood(theta, answers, n_raters, w)
        off = (theta - mean) / sd
        return 0.5 * float(off @ off) - value, off / sd - slope

    found = minimize(
        loss_and_slope, mean if start is None else start, jac=True, method="L-BFGS-B",
        options={"maxiter": 400, "ftol": 1e-9},
    )  # fmt: skip
    theta = np.asarray(found.x, np.float64)
    weights, _ = _weights_and_slopes(theta, k)
    _, _, by_node = _log_likelihood(theta, answers, n_raters, w)
    nodes = np.array([node for node, _ in SURENESS_NODES])
    log_t = weights.spread * (by_node @ nodes)
    return LikeliestWeights(weights, log_t - log_t.mean(), theta)


@dataclass(frozen=True, eq=False)
class _Way:
    """A part of the mixture: cues read, whether signs are minded, sureness; or guessing."""

    log_share: float
    depth: int = -1
    blind: bool = False
    node: int = -1


def _ways(weights: LikelihoodWeights) -> Iterator[_Way]:
    with np.errstate(divide="ignore"):
        guess, careful = np.log(weights.guessing), np.log1p(-weights.guessing)
        signs = (np.log1p(-weights.sign_blind), np.log(weights.sign_blind))
        depths = np.log(weights.depths)
    yield _Way(float(guess))
    for d in range(len(DEPTHS)):
        for blind in (False, True):
            for node, (_, weight) in enumerate(SURENESS_NODES):
                share = careful + depths[d] + signs[blind] + np.log(weight)
                yield _Way(float(share), d, blind, node)


def _log_likelihood(
    theta: F64, answers: LabelledEvidence, n_raters: int, w: F64
) -> tuple[float, F64, F64]:
    """Return the log-likelihood, its slope, and how likely every rater has each sureness."""
    m, k = answers.offered.shape
    weights, slopes = _weights_and_slopes(theta, k)
    evidence, rows = answers.evidence, np.arange(m)
    read = read_cues(weights, evidence)
    blunt = np.abs(evidence.sign)
    ways = list(_ways(weights))
    chances = 1 / answers.offered.sum(1)
    logs = np.empty((len(ways), n_raters))
    kept: list[tuple[F64, F64, F64]] = []
    plain: dict[tuple[int, bool], tuple[F64, F64]] = {}
    for d, depth in enumerate(DEPTHS):
        some = cues_within(depth, evidence)
        scale = 1 + weights.saturation * read.promised[..., some].sum(2)
        for blind in (False, True):
            signs = (blunt if blind else evidence.sign)[..., some]
            plain[d, blind] = ((signs * read.added[..., some]).sum(2), scale)
    for i, way in enumerate(ways):
        if way.depth < 0:
            chosen = chances
            kept.append((np.zeros((m, k)), chosen, chosen))
        else:
            total, scale = plain[way.depth, way.blind]
            t = float(np.exp(weights.spread * SURENESS_NODES[way.node][0]))
            shares = softmax_over_offered(t * total / scale + weights.bias, answers.offered)
            chosen = with_lapse(shares, answers.offered)[rows, answers.choice]
            kept.append((shares, shares[rows, answers.choice], chosen))
        logs[i] = way.log_share + np.bincount(answers.rater, w * np.log(chosen), n_raters)
    whole = logsumexp(logs, axis=0)
    likely = np.exp(logs - whole)  # of every way, by rater
    slope = _Slopes(weights, answers)
    by_node = np.zeros((n_raters, len(SURENESS_NODES)))
    for way, (shares, share, chosen), mine in zip(ways, kept, likely, strict=True):
        if way.depth < 0:
            continue
        by_node[:, way.node] += mine
        push = -shares * ((1 - LAPSE) * share / chosen)[:, None]
        push[rows, answers.choice] += (1 - LAPSE) * share / chosen
        push *= (w * mine[answers.rater])[:, None]
        slope.add_way(
            way, push, *plain[way.depth, way.blind], blunt if way.blind else evidence.sign
        )
    by_node += np.array([x for _, x in SURENESS_NODES]) * likely[0][:, None]
    counts = np.array([mine.sum() for mine in likely])
    return float(whole.sum()), slopes.of_theta(slope.collect(), ways, counts), by_node


class _Slopes:
    """Slopes of the log-likelihood by what cues add and promise, summed over ways."""

    def __init__(self, weights: LikelihoodWeights, answers: LabelledEvidence) -> None:
        self._weights, self._evidence = weights, answers.evidence
        shape = answers.evidence.reading.shape
        self._added, self._promised = np.zeros(shape), np.zeros(shape)
        self._saturation = self._spread = 0.0
        self._bias = np.zeros(shape[1])

    def add_way(self, way: _Way, push: F64, total: F64, scale: F64, signs: F64) -> None:
        node = SURENESS_NODES[way.node][0]
        t = float(np.exp(self._weights.spread * node))
        some = cues_within(DEPTHS[way.depth], self._evidence)
        self._bias += push.sum(0)
        self._spread += node * t * float((push * total / scale).sum())
        by_total = t * push / scale
        by_scale = -by_total * total / scale
        self._added[..., some] += signs[..., some] * by_total[..., None]
        self._promised[..., some] += self._weights.saturation * by_scale[..., None]
        # The scale is 1 + s times what is promised.
        self._saturation += float((by_scale * (scale - 1)).sum()) / self._weights.saturation

    def collect(self) -> dict[str, F64]:
        """Return slopes by g, a, q, s, spread and b."""
        evidence, weights = self._evidence, self._weights
        strength = np.append(weights.grades, 0.0)[evidence.grade]
        values = weights.values[evidence.reading] * evidence.amount
        by_strength = self._added * values + self._promised * weights.promises[evidence.reading]

        def summed(index: npt.NDArray[np.int64], what: F64, n: int) -> F64:
            return np.bincount(index.ravel(), what.ravel(), n)[:n].astype(np.float64)

        return {
            "grades": summed(evidence.grade, by_strength, len(GRADES) + 1)[: len(GRADES)],
            "values": summed(
                evidence.reading, self._added * strength * evidence.amount, len(READINGS)
            ),
            "promises": summed(evidence.reading, self._promised * strength, len(READINGS)),
            "saturation": np.array([self._saturation]),
            "spread": np.array([self._spread]),
            "bias": self._bias,
        }


@dataclass(frozen=True, eq=False)
class _Chain:
    """Slopes of the parameters by the free numbers."""

    weights: LikelihoodWeights
    values: F64
    promises: F64
    k: int

    def of_theta(self, slopes: dict[str, F64], ways: list[_Way], counts: F64) -> F64:
        """Return the slope by the free numbers.

        ``values`` and ``promises`` are ``(r, t)``; ``counts`` says how many raters are held to have
        each way.
        """
        weights = self.weights
        found = slopes["values"] @ self.values + slopes["promises"] @ self.promises
        place = _places(self.k)
        found[place["grades"]] += slopes["grades"] * weights.grades
        found[place["saturation"]] += slopes["saturation"] * weights.saturation
        found[place["spread"]] += slopes["spread"] * weights.spread
        found[place["bias"]] += slopes["bias"]
        careful = sum(n for way, n in zip(ways, counts, strict=True) if way.depth >= 0)
        blind = sum(n for way, n in zip(ways, counts, strict=True) if way.blind)
        by_depth = np.zeros(len(DEPTHS))
        for way, n in zip(ways, counts, strict=True):
            if way.depth >= 0:
                by_depth[way.depth] += n
        found[place["depths"]] += (by_depth - careful * weights.depths)[:-1]
        found[place["sign_blind"]] += blind - careful * weights.sign_blind
        everybody = float(counts.sum())
        found[place["guessing"]] += counts[0] - everybody * weights.guessing
        return found


def _places(k: int) -> dict[str, slice]:
    places: dict[str, slice] = {}
    start = 0
    for name, n in free_numbers(k).items():
        places[name] = slice(start, start + n)
        start += n
    return places


def _weights_and_slopes(theta: F64, k: int) -> tuple[LikelihoodWeights, _Chain]:
    """Return the parameters that free numbers stand for, and slopes of values and promises."""
    place = _places(k)
    part = {name: theta[where] for name, where in place.items()}
    r, t = len(READINGS), len(theta)
    values, promises = np.zeros(r), np.ones(r)
    by_values, by_promises = np.zeros((r, t)), np.zeros((r, t))
    values[:N_STEPS] = np.append(part["activity"], 1.0)[_STEP_READ]
    for step, read in enumerate(_STEP_READ.tolist()):
        if read < len(part["activity"]):
            by_values[step, place["activity"].start + read] = 1
    trust = float(expit(part["failing"][0]))
    failing, absent = place["failing"].start, place["absent"].start
    for offset, share in ((0, 1.0), (_UNTESTED, 1.0), (_FAILING, trust)):
        first = N_STEPS + offset
        values[first : first + N_LOOKED_FOR] = share * np.array([1.0, *part["absent"]])
        promises[first : first + N_LOOKED_FOR] = share
        by_values[first + _FOR, absent] = by_values[first + _AGAINST, absent + 1] = share
        if offset == _FAILING:
            rise = trust * (1 - trust)
            by_values[first : first + N_LOOKED_FOR, failing] = rise * np.array(
                [1.0, *part["absent"]]
            )
            by_promises[first : first + N_LOOKED_FOR, failing] = rise
    promises[-1] = float(expit(part["not_told"][0]))
    by_promises[-1, place["not_told"].start] = promises[-1] * (1 - promises[-1])
    weights = LikelihoodWeights(
        grades=np.exp(part["grades"]),
        values=values,
        promises=promises,
        saturation=float(np.exp(part["saturation"][0])),
        depths=np.exp(log_softmax(np.append(part["depths"], 0.0))),
        sign_blind=float(expit(part["sign_blind"][0])),
        guessing=float(np.exp(log_expit(part["guessing"][0]))),
        spread=float(np.exp(part["spread"][0])),
        bias=part["bias"],
    )
    return weights, _Chain(weights, by_values, by_promises, k)
