"""Which pairs of cards people are asked to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from circuitz.cards.card import Card
from circuitz.cards.judged.card_differences import CardDifference, CardProfile, card_difference
from circuitz.cards.judged.comparison import Outcome
from circuitz.errors import CardError

PairKind = Literal["tree", "near", "far", "random", "repeat", "gold"]
MIRRORED = GOLD = 0.1
FAR = 1 / 3
EACH_WORD = 8
"""So often each word that near pairs can tell of is asked about, where there are enough pairs."""
APART = 5
"""So many pairs lie at least between a pair and its repeat."""
_FAREST = 1 / 3


@dataclass(frozen=True)
class PlannedPair:
    """Two cards to be compared, in the order they are shown.

    Parameters
    ----------
    a_hash, b_hash
        The card on the left, and the one on the right.
    why
        ``tree``: joins all cards; ``near``: one change of words; ``far``; ``random``: in place of
        near ones that there are not; ``repeat``: an earlier pair with its sides swapped; ``gold``: the
        answer is known.
    seed
        The sides were drawn from it.
    near
        Whether the cards differ in one change.
    answer
        Of gold pairs, the answer by the sides as shown; else empty.
    """

    a_hash: str
    b_hash: str
    why: PairKind
    seed: int
    near: bool
    answer: Outcome | Literal[""] = ""

    @property
    def cards(self) -> frozenset[str]:
        """Both cards, whichever side they stand on."""
        return frozenset((self.a_hash, self.b_hash))


def plan_pairs(
    cards: Iterable[Card],
    n: int = 60,
    *,
    gold: Sequence[tuple[str, str]] = (),
    seed: int = 0,
) -> tuple[PlannedPair, ...]:
    """Plan which cards are compared: a tree that joins them all first, then near and far pairs.

    Of the pairs beyond the tree a tenth repeats earlier ones with their sides swapped, a tenth is
    gold, a third is far (the cards that differ most), and the rest near: pairs that one change of
    words tells apart, chosen so that each word that changes is asked about as evenly as can be, 8 times
    where there are enough. Where too few pairs are near, pairs at random take their place: cards that
    differ in figures alone look the same to nearly everybody, and answers about them teach nothing.

    Parameters
    ----------
    cards
        The pool; of cards that look alike one is excluded.
    n
        Pairs in all, repeats and gold included.
    gold
        Hashes of pairs whose answer is known: the more plausible card first.
    seed
        Seed of choice, sides and order.

    Returns
    -------
    The tree's pairs, then near, far and random ones mixed, then repeats, then gold.

    Raises
    ------
    CardError
        If there are fewer than two cards, too few pairs to join them, or a gold pair names a card
        that is not in the pool.
    """
    pool = {card.hash: CardProfile(card) for card in cards}
    names = sorted(pool)
    if len(names) < 2:
        raise CardError("There are not two cards to compare.", "Give two z's that look different.")
    if n < len(names) - 1:
        raise CardError(
            f"{n} pairs cannot join {len(names)} cards.", f"Ask for {len(names) - 1} or more."
        )
    for pair in gold:
        strange = [h for h in pair if h not in pool]
        if strange or len(set(pair)) != 2:
            raise CardError(
                f"A gold pair names {(strange or [*pair])[0][:12]!r}, which is no second card here.",
                "Give hashes of two cards of the pool.",
            )
    rng = np.random.default_rng([seed, 41])
    golden = list(dict.fromkeys(gold))
    rng.shuffle(golden)
    tree = _random_tree(names, rng)
    rest = n - len(tree)
    golden = golden[: round(GOLD * rest)]
    excluded = {frozenset(pair) for pair in (*tree, *golden)}
    candidates = {
        frozenset(pair): card_difference(pool[pair[0]], pool[pair[1]])
        for pair in combinations(names, 2)
    }
    repeats = round(MIRRORED * rest)
    far = _far_pairs(candidates, excluded, round(FAR * rest), rng)
    excluded |= set(far)
    left = rest - repeats - len(golden) - len(far)
    near = _near_pairs(candidates, excluded, left, rng)
    at_random = _random_pairs(candidates, excluded | set(near), left - len(near), rng)
    main = [*near, *far, *at_random]
    rng.shuffle(main)
    in_tree = [frozenset(pair) for pair in tree]
    kinds: dict[frozenset[str], PairKind] = {
        **dict.fromkeys(in_tree, "tree"), **dict.fromkeys(near, "near"),
        **dict.fromkeys(far, "far"), **dict.fromkeys(at_random, "random"),
    }  # fmt: skip
    first = [_planned(cards, kinds[cards], candidates, rng) for cards in (*in_tree, *main)]
    early = first[: max(len(first) - APART, 1)]
    again = [early[int(i)] for i in rng.permutation(len(early))[:repeats]]
    mirrored = [replace(p, a_hash=p.b_hash, b_hash=p.a_hash, why="repeat") for p in again]
    return (*first, *mirrored, *(_planned_gold(pair, candidates, rng) for pair in golden))


def _random_tree(names: Sequence[str], rng: np.random.Generator) -> list[tuple[str, str]]:
    """Join each card to one that is joined already: few steps lie between any two."""
    order = [names[int(i)] for i in rng.permutation(len(names))]
    return [(order[int(rng.integers(i))], order[i]) for i in range(1, len(order))]


def _far_pairs(
    candidates: dict[frozenset[str], CardDifference],
    excluded: set[frozenset[str]],
    n: int,
    rng: np.random.Generator,
) -> list[frozenset[str]]:
    """Choose among the pairs that differ most, those with cards used least first."""
    free = [pair for pair in candidates if pair not in excluded]
    order = {pair: float(rng.random()) for pair in free}
    free.sort(key=lambda pair: (-candidates[pair].changes, order[pair]))
    pool = free[: max(n, round(_FAREST * len(free)))]
    used: Counter[str] = Counter()
    chosen: list[frozenset[str]] = []
    while pool and len(chosen) < n:
        pair = min(pool, key=lambda one: (sum(used[card] for card in one), order[one]))
        pool.remove(pair)
        used.update(pair)
        chosen.append(pair)
    return chosen


def _near_pairs(
    candidates: dict[frozenset[str], CardDifference],
    excluded: set[frozenset[str]],
    n: int,
    rng: np.random.Generator,
) -> list[frozenset[str]]:
    """Choose pairs one change of words apart, so that words are asked about as evenly as can be."""
    free = [pair for pair in candidates if pair not in excluded]
    order = {pair: float(rng.random()) for pair in free}
    near = [pair for pair in free if candidates[pair].near and candidates[pair].words]
    asked_about: Counter[str] = Counter()
    chosen: list[frozenset[str]] = []
    while near and len(chosen) < n:
        pair = min(near, key=lambda one: (_rarest(candidates[one], asked_about), order[one]))
        near.remove(pair)
        asked_about.update(candidates[pair].words)
        chosen.append(pair)
    return chosen


def _random_pairs(
    candidates: dict[frozenset[str], CardDifference],
    excluded: set[frozenset[str]],
    n: int,
    rng: np.random.Generator,
) -> list[frozenset[str]]:
    """Choose any pairs that somebody can tell apart, those that differ in words before others."""
    free = [pair for pair in candidates if pair not in excluded]
    order = [free[int(i)] for i in rng.permutation(len(free))]
    order.sort(key=lambda pair: not candidates[pair].words)
    return order[:n]


def _rarest(difference: CardDifference, asked_about: Counter[str]) -> int:
    """Return how often the word that was asked about least was; what has enough comes last."""
    return min((min(asked_about[w], EACH_WORD) for w in difference.words), default=EACH_WORD)


def _planned(
    cards: frozenset[str],
    why: PairKind,
    candidates: dict[frozenset[str], CardDifference],
    rng: np.random.Generator,
) -> PlannedPair:
    seed = int(rng.integers(2**31))
    left, right = sorted(cards)
    if np.random.default_rng(seed).random() < 0.5:
        left, right = right, left
    return PlannedPair(left, right, why, seed, candidates[cards].near)


def _planned_gold(
    pair: tuple[str, str],
    candidates: dict[frozenset[str], CardDifference],
    rng: np.random.Generator,
) -> PlannedPair:
    made = _planned(frozenset(pair), "gold", candidates, rng)
    return replace(made, answer="a" if made.a_hash == pair[0] else "b")
