"""Comparisons as arrays: which cards, what came out, by whom, near or far; and what is odd about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from circuitz.cards.card import Card
from circuitz.cards.judged.comparison import COMPARE_OPTIONS, Comparison
from circuitz.errors import PosteriorError

I64 = npt.NDArray[np.int64]
CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, eq=False)
class ComparedCards:
    """Comparisons that carry information, as columns.

    Parameters
    ----------
    keys
        Keys of the cards, sorted.
    raters
        Names, sorted.
    first, second
        ``(m,)`` int64 index into ``keys``.
    outcome
        ``(m,)`` int64 index into ``COMPARE_OPTIONS``.
    rater
        ``(m,)`` int64 index into ``raters``.
    near
        ``(m,)`` bool.
    counts
        How often each outcome was given, *cannot tell* and *unknown card* among them.
    remarks
        What is odd about them, one sentence each.
    """

    keys: tuple[str, ...]
    raters: tuple[str, ...]
    first: I64
    second: I64
    outcome: I64
    rater: I64
    near: npt.NDArray[np.bool_]
    counts: dict[str, int]
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.outcome)

    @property
    def decided(self) -> npt.NDArray[np.bool_]:
        """``(m,)`` whether one of the two was preferred."""
        return self.outcome < 2

    @property
    def pair(self) -> I64:
        """``(m,)`` a number for the two cards, whichever stood first."""
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        return low * len(self.keys) + high

    def subset(self, keep: npt.NDArray[np.bool_]) -> ComparedCards:
        """Return some of the comparisons; cards and raters keep their numbers."""
        return ComparedCards(
            self.keys, self.raters, self.first[keep], self.second[keep], self.outcome[keep],
            self.rater[keep], self.near[keep], self.counts, self.remarks,
        )  # fmt: skip


def cards_by_hash(cards: Mapping[str, Card] | Sequence[Card]) -> dict[str, Card]:
    """Return cards by hash, given so or alone."""
    if isinstance(cards, Mapping):
        return {key: cards[key] for key in cards}
    return {card.hash: card for card in cards}


def compared_cards(comparisons: Iterable[Comparison], cards: Mapping[str, Card]) -> ComparedCards:
    """Sort comparisons into columns.

    Parameters
    ----------
    comparisons
        Answers as given; those about cards that are not there are left out, and counted.
    cards
        The cards by key.

    Raises
    ------
    PosteriorError
        If an outcome is none of the five, a card is compared with itself, or no answer is left
        that carries information.
    """
    every = list(comparisons)
    keys, raters = tuple(sorted(cards)), tuple(sorted({c.rater for c in every}))
    row = {key: i for i, key in enumerate(keys)}
    number = {name: i for i, name in enumerate(raters)}
    column = {name: i for i, name in enumerate(COMPARE_OPTIONS)}
    counts: Counter[str] = Counter()
    lines: list[tuple[int, int, int, int, bool]] = []
    for one in every:
        if one.outcome not in column and one.outcome != CANNOT_TELL:
            raise PosteriorError(
                f"{one.outcome!r} is no outcome of a comparison.",
                f"Outcomes are {', '.join(COMPARE_OPTIONS)} and {CANNOT_TELL}.",
            )
        if one.a_hash == one.b_hash:
            raise PosteriorError(
                f"{one.rater} compared card {one.a_hash[:12]} with itself.",
                "Leave such answers out.",
            )
        if one.a_hash not in row or one.b_hash not in row:
            counts["unknown card"] += 1
            continue
        counts[one.outcome] += 1
        if one.outcome != CANNOT_TELL:
            lines.append(
                (row[one.a_hash], row[one.b_hash], column[one.outcome], number[one.rater], one.near)
            )
    if not lines:
        raise PosteriorError(
            f"None of {len(every)} comparisons tells anything about the {len(keys)} cards.",
            "Ask people to compare them, and give the cards that they were shown.",
        )
    columns = [np.array(part, np.int64) for part in zip(*lines, strict=True)]
    compared = ComparedCards(
        keys, raters, columns[0], columns[1], columns[2], columns[3], columns[4].astype(bool),
        dict(counts),
    )  # fmt: skip
    return replace(compared, remarks=tuple(_remarks(compared)))


def count_contradictions(compared: ComparedCards) -> tuple[int, int]:
    """Count pairs that one rater decided more than once, and those decided both ways."""
    answers: dict[tuple[int, int], set[bool]] = {}
    times: Counter[tuple[int, int]] = Counter()
    low_won = (compared.outcome == 0) == (compared.first < compared.second)
    for pair, rater, won, decided in zip(
        compared.pair, compared.rater, low_won, compared.decided, strict=True
    ):
        if decided:
            times[int(pair), int(rater)] += 1
            answers.setdefault((int(pair), int(rater)), set()).add(bool(won))
    repeated = [key for key, n in times.items() if n > 1]
    return len(repeated), sum(len(answers[key]) > 1 for key in repeated)


def groups_never_compared(compared: ComparedCards) -> list[tuple[str, ...]]:
    """Return the cards that were compared, in the groups that nothing connects, largest first."""
    n = len(compared.keys)
    ones = np.ones(len(compared))
    _, group = connected_components(
        coo_array((ones, (compared.first, compared.second)), shape=(n, n)), directed=False
    )
    used = np.unique(np.concatenate([compared.first, compared.second]))
    found: dict[int, list[str]] = {}
    for i in used:
        found.setdefault(int(group[i]), []).append(compared.keys[i])
    return sorted((tuple(names) for names in found.values()), key=lambda g: (-len(g), g))


def _remarks(compared: ComparedCards) -> list[str]:
    remarks: list[str] = []
    counts = compared.counts
    if counts.get("unknown card"):
        remarks.append(
            f"{counts['unknown card']} comparisons are about cards that are not there; left out."
        )
    if counts.get(CANNOT_TELL):
        remarks.append(f"{counts[CANNOT_TELL]} times people could not tell.")
    if len(np.unique(compared.rater)) == 1:
        remarks.append("One rater alone: how far people differ cannot be learned.")
    if not compared.decided.any():
        remarks.append("Nobody preferred any card to another: an order cannot be learned.")
    repeated, both_ways = count_contradictions(compared)
    if both_ways:
        remarks.append(
            f"{both_ways} of {repeated} pairs that one rater decided more than once were decided "
            "both ways; all answers count."
        )
    groups = groups_never_compared(compared)
    if len(groups) > 1:
        remarks.append(
            f"The cards fall into {len(groups)} groups that no comparison connects: how they "
            'compare rests on "both implausible" and on what their cards have in common.'
        )
    return remarks
