"""What M_prior reads of a card: for every class the words, by sign, and what is not explained.

Everything stands on the card. A word enters by its drive times its *trust*, which goes by the
verdicts that people see: whole where it holds on all three populations, none where it fails anywhere
or could not be matched on the concept set (so it counts as no word), and ``UNTESTED`` where nobody
was asked on D or D′. That number is stated, not fitted, so no fit can learn that leaving a test out
pays. A figure that a card does not tell counts as the average of the cards fitted on, for the same
reason.

Priors of schema 1 trusted a word by the least lower limit of its matches; they are read so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.z.word_match import WordMatch

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
TrustRule = Literal["verdict", "lower limit"]
#: Trust in a word that was not tested on a population: about the share of tested words that hold.
UNTESTED = 0.8
# The same under the older rule: what guessing would get right.
_UNTESTED_LIMIT = 0.5
#: Figures of a class, and of a whole card, beside its words.
CLASS_FIGURES = ("unexplained", "wordless", "words that do not hold")
CARD_FIGURES = ("cues", "agreement", "outside range")


@dataclass(frozen=True, eq=False)
class CardTerms:
    """Terms of several cards; a row is one class of one card.

    Parameters
    ----------
    card
        ``(r,)`` int64: which card a row is of, ascending.
    speaking_for, speaking_against
        ``(r, w)`` float64: summed drive times trust of every word, by sign, sizes.
    classes
        ``(r, 3)`` float64: ``CLASS_FIGURES``; NaN where the card does not tell.
    cards
        ``(n, 3)`` float64: ``CARD_FIGURES``; NaN where the card does not tell.
    """

    card: I64
    speaking_for: F64
    speaking_against: F64
    classes: F64
    cards: F64


def word_of_cue(cue: Cue) -> tuple[str, ...]:
    """Return what a cue is about: its concepts, or, knowing none, its words."""
    return cue.concepts or (" ".join(cue.words.split()).casefold(),)


def words_of_cards(cards: Iterable[Card]) -> tuple[str, ...]:
    """Return all that cues of the cards are about, sorted."""
    found = {
        word
        for card in cards
        for entry in card.classes
        for cue in entry.cues
        for word in word_of_cue(cue)
    }
    return tuple(sorted(found))


def trust_in_cue(cue: Cue, rule: TrustRule = "verdict") -> float:
    """Return the least trust that the cue's matches deserve, 0 to 1 (see the module)."""
    untested = UNTESTED if rule == "verdict" else _UNTESTED_LIMIT
    if not cue.matches:
        return untested
    return min(_trust_in_match(match, rule, untested) for match in cue.matches)


def card_terms(
    cards: Sequence[Card], words: Sequence[str], rule: TrustRule = "verdict"
) -> CardTerms:
    """Read the terms of cards; columns of words as given, other words are left out."""
    column = {word: i for i, word in enumerate(words)}
    rows = [(i, entry) for i, card in enumerate(cards) for entry in card.classes]
    signed = np.zeros((2, len(rows), len(words)))
    classes = np.zeros((len(rows), len(CLASS_FIGURES)))
    for r, (_, entry) in enumerate(rows):
        for cue in entry.cues:
            share = abs(cue.strength) * trust_in_cue(cue, rule) / len(word_of_cue(cue))
            for word in word_of_cue(cue):
                if word in column:
                    signed[0 if cue.speaks_for_class else 1, r, column[word]] += share
        classes[r] = _class_figures(entry)
    return CardTerms(
        card=np.array([i for i, _ in rows], np.int64),
        speaking_for=signed[0],
        speaking_against=signed[1],
        classes=classes,
        cards=np.array([_card_figures(card) for card in cards]).reshape(-1, len(CARD_FIGURES)),
    )


def _trust_in_match(match: WordMatch, rule: TrustRule, untested: float) -> float:
    if match.verdict == "fails":
        return 0.0
    if match.verdict == "untested":
        return 0.0 if match.population == "concepts" else untested
    if rule == "verdict":
        return 1.0
    low = untested if match.low is None else match.low
    return float(np.clip(low, 0.0, 1.0))


def _class_figures(entry: ClassEntry) -> tuple[float, float, float]:
    failing = sum(abs(cue.strength) for cue in entry.cues if not cue.counts)
    return (
        np.nan if entry.unexplained is None else entry.unexplained[0],
        np.nan if entry.wordless is None else entry.wordless,
        failing,
    )


def _card_figures(card: Card) -> tuple[float, float, float]:
    n = max(len(card.classes), 1)
    agreement = [found.share for found in card.agreement if found.population == "D'"]
    outside = [share for entry in card.classes for _, share in entry.outside]
    return (
        float(np.log1p(sum(len(entry.cues) for entry in card.classes) / n)),
        agreement[0] if agreement else np.nan,
        max(outside) if outside else np.nan,
    )
