"""What M_prior is held against: two minutes of yes and no, and cards with something taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from circuitz.bench.people.asked_comparisons import AskedPairs
from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.posterior.prior_from_people.fit_prior import calibrate_prior, fit_prior
from circuitz.posterior.prior_from_people.word_indicators import WordFeatures

YES_NO_WORDS = 24


def prior_controls(
    learned_from: AskedPairs, fresh: AskedPairs, lineage: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """Return the accuracy on fresh answers of what is simpler, or knows less.

    Returns
    -------
    dict of str to float or None
        ``yes_no``: 24 answers to *is w part of what makes a kind of this thing?* and a fixed
        formula; ``no_word_features``, ``shuffled_word_features``: M_prior without what WordNet
        says; ``words_blanked``: the figures of the cards alone; ``figures_blanked``: the words
        alone; ``d_in_place_of_d_prime``: what holds on D stands for D′.
    """

    def accuracy(
        change: Callable[[Card], Card] | None = None, words: WordFeatures = "wordnet"
    ) -> float | None:
        train = {k: change(c) if change else c for k, c in learned_from.cards.items()}
        test = {k: change(c) if change else c for k, c in fresh.cards.items()}
        prior = fit_prior(
            learned_from.comparisons, train, lineage=lineage, seed=seed, words=words, members=0
        )
        found = calibrate_prior(prior, fresh.comparisons, test).accuracy
        return None if found is None else found.estimate

    return {
        "yes_no": _yes_no_accuracy(learned_from, fresh, seed),
        "no_word_features": accuracy(words="none"),
        "shuffled_word_features": accuracy(words="shuffled"),
        "words_blanked": accuracy(card_with_words_blanked),
        "figures_blanked": accuracy(card_with_figures_blanked),
        "d_in_place_of_d_prime": accuracy(card_with_d_for_d_prime),
    }


def card_with_words_blanked(card: Card) -> Card:
    """Return the card with one and the same text on every cue."""
    return _with_cues(card, lambda cue: replace(cue, words="a word", concepts=()))


def card_with_figures_blanked(card: Card) -> Card:
    """Return the card with its words alone: all cues as strong, nothing measured beside them."""
    plain = _with_cues(
        card,
        lambda cue: replace(cue, strength=0.1 if cue.speaks_for_class else -0.1, interval=None),
    )
    return replace(
        plain,
        classes=tuple(ClassEntry(entry.name, entry.cues) for entry in plain.classes),
        agreement=(),
    )


def card_with_d_for_d_prime(card: Card) -> Card:
    """Return the card with the match on D in place of the one on D′."""

    def changed(cue: Cue) -> Cue:
        on_d = next((m for m in cue.matches if m.population == "D"), None)
        if on_d is None:
            return cue
        return replace(
            cue,
            matches=tuple(
                replace(on_d, population="D'") if m.population == "D'" else m for m in cue.matches
            ),
        )

    return _with_cues(card, changed)


def legitimate_drive(card: Card, part: Mapping[str, bool]) -> float:
    """Return the fixed formula of the yes-and-no control.

    Mean over classes: drive of what is part of the thing, less drive of what is not or was not
    asked about, less the unexplained share; what is marked as failing counts as not part.
    """
    totals: list[float] = []
    for entry in card.classes:
        total = 0.0 if entry.unexplained is None else -entry.unexplained[0]
        for cue in entry.cues:
            fine = (
                cue.counts and bool(cue.concepts) and all(part.get(c, False) for c in cue.concepts)
            )
            total += abs(cue.strength) if fine else -abs(cue.strength)
        totals.append(total)
    return float(np.mean(totals))


def _yes_no_accuracy(learned_from: AskedPairs, fresh: AskedPairs, seed: int) -> float | None:
    """Ask the people learned from about the commonest words, and rank fresh pairs by the formula."""
    counts: dict[str, int] = {}
    for card in learned_from.cards.values():
        for name in card.concepts:
            counts[name] = counts.get(name, 0) + 1
    asked = sorted(counts, key=lambda name: (-counts[name], name))[:YES_NO_WORDS]
    rng = np.random.default_rng([seed, 11])
    part = {
        word: learned_from.people[int(rng.integers(len(learned_from.people)))].is_part(word)
        for word in asked
    }
    score = {key: legitimate_drive(card, part) for key, card in fresh.cards.items()}
    right = [
        0.5 if score[c.a_hash] == score[c.b_hash]
        else float((score[c.a_hash] > score[c.b_hash]) == (c.outcome == "a"))
        for c in fresh.comparisons
        if c.preferred
    ]  # fmt: skip
    return float(np.mean(right)) if right else None


def _with_cues(card: Card, change: Callable[[Cue], Cue]) -> Card:
    return replace(
        card, classes=tuple(replace(e, cues=tuple(map(change, e.cues))) for e in card.classes)
    )
