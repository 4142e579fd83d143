"""Where a card's plausibility comes from: what each cue and figure adds to s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from circuitz.cards.card import Card
from circuitz.posterior.prior_from_people.card_score import (
    CARD_SLICE,
    CLASS_SLICE,
    SPEAKING_AGAINST,
    ScoreWeights,
    TermScales,
    score_cards,
)
from circuitz.posterior.prior_from_people.card_terms import (
    CARD_FIGURES,
    CLASS_FIGURES,
    TrustRule,
    card_terms,
    trust_in_cue,
    word_of_cue,
)
from circuitz.posterior.prior_from_people.word_indicators import INDICATORS


@dataclass(frozen=True)
class ScorePart:
    """What one thing on the card adds to its plausibility.

    Parameters
    ----------
    class_name
        The class it stands at; empty for what is said of the whole card.
    what
        The cue's words, or the figure's name.
    added
        To s; negative makes the z less plausible.
    """

    class_name: str
    what: str
    added: float


@dataclass(frozen=True)
class ScoreExplanation:
    """The parts of one card's plausibility, the largest first.

    Parameters
    ----------
    score
        s, the sum of the parts.
    parts
        Cues, figures, the level that all cards have, and *worst class*: what is lost because one
        class is worse than the others, beyond what its own parts show.
    """

    score: float
    parts: tuple[ScorePart, ...]


def explain_score(
    card: Card,
    scales: TermScales,
    weights: ScoreWeights,
    word_weight: Callable[[str], float],
    rule: TrustRule = "verdict",
) -> ScoreExplanation:
    """Take s of a card apart."""
    words = sorted({w for e in card.classes for cue in e.cues for w in word_of_cue(cue)})
    kappa = np.array([word_weight(word) for word in words])
    terms = scales.standardise(card_terms([card], words, rule))
    alone = ScoreWeights(weights.beta, np.zeros(len(INDICATORS)), kappa)
    scored = score_cards(alone, terms, np.zeros((len(words), len(INDICATORS))))
    against = float(weights.beta[SPEAKING_AGAINST])
    weight = dict(zip(words, kappa, strict=True))
    parts: list[ScorePart] = []
    for row, entry in enumerate(card.classes):
        share = float(scored.share[row])
        for cue in entry.cues:
            trust = trust_in_cue(cue, rule)
            drive = abs(cue.strength) * trust / scales.drive / len(word_of_cue(cue))
            sign = 1.0 if cue.speaks_for_class else against
            added = share * sign * drive * sum(weight[w] for w in word_of_cue(cue))
            parts.append(ScorePart(entry.name, cue.words, float(added)))
        figures = terms.classes[row] * weights.beta[CLASS_SLICE] * share
        parts += [
            ScorePart(entry.name, name, float(v))
            for name, v in zip(CLASS_FIGURES, figures, strict=True)
        ]
    of_card = terms.cards[0] * weights.beta[CARD_SLICE]
    parts += [ScorePart("", name, float(v)) for name, v in zip(CARD_FIGURES, of_card, strict=True)]
    parts.append(ScorePart("", "level", float(weights.beta[0])))
    score = float(scored.total[0])
    parts.append(ScorePart("", "worst class", score - sum(part.added for part in parts)))
    parts.sort(key=lambda part: (-abs(part.added), part.class_name, part.what))
    return ScoreExplanation(score, tuple(part for part in parts if part.added != 0))
