"""Fit M_L to the labels that people give who hold a card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.cards.judged.class_answer import ClassAnswer
from circuitz.errors import PosteriorError
from circuitz.posterior.likelihood_from_people.cue_evidence import (
    CueEvidence,
    SeenWords,
    cue_evidence,
    displayed_steps,
)
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.likelihood_from_people.label_probabilities import (
    LabelledEvidence,
    class_probabilities,
)
from circuitz.posterior.likelihood_from_people.likeliest_weights import find_likeliest_weights
from circuitz.posterior.prior_from_people.compared_cards import cards_by_hash

F64 = npt.NDArray[np.float64]


def fit_likelihood(
    answers: Iterable[ClassAnswer],
    cards: Mapping[str, Card] | Sequence[Card],
    activities: Mapping[str, CardActivity] | Sequence[CardActivity] = (),
    *,
    seen: Mapping[str, SeenWords] | None = None,
    members: int = 5,
    seed: int = 0,
) -> FittedLikelihood:
    """Learn how people who hold a card, and believe its words, label inputs.

    Parameters
    ----------
    answers
        Answers of both arms; which of them to learn from is the caller's choice.
    cards
        The cards that were held, by hash or alone.
    activities
        What was displayed of the inputs, by hash or alone: the hidden arm needs it.
    seen
        Of each input (by item hash), whether it shows each word: what the shown arm reads. It may
        come from answers to "does it show w?" or from labels; a missing word could not be told.
    members
        Fits with raters and z's drawn again, whose spread is the error.
    seed
        Seed of the members.

    Raises
    ------
    PosteriorError
        If no answer names a class of a card that is there, or members are negative.

    Notes
    -----
    Maximum a posteriori by L-BFGS, raters' ways of reading and their sureness summed over. Matches
    are not read in the hidden arm: wrong words are the prior's business alone.
    """
    if members < 0:
        raise PosteriorError(f"{members} members cannot be fitted.", "Ask for 0 or more.")
    every = list(answers)
    held = cards_by_hash(cards)
    classes = tuple(sorted({name for card in held.values() for name in card.names}))
    raters = tuple(sorted({one.rater for one in every}))
    columns, counts = _labelled_evidence(every, held, _by_hash(activities), seen or {}, classes)
    if not len(columns):
        raise PosteriorError(
            f"None of {len(every)} answers names a class of the {len(held)} cards.",
            "Give the cards that were held, and the activities or the words seen.",
        )
    best = find_likeliest_weights(columns, len(raters))
    rng = np.random.default_rng(seed)
    drawn = [
        find_likeliest_weights(columns, len(raters), _importance(columns, rng), best.theta).weights
        for _ in range(members)
    ]
    return FittedLikelihood(
        classes=classes,
        weights=best.weights,
        members=tuple(drawn),
        raters={
            name: round(float(np.exp(t)), 6)
            for name, t in zip(raters, best.log_sureness, strict=True)
        },
        counts=counts,
        remarks=tuple(_remarks(counts, columns, classes)),
        seed=seed,
    )


def answer_losses(
    likelihood: FittedLikelihood,
    answers: Iterable[ClassAnswer],
    cards: Mapping[str, Card] | Sequence[Card],
    activities: Mapping[str, CardActivity] | Sequence[CardActivity] = (),
    *,
    seen: Mapping[str, SeenWords] | None = None,
) -> F64:
    """Return − log of how likely each answer was held to be, ``(m,)`` nats, in their order.

    Everybody counts as somebody new. Answers that name no class, or are about what is not there,
    get NaN.
    """
    held = cards_by_hash(cards)
    displayed = _by_hash(activities)
    found: list[float] = []
    for one in answers:
        columns, _ = _labelled_evidence([one], held, displayed, seen or {}, likelihood.classes)
        if not len(columns):
            found.append(float("nan"))
            continue
        shares = class_probabilities(likelihood.weights, columns.evidence, offered=columns.offered)
        found.append(-float(np.log(shares[0, columns.choice[0]])))
    return np.array(found)


def _labelled_evidence(
    answers: Sequence[ClassAnswer],
    cards: Mapping[str, Card],
    activities: Mapping[str, CardActivity],
    seen: Mapping[str, SeenWords],
    classes: Sequence[str],
) -> tuple[LabelledEvidence, dict[str, int]]:
    """Sort answers into columns, and count those that are left out."""
    counts: Counter[str] = Counter()
    index = {name: k for k, name in enumerate(classes)}
    number = {key: i for i, key in enumerate(sorted(cards))}
    rater = {name: i for i, name in enumerate(sorted({one.rater for one in answers}))}
    kept: list[tuple[CueEvidence, npt.NDArray[np.bool_], int, int, int]] = []
    for one in answers:
        card = cards.get(one.card_hash)
        activity = activities.get(one.activity_hash)
        if not one.names_class:
            counts[one.choice] += 1
        elif card is None:
            counts["unknown card"] += 1
        elif one.choice not in card.names or one.choice not in index:
            counts["unknown class"] += 1
        elif (one.arm == "hidden" and activity is None) or (
            one.arm == "shown" and one.item not in seen
        ):
            counts[f"{one.arm} without what was seen"] += 1
        else:
            counts[one.arm] += 1
            steps = None if activity is None else displayed_steps(card, [activity])
            words = [seen[one.item]] if one.arm == "shown" else None
            evidence = cue_evidence(card, classes, arm=one.arm, steps=steps, seen=words)
            could = set(card.names) & set(one.options) if one.options else set(card.names)
            offered = np.array([name in could or name == one.choice for name in classes])
            kept.append(
                (evidence, offered, index[one.choice], rater[one.rater], number[one.card_hash])
            )
    k = len(classes)
    return LabelledEvidence(
        CueEvidence.concatenated([row[0] for row in kept], k),
        np.array([row[1] for row in kept], bool).reshape(-1, k),
        *(np.array([row[i] for row in kept], np.int64) for i in (2, 3, 4)),
    ), dict(counts)


def _by_hash(
    activities: Mapping[str, CardActivity] | Sequence[CardActivity],
) -> Mapping[str, CardActivity]:
    if isinstance(activities, Mapping):
        return activities
    return {activity.hash: activity for activity in activities}


def _importance(answers: LabelledEvidence, rng: np.random.Generator) -> F64:
    """Draw how much each answer counts when raters and z's are drawn again (Bayesian bootstrap)."""
    drawn = np.ones(len(answers))
    for group in (answers.rater, answers.card):
        if len(np.unique(group)) > 1:
            drawn *= rng.exponential(size=int(group.max()) + 1)[group]
    return drawn * len(drawn) / drawn.sum()


def _remarks(
    counts: Mapping[str, int], answers: LabelledEvidence, classes: Sequence[str]
) -> list[str]:
    remarks = [
        f"{n} answers: {what}; left out."
        for what, n in sorted(counts.items())
        if what not in ("hidden", "shown")
    ]
    if len(np.unique(answers.rater)) == 1:
        remarks.append("One rater alone: how far people differ cannot be learned.")
    if "hidden" not in counts:
        remarks.append("Nobody labelled without the picture: the arm that J reads was not tried.")
    never = [name for k, name in enumerate(classes) if k not in set(answers.choice.tolist())]
    if never:
        remarks.append(f"Nobody ever chose {', '.join(never)}.")
    return remarks
