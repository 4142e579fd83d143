"""z* by rounds of fresh judgements: sixteen z's, then eight, four, one.

The largest of two hundred noisy J's is mostly luck, so J decides together with its error. Every
round takes the z's that are most likely the best by what is then believed, two of a lineage at most;
asks people anew about them (comparisons, and labels in the hidden arm); and foretells each answer
before it is learned from. A z that was left out comes back where the answers about others speak for
it. At last z* is held against the start on judgements that no choice rested on (successive halving:
Karnin, Koren and Somekh 2013; the most likely best: Thompson 1933).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from circuitz.errors import PosteriorError
from circuitz.posterior.choice.answer_belief import LabelAnswers
from circuitz.posterior.choice.candidate_scores import CandidateScores, JointBelief, no_answers
from circuitz.posterior.choice.gain_on_fresh import FreshGain, gain_on_fresh_judgements
from circuitz.posterior.choice.score_belief import PairOutcomes

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
# Draws from what is believed, of which each has one best z.
_DRAWS = 4000
State = Literal["chosen", "start kept", "waiting"]


@dataclass(frozen=True)
class HalvingSettings:
    """How z* is chosen.

    Parameters
    ----------
    sizes
        How many z's each round asks about.
    of_lineage
        How many of one lineage pass the screen at most.
    pairs, answers
        Comparisons and hidden-arm answers of a round.
    alike
        Z's whose J differs by less count as equals, nats.
    seed
        Of pairs and inputs.
    """

    sizes: tuple[int, ...] = (16, 8, 4)
    of_lineage: int = 2
    pairs: int = 40
    answers: int = 40
    alike: float = 1.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class RoundQuestions:
    """What one round asks.

    Parameters
    ----------
    number
        Of the round, from 1; the last holds z* against the start.
    pairs
        ``(m, 2)`` int64 numbers of the z's that are compared.
    inputs
        ``(q, 2)`` int64 number of a z, and of an input of D.
    audit
        Whether these judgements are for the last word alone.
    """

    number: int
    pairs: I64
    inputs: I64
    audit: bool = False


@dataclass(frozen=True, eq=False)
class RoundJudgements:
    """What was answered; *cannot tell* is left out.

    Parameters
    ----------
    pairs, answers
        The comparisons and the labels.
    complete
        Whether everybody has answered; else the choice waits.
    """

    pairs: PairOutcomes
    answers: LabelAnswers
    complete: bool = True


#: Puts the questions of a round to people.
PutRound = Callable[[RoundQuestions], RoundJudgements]


@dataclass(frozen=True, eq=False)
class HalvingRound:
    """One round as it went.

    Parameters
    ----------
    z
        Numbers of the z's it asked about.
    pair_loss, answer_loss
        Mean − log P of its judgements, foretold before they were learned from, nats; NaN without.
    pairs_right, pairs_decided
        Of comparisons that preferred one, how many were foretold.
    judgements
        How many judgements came.
    """

    z: tuple[int, ...]
    pair_loss: float
    answer_loss: float
    pairs_right: int
    pairs_decided: int
    judgements: int


@dataclass(frozen=True, eq=False)
class ZStarChoice:
    """Which z is z*, and on what grounds.

    Parameters
    ----------
    state
        ``chosen``; ``start kept``, where nothing is better than the start beyond doubt; or
        ``waiting`` for judgements.
    z
        Number of z*: of the start, where it is kept or the choice waits.
    equals
        Numbers of z's within one nat of the best, among which the fewest changes decided.
    belief
        What is believed of J of all z's at the end.
    rounds
        As they went.
    gain
        J(z*) − J(start) on judgements that no choice rested on; none where the start won, or the
        choice waits.
    waiting
        Questions that are open.
    """

    state: State
    z: int
    equals: tuple[int, ...]
    belief: JointBelief
    rounds: tuple[HalvingRound, ...]
    gain: FreshGain | None = None
    waiting: RoundQuestions | None = None

    @property
    def judgements(self) -> int:
        """How many judgements the choice rests on, those of the last word included."""
        return sum(r.judgements for r in self.rounds) + (self.gain.judgements if self.gain else 0)


def choose_by_halving(
    candidates: CandidateScores, put: PutRound, settings: HalvingSettings | None = None
) -> ZStarChoice:
    """Choose z* by rounds of fresh judgements.

    Questions depend on the numbers, the seed and the answers before alone, so that a choice that
    waited is taken up by calling this again with whoever has the answers by then.

    Parameters
    ----------
    candidates
        All z's of the search.
    put
        Puts the questions of a round to people.
    settings
        Sizes, budgets and seed.

    Raises
    ------
    PosteriorError
        If sizes do not fall, or judgements are about other z's than the round's.
    """
    plan = settings or HalvingSettings()
    if not plan.sizes or list(plan.sizes) != sorted(plan.sizes, reverse=True) or plan.sizes[-1] < 2:
        raise PosteriorError(
            f"Rounds of {plan.sizes} z's cannot be halved.", "Give falling sizes of 2 or more."
        )
    pairs, answers = candidates.no_pairs(), no_answers()
    belief = candidates.belief(pairs, answers)
    held: list[int] = []
    rounds: list[HalvingRound] = []
    for number, size in enumerate(plan.sizes, 1):
        held = _most_likely_best(candidates, belief, plan)[:size]
        if len(held) < 2:
            break
        questions = _questions_of_round(candidates, held, number, plan)
        came = put(questions)
        _check_about(came, questions)
        if not came.complete:
            return _waiting(candidates, belief, rounds, questions)
        rounds.append(_round_as_it_went(held, belief, candidates, came))
        pairs, answers = pairs.joined(came.pairs), answers.joined(came.answers)
        belief = candidates.belief(pairs, answers)
    best = max(held, key=lambda z: belief.mean[z])
    equals = tuple(sorted(z for z in held if belief.mean[best] - belief.mean[z] < plan.alike))
    z_star = min(equals, key=lambda z: (int(candidates.changes[z]), -belief.mean[z]))
    if z_star == candidates.start:
        return ZStarChoice("start kept", z_star, equals, belief, tuple(rounds))
    questions = _audit_questions(candidates, belief, z_star, len(plan.sizes) + 1, plan)
    came = put(questions)
    _check_about(came, questions)
    if not came.complete:
        return _waiting(candidates, belief, rounds, questions)
    gain = gain_on_fresh_judgements(candidates, belief, z_star, came.pairs, came.answers)
    # Chosen on earlier judgements; what is reported of J has learned from all of them.
    belief = candidates.belief(pairs.joined(came.pairs), answers.joined(came.answers))
    if gain.low <= 0:
        return ZStarChoice(
            "start kept", candidates.start, equals, belief, tuple(rounds), gain
        )  # fmt: skip
    return ZStarChoice("chosen", z_star, equals, belief, tuple(rounds), gain)


def _most_likely_best(
    candidates: CandidateScores, belief: JointBelief, plan: HalvingSettings
) -> list[int]:
    """Return the z's that are most likely the best, most likely first."""
    rng = np.random.default_rng([plan.seed, 4])
    draws = belief.draws(_DRAWS, rng)
    shares = np.bincount(draws.argmax(1), minlength=len(belief.mean)) / _DRAWS
    # Of z's that no draw puts first, the higher goes first.
    order = np.lexsort((-belief.mean, -shares))
    taken: Counter[str] = Counter()
    passed: list[int] = []
    for z in order.tolist():
        if taken[candidates.lineages[z]] < plan.of_lineage:
            taken[candidates.lineages[z]] += 1
            passed.append(z)
    return passed


