"""Train the present network on pictures in which one concept of the start is edited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from circuitz.cards.card import Card
from circuitz.errors import SearchError
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.kernels.kernel import ZProposal
from circuitz.zstar.kernels.network_trainer import NetworkTrainer
from circuitz.zstar.kernels.prior_plan import (
    column_of_word,
    gains_without_word,
    plan_from_prior,
)

# Share of draws in which every concept is as likely as any other: the prior may be wrong of one.
_ANY = 0.25


@dataclass(frozen=True)
class EditPixels:
    """Edits one concept in the training pictures: do(concept), by masks, pairs or labels alone.

    Parameters
    ----------
    trainer
        Trains, and edits; what cannot be edited fails with the reason.
    prior, card_of
        What people make of words, and the card of a z.
    """

    trainer: NetworkTrainer
    prior: FittedPrior
    card_of: Callable[[ZState], Card]
    name: str = "edit pixels"

    def chances(self) -> dict[str, float]:
        """Return how likely each word of the start that the concept set has is drawn."""
        networks = self.trainer.networks
        first = networks.state_of("start")
        concepts = networks.trained("start").concept_set
        assert concepts is not None
        lexicon = networks.lexicon
        words = [w for w in first.vocabulary if column_of_word(w, concepts, lexicon) is not None]
        if not words:
            return {}
        gains = gains_without_word(self.prior, self.card_of(first))
        gain = np.array([max(gains.get(word, 0.0), 0.0) for word in words])
        even = np.full(len(words), 1 / len(words))
        shares = even if gain.sum() <= 0 else _ANY * even + (1 - _ANY) * gain / gain.sum()
        return dict(zip(words, shares.tolist(), strict=True))

    def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
        """Return the state on a network trained on edited pictures."""
        chances = self.chances()
        if not chances:
            return None
        word = list(chances)[int(rng.choice(len(chances), p=list(chances.values())))]
        networks = self.trainer.networks
        start, network = networks.trained("start"), networks.network_of(state)
        assert start.concept_set is not None
        column = column_of_word(word, start.concept_set, networks.lexicon)
        assert column is not None
        concept = start.concept_set.concept_names[column]
        edited = tuple(sorted({*state.edited, concept}))
        if self.trainer.editor_of(edited) is None or concept in self.trainer.edits.unedited:
            raise SearchError(
                self.trainer.edits.unedited.get(concept, f"{concept!r} cannot be edited."),
                "Give masks or pairs of it, or more labels.",
            )
        plan, aimed = plan_from_prior(
            state, network, self.prior, self.card_of(state), unwanted=word
        )
        # Half the range of the weight kernel: the edit is what is tried here, not the size.
        size = self.trainer.draw_size(rng)
        size = replace(size, steps=max(size.steps, self.trainer.steps // 2))
        made = self.trainer.train(replace(aimed, edited=edited), plan, size)
        what = f"edit ‘{word}’ in pictures, train {size.steps} steps"
        return ZProposal(made, what, readings=(self.trainer.read_anew(made),))
