"""The end of a search by J: its highest z's go through rounds of fresh judgements.

The largest of many noisy J's is mostly luck. So the start and the highest z's of the chain, sixteen
and two of a lineage at most, are put to whoever answers (:mod:`circuitz.posterior.choice`); z* is
what these judgements choose, if ones that no choice rested on put it above the start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.measurement.card_activities import card_activities
from circuitz.posterior.choice.candidate_scores import CandidateScores
from circuitz.posterior.choice.halving_rounds import (
    HalvingSettings,
    ZStarChoice,
    choose_by_halving,
)
from circuitz.posterior.choice.put_to_people import PeopleRounds
from circuitz.stats.counted_shares import wilson_interval
from circuitz.store.asking import Ask, AskedQuestion
from circuitz.z.pixel_hashes import pixel_hash
from circuitz.zstar.chains.answers_once import AnswersOnce
from circuitz.zstar.chains.chain_result import SearchState
from circuitz.zstar.chains.joint_objective import JointObjective, ScoredZ

#: How many z's go to people, and how many of one lineage, beside the start.
MOST, OF_LINEAGE = 16, 2


@dataclass(frozen=True, eq=False)
class EndOfSearch:
    """What the rounds came to.

    Parameters
    ----------
    state
        ``chosen``, ``start kept``, ``waiting`` or ``abstained``: comparisons of the rounds were
        foretold no better than by chance (95 % lower limit of the share).
    best
        z*: the start where it is kept or the rounds abstain; while they wait, the z of the highest
        J, which nobody has judged.
    choice
        The rounds as they went; ``None`` where there were not two z's whose cards differ.
    questions
        What is waited for, as people are asked it: questions with too few fresh answers.
    """

    state: SearchState
    best: ScoredZ
    choice: ZStarChoice | None = None
    questions: tuple[AskedQuestion, ...] = ()


def highest_of_lineages(start: ScoredZ, scored: Iterable[ScoredZ]) -> list[ScoredZ]:
    """Return the start, then the z's of the highest J, few of each lineage."""
    taken: Counter[str] = Counter()
    found = [start]
    for one in sorted(scored, key=lambda s: (-s.j, s.state.key)):
        if len(found) == MOST:
            break
        if one.state.key == start.state.key or taken[one.state.lineage] >= OF_LINEAGE:
            continue
        taken[one.state.lineage] += 1
        found.append(one)
    return found


def end_by_rounds(
    objective: JointObjective,
    start: ScoredZ,
    scored: Iterable[ScoredZ],
    ask: Ask,
    settings: HalvingSettings | None = None,
) -> EndOfSearch:
    """Put the highest z's of a search to people.

    Parameters
    ----------
    objective
        J, with M_L.
    start, scored
        The start, and every z that was scored.
    ask
        Whoever answers; fewer answers than questions make the rounds wait.
    settings
        Of the rounds. The same answers lead to the same questions, so that a choice that waited is
        taken up by asking again.
    """
    top = highest_of_lineages(start, scored)
    # Z's that nobody could tell apart are one: the first stands for them.
    by_card: dict[str, tuple[ScoredZ, Card]] = {}
    for one in top:
        card = objective.card_of(one.state)
        by_card.setdefault(card.hash, (one, card))
    held, cards = (list(column) for column in zip(*by_card.values(), strict=True))
    if len(held) < 2:
        return EndOfSearch("start kept", start)
    fresh = AnswersOnce(ask)
    crowd = _crowd(objective, held, cards, fresh)
    choice = choose_by_halving(_candidates(objective, held, cards), crowd, settings)
    if choice.waiting is not None:
        best = max(held, key=lambda one: one.j)
        return EndOfSearch("waiting", best, choice, fresh.open_questions)
    decided = sum(r.pairs_decided for r in choice.rounds)
    right = sum(r.pairs_right for r in choice.rounds)
    if not decided or wilson_interval(right / decided, decided)[0] <= 0.5:
        return EndOfSearch("abstained", start, choice)
    return EndOfSearch(choice.state, held[choice.z], choice)


def _candidates(
    objective: JointObjective, held: Sequence[ScoredZ], cards: Sequence[Card]
) -> CandidateScores:
    pairs = [(one.state, card) for one, card in zip(held, cards, strict=True)]
    first = held[0].state
    return CandidateScores(
        lineages=tuple(state.lineage for state, _ in pairs),
        changes=np.array([state.changes_from(first) for state, _ in pairs], np.int64),
        scores=objective.prior.scores(cards),
        score_members=objective.prior.member_scores(cards),
        log_chances=np.array([objective.log_chances(*pair) for pair in pairs]),
        likelihood_members=np.stack(
            [objective.member_log_chances(*pair).sum(1) for pair in pairs], 1
        ),
        start=0,
        lam=objective.lam,
        eta=objective.eta,
        log_ties=objective.prior.log_ties,
    )


def _crowd(
    objective: JointObjective, held: Sequence[ScoredZ], cards: Sequence[Card], ask: Ask
) -> PeopleRounds:
    networks = objective.networks
    data = networks.trained("start").data
    assert data is not None
    rows = networks.rows

    def activity(number: int, row: int) -> CardActivity:
        state = held[number].state
        shown = card_activities(
            networks.realise(state), cards[number], data, rows[[row]],
            mean=networks.network_of(state).usual,
        )  # fmt: skip
        return shown[0]

    hashes = [pixel_hash(np.asarray(data.images[row])) for row in rows]
    return PeopleRounds(cards, hashes, networks.labels, activity, objective.prior, ask)