def _questions_of_round(
    candidates: CandidateScores, held: Sequence[int], number: int, plan: HalvingSettings
) -> RoundQuestions:
    """Ask about every z equally often, in pairs drawn anew."""
    rng = np.random.default_rng([plan.seed, number, 5])
    every = [(a, b) for i, a in enumerate(held) for b in held[i + 1 :]]
    drawn: list[tuple[int, int]] = []
    # Every pair once before any comes again, and each z as often as the others.
    while len(drawn) < plan.pairs:
        count = Counter(z for pair in drawn for z in pair)
        order = rng.permutation(len(every)).tolist()
        left = sorted(
            order, key=lambda i: (drawn.count(every[i]), count[every[i][0]] + count[every[i][1]])
        )
        drawn.append(every[left[0]])
    sides = [pair if rng.random() < 0.5 else pair[::-1] for pair in drawn]
    z = np.resize(np.array([held[int(i)] for i in rng.permutation(len(held))]), plan.answers)
    rows = rng.integers(candidates.log_chances.shape[1], size=plan.answers)
    return RoundQuestions(number, np.array(sides, np.int64), np.stack([z, rows], 1))


def _audit_questions(
    candidates: CandidateScores,
    belief: JointBelief,
    z_star: int,
    number: int,
    plan: HalvingSettings,
) -> RoundQuestions:
    """Hold z* and the start against each other, and both against others of all heights.

    Nobody can be asked forty times about one pair, and where it is clear, once is enough.
    """
    rng = np.random.default_rng([plan.seed, number, 6])
    two = (z_star, candidates.start)
    others = [z for z in np.argsort(belief.mean, kind="stable").tolist() if z not in two]
    spaced = np.linspace(0, len(others) - 1, min(len(others), plan.pairs // 2)).round().astype(int)
    pairs = [(z, others[i]) for i in dict.fromkeys(spaced.tolist()) for z in two]
    pairs = [two, two[::-1], *pairs][: plan.pairs]
    pairs += [two if i % 2 else two[::-1] for i in range(plan.pairs - len(pairs))]
    sides = np.array([pair if rng.random() < 0.5 else pair[::-1] for pair in pairs])
    z = np.resize(np.array([z_star, candidates.start]), plan.answers)
    # The same inputs for both: their difference is what is looked for.
    rows = np.repeat(rng.integers(candidates.log_chances.shape[1], size=plan.answers // 2 + 1), 2)
    inputs = np.stack([z, rows[: plan.answers]], 1)
    return RoundQuestions(number, sides.astype(np.int64), inputs.astype(np.int64), audit=True)


def _round_as_it_went(
    held: Sequence[int], belief: JointBelief, candidates: CandidateScores, came: RoundJudgements
) -> HalvingRound:
    s = belief.scores.mean
    decided = came.pairs.outcome < 2
    first_better = s[came.pairs.first] > s[came.pairs.second]
    right = decided & (first_better == (came.pairs.outcome == 0))
    pair_losses = belief.scores.outcome_losses(came.pairs)
    answer_losses = belief.answers.agreement_losses(candidates.log_chances, came.answers)
    return HalvingRound(
        z=tuple(held),
        pair_loss=float(pair_losses.mean()) if len(pair_losses) else float("nan"),
        answer_loss=float(answer_losses.mean()) if len(answer_losses) else float("nan"),
        pairs_right=int(right.sum()),
        pairs_decided=int(decided.sum()),
        judgements=len(came.pairs) + len(came.answers),
    )


def _check_about(came: RoundJudgements, questions: RoundQuestions) -> None:
    about = set(questions.pairs.ravel().tolist()) | set(questions.inputs[:, 0].tolist())
    others = (
        set(came.pairs.first.tolist())
        | set(came.pairs.second.tolist())
        | set(came.answers.z.tolist())
    ) - about
    if others:
        raise PosteriorError(
            f"Judgements of round {questions.number} are about z's {sorted(others)}, "
            "which it did not ask about.",
            "Return the answers to the questions that were put.",
        )


def _waiting(
    candidates: CandidateScores,
    belief: JointBelief,
    rounds: Sequence[HalvingRound],
    questions: RoundQuestions,
) -> ZStarChoice:
    return ZStarChoice(
        "waiting", candidates.start, (), belief, tuple(rounds), waiting=questions
    )  # fmt: skip
