"""Train the present network for some steps towards what J rewards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from circuitz.cards.card import Card
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.kernels.kernel import ZProposal
from circuitz.zstar.kernels.network_trainer import NetworkTrainer
from circuitz.zstar.kernels.prior_plan import plan_from_prior


@dataclass(frozen=True)
class TrainWeights:
    """One short training, no concept newly edited (see :mod:`.prior_plan` for what it aims for).

    Parameters
    ----------
    trainer
        Trains.
    prior, card_of
        What people make of words, and the card of a z.
    """

    trainer: NetworkTrainer
    prior: FittedPrior
    card_of: Callable[[ZState], Card]
    name: str = "train weights"

    def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal:
        """Return the state on the trained network."""
        network = self.trainer.networks.network_of(state)
        plan, aimed = plan_from_prior(state, network, self.prior, self.card_of(state))
        size = self.trainer.draw_size(rng)
        made = self.trainer.train(aimed, plan, size)
        what = f"train {size.steps} steps, rate {size.rate:.1e}"
        return ZProposal(made, what, readings=(self.trainer.read_anew(made),))
