"""J of the z's of a search, in one place: the only number that accepts or rejects a proposal.

    J(z) = λ s(z) + η Σ over D of log M_L(y | x, z)

All z's are read by one procedure. Nobody was asked about the words of a z that was made a moment
ago, so on every card of a search, the start's among them, tests of words on D and D′ count as not
made, except that a word which fails there on a network goes on failing on it, whatever units
bear it; agreement and range, which were measured of some z's and not of others, are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card, Cue
from circuitz.cards.cue_levels import cue_levels
from circuitz.cards.make_card import card as make_card
from circuitz.plausibility.word_report import report_words
from circuitz.posterior.joint_score import likelihood_weight
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.z.model import AnnotatedModel
from circuitz.z.word_match import Population
from circuitz.z.word_tests import word_tests
from circuitz.zstar.chains.searched_networks import SearchedNetworks
from circuitz.zstar.chains.z_state import ZState

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScoredZ:
    """A z of a search with its J.

    Parameters
    ----------
    state
        The z.
    prior, likelihood
        The two terms as they enter: λ s and η Σ log M_L, nats.
    """

    state: ZState
    prior: float
    likelihood: float

    @property
    def j(self) -> float:
        """J, up to a constant."""
        return self.prior + self.likelihood


class JointObjective:
    """Scores z's, each once.

    Parameters
    ----------
    networks
        Networks of the search.
    prior, likelihood
        Fitted models; without M_L, J is λ s alone.
    lam, eta
        λ and η.
    """

    def __init__(
        self,
        networks: SearchedNetworks,
        prior: FittedPrior,
        likelihood: FittedLikelihood | None,
        *,
        lam: float = 1.0,
        eta: float = 1.0,
    ) -> None:
        self.networks, self.prior, self.likelihood = networks, prior, likelihood
        self.lam, self.eta = lam, eta if likelihood is not None else 0.0
        self._scores: dict[str, ScoredZ] = {}

    def score(self, state: ZState) -> ScoredZ:
        """Return J of a z."""
        found = self._scores.get(state.key)
        if found is None:
            read = self.card_of(state)
            total = float(self.log_chances(state, read).sum()) if self.eta else 0.0
            found = ScoredZ(state, self.lam * self.prior.score(read), self.eta * total)
            self._scores[state.key] = found
        return found

    def remember(self, scored: ScoredZ) -> None:
        """Take in a score that was computed before a stop."""
        self._scores[scored.state.key] = scored

    def card_of(self, state: ZState) -> Card:
        """Return the card of a z as both models read it."""
        return card_of_state(self.networks, state)

    def levels(self, state: ZState, card: Card) -> F64:
        """Return how active the card's cues are on the inputs, ``(n, c)``."""
        network = self.networks.network_of(state)
        return cue_levels(
            card, network.responses, network.units, network.effects, mean=network.usual
        )

    def log_chances(self, state: ZState, card: Card | None = None) -> F64:
        """Return log M_L(y | x, z) on the inputs, ``(n,)``; 0 without M_L."""
        if self.likelihood is None:
            return np.zeros(len(self.networks.rows))
        card = self.card_of(state) if card is None else card
        levels = self.levels(state, card)
        return self.likelihood.log_likelihood(card, self.networks.labels, levels)

    def member_log_chances(self, state: ZState, card: Card | None = None) -> F64:
        """Return log M_L by member, ``(m, n)``; two of 0 without M_L."""
        if self.likelihood is None:
            return np.zeros((2, len(self.networks.rows)))
        card = self.card_of(state) if card is None else card
        levels = self.levels(state, card)
        return self.likelihood.member_log_likelihoods(card, self.networks.labels, levels)

    def fix_eta(self, references: Sequence[ZState]) -> float:
        """Choose η from reference z's, before the run; 1 where there are not two, or no members."""
        if self.likelihood is None or len(self.likelihood.members) < 2 or len(references) < 2:
            return self.eta
        cards = [self.card_of(state) for state in references]
        pairs = list(zip(references, cards, strict=True))
        of_inputs = np.array([self.log_chances(s, c) for s, c in pairs])
        members = np.array([self.member_log_chances(s, c) for s, c in pairs])
        self.eta = likelihood_weight(of_inputs, members.swapaxes(0, 1)).eta
        self._scores.clear()
        return self.eta


def card_of_state(networks: SearchedNetworks, state: ZState) -> Card:
    """Return the card of a z as a search reads it (see the module)."""
    z = networks.realise(state)
    shown = make_card(z, report_words(z, lexicon=networks.lexicon))
    return card_for_search(shown, failures_elsewhere(networks.network_of(state).z))


#: Words that people say fail on D or D′ on one network.
FailuresElsewhere = frozenset[tuple[str, Population]]


def failures_elsewhere(z: AnnotatedModel) -> FailuresElsewhere:
    """Return the words that fail on D or D′ on the network of z, by the tests that z keeps."""
    return frozenset((t.word, t.population) for t in word_tests(z) if t.verdict == "fails")


def card_for_search(card: Card, failures: FailuresElsewhere) -> Card:
    """Return a card with what every z of a search can have on it (see the module)."""
    return replace(
        card,
        agreement=(),
        classes=tuple(
            replace(entry, outside=(), cues=tuple(_cue_for_search(c, failures) for c in entry.cues))
            for entry in card.classes
        ),
    )


def _cue_for_search(cue: Cue, failures: FailuresElsewhere) -> Cue:
    if not cue.matches:
        return cue
    changed = [cue.matches[0]]
    for match in cue.matches[1:]:
        fails = any((name, match.population) in failures for name in cue.concepts)
        verdict: Literal["fails", "untested"] = "fails" if fails else "untested"
        if match.verdict != verdict:
            match = replace(match, verdict=verdict, estimate=None, low=None, high=None, n=0)  # noqa: PLW2901
        changed.append(match)
    return replace(cue, matches=tuple(changed))
