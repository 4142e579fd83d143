"""How likely people find each class, from the cues they read: a mixture of ways to read a card.

    logit_k = T · Σ_c sign · g · a / (1 + s Σ_c g · q)  +  b_k
    P(k)    = Σ_way share · mean over T of [ (1 − ε) softmax_k(logit) + ε / K ]

A cue of grade g that is read so counts a, between what is there (1) and what is missing. It also
counts as a promise, g · q: the more a card promises of a class, the less one cue that is there says
(s; at 0 evidence is summed). A *way* is how many cues of a class somebody reads, the strongest first
(one, two, three or all), and whether they mind that some speak against it; a last way is to guess.
Everybody has one way, and a sureness T with log T ~ N(0, spread²); nobody new is known, so shares and
spread are averaged over.

What is known of human choice is of these kinds: weighing and adding, taking the best few cues
(Gigerenzer and Goldstein 1996), ratio rules in place of sums, lapses, and differing sureness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.posterior.likelihood_from_people.cue_evidence import CueEvidence

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
LAPSE = 0.02
#: How many cues of a class are read; the last reads all.
DEPTHS = (1, 2, 3, None)
#: Standard deviations and weights of the values of T that stand for all (Gauss and Hermite).
SURENESS_NODES = ((-(3**0.5), 1 / 6), (0.0, 2 / 3), (3**0.5, 1 / 6))


@dataclass(frozen=True, eq=False)
class LikelihoodWeights:
    """The parameters that raters share.

    Parameters
    ----------
    grades
        ``(4,)`` g, as ``GRADES``.
    values, promises
        ``(r,)`` a and q, as ``READINGS``.
    saturation
        s.
    depths
        ``(4,)`` shares of those who read so many cues, as ``DEPTHS``.
    sign_blind
        Share of those who do not mind what speaks against a class.
    guessing
        Share of those who guess.
    spread
        Standard deviation of log T.
    bias
        ``(k,)`` b.
    """

    grades: F64
    values: F64
    promises: F64
    saturation: float
    depths: F64
    sign_blind: float
    guessing: float
    spread: float
    bias: F64


@dataclass(frozen=True, eq=False)
class LabelledEvidence:
    """Answers as columns.

    Parameters
    ----------
    evidence
        What was read, one row an answer.
    offered
        ``(m, k)`` bool: whether a class could be chosen.
    choice
        ``(m,)`` int64.
    rater
        ``(m,)`` int64.
    card
        ``(m,)`` int64: which card was held.
    """

    evidence: CueEvidence
    offered: npt.NDArray[np.bool_]
    choice: I64
    rater: I64
    card: I64

    def __len__(self) -> int:
        return len(self.choice)


@dataclass(frozen=True, eq=False)
class ReadCues:
    """Cues with their numbers: what each adds, and what it promises; ``(n, k, c)``.

    Parameters
    ----------
    strength
        g.
    added
        g · a, without the sign.
    promised
        g · q.
    """

    strength: F64
    added: F64
    promised: F64


def read_cues(weights: LikelihoodWeights, evidence: CueEvidence) -> ReadCues:
    """Look up what each cue counts."""
    strength = np.append(weights.grades, 0.0)[evidence.grade]
    return ReadCues(
        strength,
        strength * weights.values[evidence.reading] * evidence.amount,
        strength * weights.promises[evidence.reading],
    )


def cues_within(depth: int | None, evidence: CueEvidence) -> slice:
    """Return the cues that somebody reads who reads so many."""
    c = evidence.reading.shape[2]
    return slice(0, c if depth is None else min(depth, c))


def class_probabilities(
    weights: LikelihoodWeights,
    evidence: CueEvidence,
    *,
    offered: npt.NDArray[np.bool_] | None = None,
) -> F64:
    """Return how likely each class is said by somebody new, ``(n, k)``; 0 for one not offered."""
    can = np.ones(evidence.reading.shape[:2], bool) if offered is None else offered
    read = read_cues(weights, evidence)
    found = weights.guessing * can / can.sum(1, keepdims=True)
    for depth, share in zip(DEPTHS, weights.depths, strict=True):
        some = cues_within(depth, evidence)
        scale = 1 + weights.saturation * read.promised[..., some].sum(2)
        for signs, of_depth in (
            (evidence.sign[..., some], 1 - weights.sign_blind),
            (np.abs(evidence.sign[..., some]), weights.sign_blind),
        ):
            part = (1 - weights.guessing) * share * of_depth
            if not part:
                continue
            plain = (signs * read.added[..., some]).sum(2) / scale
            for node, weight in SURENESS_NODES if weights.spread else ((0.0, 1.0),):
                logits = np.exp(weights.spread * node) * plain + weights.bias
                found = found + part * weight * with_lapse(softmax_over_offered(logits, can), can)
    return found


def with_lapse(shares: F64, offered: npt.NDArray[np.bool_]) -> F64:
    """Mix shares with slips; a class that was not offered has none."""
    return np.where(offered, (1 - LAPSE) * shares + LAPSE / offered.sum(1, keepdims=True), 0.0)


def softmax_over_offered(logits: F64, offered: npt.NDArray[np.bool_]) -> F64:
    """Return shares of the classes offered, ``(n, k)``."""
    masked = np.where(offered, logits, -np.inf)
    raised = np.exp(masked - masked.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)
