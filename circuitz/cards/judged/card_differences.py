"""Where two cards differ, as somebody sees who reads both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from circuitz.cards.card import Card, Cue

#: Strengths (shares of a class's effect) that differ by less look the same.
SAME_STRENGTH = 0.02


@dataclass(frozen=True)
class CardDifference:
    """What differs between two cards.

    Parameters
    ----------
    cues
        Class and words of each cue that one card has and the other has not, or shows otherwise.
    figures
        Classes whose other figures differ: the unexplained share, the share without words, or the
        range gauge.
    words
        Words of those cues.
    changes
        How many edits of words tell them apart: words that were added, dropped or changed in
        strength or test, a renaming counted once. 1 where figures alone differ, 0 where nothing.
    """

    cues: frozenset[tuple[str, str]]
    figures: frozenset[str]
    words: frozenset[str]
    changes: int

    @property
    def near(self) -> bool:
        """Whether one change tells the cards apart."""
        return self.changes <= 1

    @cached_property
    def classes(self) -> frozenset[str]:
        """Classes in which anything differs."""
        return self.figures | {name for name, _ in self.cues}


_Shown = tuple[float, tuple[tuple[str, str], ...]]


class CardProfile:
    """A card prepared for being compared with many."""

    def __init__(self, card: Card) -> None:
        self.hash = card.hash
        self.units: dict[str, set[str]] = {}
        self.by_words: dict[str, dict[str, list[_Shown]]] = {}
        self.figures = {
            e.name: (
                None if e.unexplained is None else round(e.unexplained[0], 2),
                None if e.wordless is None else round(e.wordless, 2),
                e.outside,
            )
            for e in card.classes
        }
        self.agreement = card.agreement
        for entry in card.classes:
            for cue in entry.cues:
                self.units.setdefault(cue.words, set()).update(cue.units)
                self.by_words.setdefault(cue.words, {}).setdefault(entry.name, []).append(
                    _shown(cue)
                )


def card_difference(a: Card | CardProfile, b: Card | CardProfile) -> CardDifference:
    """Return where two cards differ.

    Parameters
    ----------
    a, b
        Cards, or their profiles where many are compared. Units' names do not count: nobody reads
        them.
    """
    one = a if isinstance(a, CardProfile) else CardProfile(a)
    other = b if isinstance(b, CardProfile) else CardProfile(b)
    cues: set[tuple[str, str]] = set()
    for words in {*one.by_words, *other.by_words}:
        here, there = one.by_words.get(words, {}), other.by_words.get(words, {})
        cues |= {
            (name, words)
            for name in {*here, *there}
            if not _alike(here.get(name, []), there.get(name, []))
        }
    words_changed = frozenset(words for _, words in cues)
    figures = frozenset(
        name
        for name in {*one.figures, *other.figures}
        if one.figures.get(name) != other.figures.get(name)
    )
    changes = _count_changes(one, other, words_changed)
    if not changes and (figures or one.agreement != other.agreement):
        changes = 1
    return CardDifference(frozenset(cues), figures, words_changed, changes)


def _count_changes(one: CardProfile, other: CardProfile, words: frozenset[str]) -> int:
    """Count words that differ; words that left and words that came on the same units are one."""
    left = {w for w in words if w not in other.by_words}
    came = {w for w in words if w not in one.by_words}
    renamed = 0
    free = set(came)
    for word in sorted(left):
        match = next((c for c in sorted(free) if one.units[word] == other.units[c]), None)
        if match is not None:
            free.discard(match)
            renamed += 1
    return len(words) - renamed


def _shown(cue: Cue) -> _Shown:
    return cue.strength, tuple((m.population, m.verdict) for m in cue.matches)


def _alike(one: list[_Shown], other: list[_Shown]) -> bool:
    if len(one) != len(other):
        return False
    return all(
        abs(a[0] - b[0]) <= SAME_STRENGTH and (a[0] > 0) == (b[0] > 0) and a[1] == b[1]
        for a, b in zip(sorted(one), sorted(other), strict=True)
    )
