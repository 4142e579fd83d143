"""M_prior on the pool: fitted on some lineages and people, tried on other ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from circuitz.bench.people.asked_comparisons import (
    FRESH_SEEDS,
    TRAIN_SEEDS,
    AskedPairs,
    ask_about_pairs,
    people_of_world,
    preference_shares,
    unique_cards,
)
from circuitz.bench.people.pool_split import some_of, split_by_lineage
from circuitz.bench.people.pooled_z import PooledZ
from circuitz.bench.people.prior_controls import prior_controls
from circuitz.cards.card import Card
from circuitz.cards.judged.comparison import Comparison
from circuitz.evaluation.people.habits import ATTENTIVE
from circuitz.posterior.prior_from_people.fit_prior import calibrate_prior, fit_prior
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior

#: Words that no card of the pool bears, by whether they are parts of an animal.
NEW_PARTS = (
    "whiskers", "snout", "paws", "hooves", "mane", "horns", "claws", "nose", "fangs", "antlers",
)  # fmt: skip
NEW_SURROUNDINGS = (
    "desert", "forest", "road", "sofa", "beach", "mountain", "fog", "fence", "carpet", "meadow",
)  # fmt: skip


@dataclass(frozen=True)
class PriorSizes:
    """How many z's and answers.

    Parameters
    ----------
    zs, comparisons, twice
        Z's learned from at most, answers about them in all, and pairs that two people answer.
    held_zs, held_pairs, held_raters
        Z's held out, pairs of them, and how many fresh people answer each.
    fits
        Fits to preferences dealt out anew, and with word features dealt out anew, each.
    left_out
        Families that are left out of fitting, each in turn.
    """

    zs: int = 150
    comparisons: int = 400
    twice: int = 60
    held_zs: int = 90
    held_pairs: int = 300
    held_raters: int = 3
    fits: int = 6
    left_out: tuple[str, ...] = ATTENTIVE


@dataclass(frozen=True, eq=False)
class PriorStudy:
    """The prior, and what it was fitted on and tried on."""

    prior: FittedPrior
    learned_from: AskedPairs
    fresh: AskedPairs
    figures: dict[str, Any]


def study_prior(
    zs: Sequence[PooledZ],
    *,
    sizes: PriorSizes,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> PriorStudy:
    """Fit M_prior to comparisons of dogs' z's and try it on fresh people and other lineages.

    Returns
    -------
    PriorStudy
        ``figures`` with the keys of the record: ``pairs``, ``accuracy``, ``ceiling``, ``slope``,
        ``twin_rate``, ``new_words``, ``shuffled``, ``family_out``, ``birds``, and ``controls``.
    """
    dogs = [z for z in zs if z.world == "dogs"]
    train, held = split_by_lineage(dogs, seed)
    pool, held_out = some_of(train, sizes.zs, seed), some_of(held, sizes.held_zs, seed)
    lineage = {z.card.hash: z.lineage for z in pool}

    def advance(done: int) -> None:
        if progress is not None:
            progress("M_prior", done, len(sizes.left_out) + 3)

    def ask_train(families: Sequence[str], n: int = sizes.comparisons) -> AskedPairs:
        people = people_of_world("dogs", TRAIN_SEEDS, families)
        twice = min(sizes.twice, n // 5)
        return ask_about_pairs(
            unique_cards(pool), n - twice, people, seed=seed, twice=twice, gold=_gold_pairs(pool)
        )

    def ask_fresh(families: Sequence[str], some: Sequence[PooledZ], world: str) -> AskedPairs:
        people = people_of_world(world, FRESH_SEEDS, families)
        return ask_about_pairs(
            unique_cards(some), sizes.held_pairs, people, seed=seed + 1, raters=sizes.held_raters
        )

    learned_from, fresh = ask_train(ATTENTIVE), ask_fresh(ATTENTIVE, held_out, "dogs")
    prior = fit_prior(learned_from.comparisons, learned_from.cards, lineage=lineage, seed=seed)
    advance(1)
    figures: dict[str, Any] = {
        "zs": len(pool), "held_out_zs": len(held_out),
        "lineages": len({z.lineage for z in pool}),
        "held_out_lineages": sorted({z.lineage for z in held_out}),
        "pairs": len(learned_from.comparisons),
        **score_prior(prior, fresh),
        "twin_rate": _twin_rate(prior, held_out, fresh),
        "new_words": _new_words(learned_from, lineage, prior, sizes.fits, seed),
        "shuffled": _shuffled_accuracy(learned_from, fresh, sizes.fits, seed),
        "remarks": list(prior.remarks),
    }  # fmt: skip
    advance(2)
    figures["family_out"] = {}
    for i, family in enumerate(sizes.left_out):
        others = ask_train([f for f in ATTENTIVE if f != family])
        without = fit_prior(others.comparisons, others.cards, lineage=lineage, seed=seed, members=0)
        found = score_prior(without, ask_fresh([family], held_out, "dogs"))
        figures["family_out"][family] = {n: found[n] for n in ("accuracy", "ceiling", "share")}
        advance(3 + i)
    birds = some_of([z for z in zs if z.world == "birds"], sizes.held_zs, seed)
    figures["birds"] = (
        score_prior(prior, ask_fresh(ATTENTIVE, birds, "birds")) | {"zs": len(birds)}
        if len(birds) > 1
        else None
    )
    figures["controls"] = prior_controls(learned_from, fresh, lineage, seed)
    advance(3 + len(sizes.left_out))
    return PriorStudy(prior, learned_from, fresh, figures)


def score_prior(
    prior: FittedPrior, pairs: AskedPairs, cards: Mapping[str, Card] | None = None
) -> dict[str, Any]:
    """Return accuracy on decided answers, its ceiling, their ratio, and the slope of choices."""
    found = calibrate_prior(prior, pairs.comparisons, pairs.cards if cards is None else cards)
    accuracy, ceiling = found.accuracy, pairs.ceiling
    return {
        "accuracy": None if accuracy is None else accuracy.estimate,
        "accuracy_interval": None if accuracy is None else [accuracy.low, accuracy.high],
        "decided": None if accuracy is None else accuracy.n,
        "ceiling": ceiling,
        "share": None if accuracy is None or not ceiling else accuracy.estimate / ceiling,
        "slope": None
        if found.slope is None
        else [found.slope.estimate, found.slope.low, found.slope.high],
        "log_loss": found.log_loss,
    }


def _gold_pairs(zs: Sequence[PooledZ]) -> list[tuple[str, str]]:
    """Pairs of one network, as proposed and under nonsense: everybody prefers the first."""
    by_network: dict[tuple[str, str], dict[str, str]] = {}
    for z in zs:
        by_network.setdefault((z.lineage, z.network), {})[z.words] = z.card.hash
    return [
        (found["proposed"], found["nonsense"])
        for (_, network), found in by_network.items()
        if network in ("repaired", "decorrelated") and {"proposed", "nonsense"} <= set(found)
    ]


def _twin_rate(
    prior: FittedPrior, zs: Sequence[PooledZ], fresh: AskedPairs
) -> dict[str, float | int | None]:
    """How often a z's twin without words ranks below it: by the model, and by fresh people."""
    named = {(z.lineage, z.network, z.words): z.card for z in zs}
    twins = [
        (card, named[lineage, network, "bare"])
        for (lineage, network, words), card in named.items()
        if words == "proposed" and (lineage, network, "bare") in named
    ]
    if not twins:
        return {"model": None, "raters": None, "n": 0}
    below = [float(prior.score(bare) < prior.score(card)) for card, bare in twins]
    shares = [preference_shares(card, bare, fresh.people) for card, bare in twins]
    said = [a / (a + b) for a, b in shares]
    return {"model": float(np.mean(below)), "raters": float(np.mean(said)), "n": len(twins)}


