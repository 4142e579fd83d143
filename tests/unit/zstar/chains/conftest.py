"""Cards of the block world under many words, and people who like parts and dislike grounds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

import circuitz as cz
from circuitz.cards.card import Card
from circuitz.cards.judged.comparison import Comparison
from circuitz.lexicon.lexicon import Lexicon
from circuitz.posterior.likelihood_from_people.cue_evidence import READINGS
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.likelihood_from_people.label_probabilities import DEPTHS, LikelihoodWeights
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.chains.joint_objective import JointObjective
from circuitz.zstar.chains.searched_networks import SearchedNetworks
from circuitz.zstar.chains.z_state import ZState

WORDS = ("ears", "tail", "legs", "snow", "grass", "sand")


@dataclass(eq=False)
class Opinion:
    """What raters make of a card: words they like, less those they do not, and what is left open."""

    liked: tuple[str, ...] = ("ears", "tail", "legs")
    seed: int = 0

    def __call__(self, card: Card) -> float:
        marks: list[float] = []
        for entry in card.classes:
            mark = 0.0
            for cue in entry.cues:
                good = all(c in self.liked for c in cue.concepts)
                size = min(abs(cue.strength), 0.5)
                mark += size * (6 if good and cue.counts else -6)
            unexplained = entry.unexplained[0] if entry.unexplained else 0.5
            marks.append(mark - 2 * unexplained)
        return float(np.mean(marks))

    def compare(self, cards: list[Card], n: int) -> list[Comparison]:
        rng = np.random.default_rng(self.seed)
        found: list[Comparison] = []
        order = rng.permutation(len(cards))
        pairs = [(int(order[i]), int(order[i + 1])) for i in range(len(cards) - 1)]
        while len(pairs) < n:
            a, b = rng.choice(len(cards), 2, replace=False)
            pairs.append((int(a), int(b)))
        for i, (a, b) in enumerate(pairs[:n]):
            felt = [self(cards[j]) + 0.5 * rng.gumbel() for j in (a, b)]
            outcome = "a" if felt[0] > felt[1] else "b"
            found.append(Comparison(cards[a].hash, cards[b].hash, outcome, rater=f"rater {i % 4}"))
        return found


@pytest.fixture(scope="session")
def networks(caught: AnnotatedModel) -> SearchedNetworks:
    return SearchedNetworks(caught, Lexicon.load(), inputs=60, images=90, seed=0)


@pytest.fixture(scope="session")
def cards(networks: SearchedNetworks) -> list[Card]:
    """The network under words drawn at random, some of them right."""
    rng = np.random.default_rng(3)
    first = networks.state_of("start")
    units = list(networks.network_of(ZState()).drives)
    reader = JointObjective.__new__(JointObjective)
    reader.networks = networks
    found: dict[str, Card] = {}
    while len(found) < 40:
        words = {t: n for t, n in first.words.items() if rng.random() < 0.7}
        struck = rng.choice(WORDS, int(rng.integers(0, 3)), replace=False)
        words = {t: n for t, n in words.items() if not set(n) & set(struck.tolist())}
        for unit in rng.choice(units, int(rng.integers(0, 5)), replace=False):
            words[str(unit)] = (str(rng.choice(WORDS)),)
        card = reader.card_of(ZState(words=words))
        found[card.hash] = card
    return list(found.values())


@pytest.fixture(scope="session")
def prior(cards: list[Card]) -> FittedPrior:
    return cz.fit_prior(Opinion().compare(cards, 160), cards, members=2)


@pytest.fixture(scope="session")
def likelihood() -> FittedLikelihood:
    """People who add up cues, strong ones more."""
    weights = LikelihoodWeights(
        grades=np.array([2.0, 1.5, 1.0, 0.5]),
        values=np.linspace(-0.5, 1.0, len(READINGS)),
        promises=np.ones(len(READINGS)),
        saturation=0.2,
        depths=np.eye(len(DEPTHS))[-1],
        sign_blind=0.1,
        guessing=0.02,
        spread=0.2,
        bias=np.zeros(3),
    )
    bolder = replace(weights, grades=1.2 * weights.grades)
    return FittedLikelihood(("beagle", "corgi", "husky"), weights, (weights, bolder), {}, {})
