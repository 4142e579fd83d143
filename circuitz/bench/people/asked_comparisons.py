"""Comparisons put to simulated people, and the most that anybody could foretell of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from circuitz.bench.people.pooled_z import PooledZ
from circuitz.cards.card import Card
from circuitz.cards.judged.comparison import COMPARE_OPTIONS, Comparison
from circuitz.cards.judged.plan_pairs import PlannedPair, plan_pairs
from circuitz.cards.judged.read_back import read_judged_answers
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.evaluation.people.crowd import Crowd, make_people
from circuitz.evaluation.people.habits import ATTENTIVE
from circuitz.evaluation.people.picture_truth import PictureTruth
from circuitz.evaluation.people.simulated_person import SimulatedPerson
from circuitz.evaluation.people.world_words import words_of_world
from circuitz.store.asking import AskedQuestion
from circuitz.store.judgement import Judgement

#: Of those who are learned from, and of fresh ones.
TRAIN_SEEDS, FRESH_SEEDS = (0, 1), (100, 101, 102)


@dataclass(frozen=True, eq=False)
class AskedPairs:
    """Pairs of cards, what people said of them, and who they are.

    Parameters
    ----------
    cards
        By hash.
    pairs
        As planned.
    comparisons
        As read back from the judgements.
    people
        Who could have been asked.
    judgements
        As given.
    """

    cards: dict[str, Card]
    pairs: tuple[PlannedPair, ...]
    comparisons: tuple[Comparison, ...]
    people: tuple[SimulatedPerson, ...]
    judgements: tuple[Judgement, ...]

    @property
    def ceiling(self) -> float | None:
        """Most accuracy on decided answers: always the card that more of these people prefer."""
        best = decided = 0.0
        for pair in self.pairs:
            a, b = preference_shares(self.cards[pair.a_hash], self.cards[pair.b_hash], self.people)
            best, decided = best + max(a, b), decided + a + b
        return best / decided if decided else None


def people_of_world(
    world: str, seeds: Sequence[int], families: Sequence[str] = ATTENTIVE
) -> tuple[SimulatedPerson, ...]:
    """Return simulated people who know a world's words."""
    return make_people(words_of_world(world_by_name(world).world), seeds, families)


def preference_shares(
    one: Card, other: Card, people: Iterable[SimulatedPerson]
) -> tuple[float, float]:
    """Return how likely people prefer the first card, and the second."""
    chances = [person.comparison_chances(one, other) for person in people]
    return (
        float(np.mean([found["a"] for found in chances])),
        float(np.mean([found["b"] for found in chances])),
    )


def unique_cards(zs: Iterable[PooledZ]) -> dict[str, Card]:
    """Return the cards of z's by hash; z's that look alike share one."""
    return {z.card.hash: z.card for z in zs}


def ask_about_pairs(
    cards: Mapping[str, Card],
    n: int,
    people: tuple[SimulatedPerson, ...],
    *,
    seed: int,
    twice: int = 0,
    raters: int = 1,
    gold: Sequence[tuple[str, str]] = (),
) -> AskedPairs:
    """Plan pairs of cards and ask people about them.

    Parameters
    ----------
    cards
        By hash.
    n
        Pairs, where that many can be told apart; at least as many as join all cards.
    people
        Who is asked.
    seed
        Of the plan.
    twice
        How many pairs, the last of the plan's first part, two people answer.
    raters
        How many answer every pair.
    gold
        Pairs whose answer is known.
    """
    plan = plan_pairs(cards.values(), max(n, len(cards) - 1), gold=gold, seed=seed)
    doubled = [p for p in plan if p.why not in ("repeat", "gold")][-twice:] if twice else []
    questions = [
        AskedQuestion(
            "compare", (p.a_hash, p.b_hash), COMPARE_OPTIONS, seed=p.seed,
            use="gold" if p.why == "gold" else "train", raters=2 if p in doubled else raters,
            shown={"cards": (cards[p.a_hash], cards[p.b_hash])},
        )
        for p in plan
    ]  # fmt: skip
    judgements = Crowd(people, PictureTruth(), task="bench-people")(questions)
    answers = read_judged_answers(judgements, cards.values())
    return AskedPairs(dict(cards), plan, answers.comparisons, people, tuple(judgements))