def _new_words(
    pairs: AskedPairs, lineage: Mapping[str, str], prior: FittedPrior, fits: int, seed: int
) -> dict[str, Any]:
    """How well surroundings nobody compared are told from parts nobody compared."""
    at_random = [
        fit_prior(
            pairs.comparisons, pairs.cards, lineage=lineage, seed=seed + i, words="shuffled",
            members=0,
        )
        for i in range(fits)
    ]  # fmt: skip
    strange = set(NEW_PARTS + NEW_SURROUNDINGS) & set(prior.words)
    return {
        "auroc": _rejection_auroc(prior),
        "random": float(np.mean([_rejection_auroc(one) for one in at_random])),
        "n": len(NEW_PARTS) + len(NEW_SURROUNDINGS),
        "compared_before": sorted(strange),
    }


def _rejection_auroc(prior: FittedPrior) -> float:
    parts = np.array([prior.word_weight(w) for w in NEW_PARTS])
    others = np.array([prior.word_weight(w) for w in NEW_SURROUNDINGS])
    above = (parts[:, None] > others).mean() + 0.5 * (parts[:, None] == others).mean()
    return float(above)


def _shuffled_accuracy(
    learned_from: AskedPairs, fresh: AskedPairs, fits: int, seed: int
) -> float | None:
    """Mean accuracy of priors fitted to preferences dealt out anew; .5 is chance."""
    found = [
        score_prior(_fit_shuffled(learned_from, seed + i), fresh)["accuracy"] for i in range(fits)
    ]
    told = [share for share in found if share is not None]
    return float(np.mean(told)) if told else None


def _fit_shuffled(pairs: AskedPairs, seed: int) -> FittedPrior:
    """Fit to the same answers, dealt out to other pairs, their sides at random."""
    outcomes = [c.outcome for c in pairs.comparisons]
    rng = np.random.default_rng([seed, 9])
    order = rng.permutation(len(outcomes))
    dealt: list[Comparison] = [
        replace(c, outcome=outcomes[int(i)]) for c, i in zip(pairs.comparisons, order, strict=True)
    ]
    return fit_prior(dealt, pairs.cards, seed=seed, members=0)
