"""What training is to aim for, read from the fitted prior and the words of a z: no lexicon.

Three of the parts of J have slopes by weights: log M_L through the units that bear words (the class
is to be told with all other units shuffled between pictures: the hidden arm at face value), s through
the drives of units whose words the prior counts against the card (the logits are not to follow
them), and s through matches (responses are to go with what their words say). This makes the plan of
:mod:`circuitz.zstar.weight_step` from them.
"""

from __future__ import annotations

import numpy as np

from circuitz.cards.card import Card
from circuitz.lexicon.lexicon import Lexicon
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.inputs import InputSet
from circuitz.z.targets import target_units
from circuitz.z.unit import Unit
from circuitz.zstar.chains.searched_networks import SearchedNetwork
from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.weight_plan import UNITS_A_CONCEPT, WeightStepPlan


def gains_without_word(prior: FittedPrior, card: Card) -> dict[str, float]:
    """Return how much s would rise if the share of each word on the card vanished."""
    added = {(part.class_name, part.what): part.added for part in prior.explain(card).parts}
    gains: dict[str, float] = {}
    for entry in card.classes:
        for cue in entry.cues:
            for name in cue.concepts:
                share = added.get((entry.name, cue.words), 0.0) / len(cue.concepts)
                gains[name] = gains.get(name, 0.0) - share
    return gains


def column_of_word(word: str, concept_set: InputSet, lexicon: Lexicon) -> int | None:
    """Return the first column of the concept set that a word names; ``None`` where none does."""
    reader = columns_of_concept_set(concept_set, lexicon)
    found = [columns[0] for _, columns in reader.read(word, ()).concepts if columns]
    # Of columns that are one concept the first stands for all.
    names = list(concept_set.concept_names)
    return names.index(reader.concept_of[found[0]]) if found else None


def plan_from_prior(
    state: ZState,
    network: SearchedNetwork,
    prior: FittedPrior,
    card: Card,
    *,
    unwanted: str = "",
) -> tuple[WeightStepPlan, ZState]:
    """Return what to train, and the words of z with those of units recruited for it.

    Parameters
    ----------
    state, network, card
        The z, its network and its card.
    prior
        Whose opinion of words is asked.
    unwanted
        A word to train against whatever the prior makes of it.
    """
    concepts = network.z.concept_set
    assert concepts is not None
    gains = gains_without_word(prior, card)
    against = {word for word, gain in gains.items() if gain > 0} | ({unwanted} - {""})
    columns: dict[int, int] = {}
    silence: set[int] = set()
    for target, names in state.words.items():
        units = [Unit.parse(name).index for name in target_units(target)]
        known = [column_of_word(name, concepts, network.lexicon) for name in names]
        if known[0] is not None:
            columns.update(dict.fromkeys(units, known[0]))
        if against & set(names):
            silence.update(units)
    recruits = _recruits(state, network, prior, against)
    for unit, word in recruits.items():
        column = column_of_word(word, concepts, network.lexicon)
        if column is not None:
            columns[Unit.parse(unit).index] = column
    spoken = set(columns) - silence
    # With no words but unwanted ones there is nowhere for the class to move to.
    size = len(network.units)
    hide = set(range(size)) - spoken if spoken else set[int]()
    plan = WeightStepPlan(
        edit=(unwanted,) if unwanted else (),
        silence=tuple(sorted(silence)),
        hide=tuple(sorted(hide)),
        aims=tuple(sorted(columns.items())),
        surplus=tuple(sorted(silence)),
    )
    return plan, state.with_words({unit: (word,) for unit, word in recruits.items()})


def _recruits(
    state: ZState, network: SearchedNetwork, prior: FittedPrior, against: set[str]
) -> dict[str, str]:
    """Return units without words that are to mean what people like, the best matching first.

    Only words that people compared: of others the prior has a guess, which training would exploit.
    """
    taken = set(state.silenced)
    for target in state.words:
        taken |= set(target_units(target))
    free = [unit for unit in network.matches if unit not in taken]
    known = {word for some in network.matches.values() for word in some}
    liked = sorted(
        (w for w in known & set(prior.words) - against if prior.word_weight(w) > 0),
        key=lambda w: (len(state.bearing(w)), -prior.word_weight(w), w),
    )
    found: dict[str, str] = {}
    for word in liked:
        for _ in range(UNITS_A_CONCEPT - len(state.bearing(word))):
            best = max(
                free, key=lambda u: _finite_match(network.matches[u].get(word)), default=None
            )
            if best is None:
                return found
            found[best] = word
            free.remove(best)
    return found


def _finite_match(score: float | None) -> float:
    return score if score is not None and np.isfinite(score) else -1.0
