"""A pool of cards, and people who judge them by rules of thumb, not by a weighted sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.judged.comparison import Comparison
from circuitz.z.word_match import WordMatch

PARTS = ("pointed ears", "curled tail", "fluffy coat", "short legs", "paws", "muzzle")
SURROUNDINGS = ("snow", "sand", "water", "grass", "watermark")
CLASSES = ("husky", "corgi", "poodle", "collie")


def cue(word: str, strength: float, *, low: float = 0.7, fails: bool = False) -> Cue:
    matches = tuple(
        WordMatch(population, "fails" if fails else "holds", low + 0.1, low, low + 0.2, 40)
        for population in ("concepts", "D", "D'")
    )
    return Cue(word, (word,), (f"conv4:{word}",), round(float(strength), 4), matches=matches)


def random_card(rng: np.random.Generator) -> Card:
    """Between none and all of the classes lean on surroundings."""
    entries: list[ClassEntry] = []
    leaning = rng.random()
    for name in CLASSES:
        words = [str(w) for w in rng.choice(PARTS, size=int(rng.integers(1, 4)), replace=False)]
        cues = [
            cue(w, rng.uniform(0.05, 0.5) * rng.choice([1, 1, 1, -1]), fails=rng.random() < 0.1)
            for w in words
        ]
        if rng.random() < leaning:
            cues.append(cue(str(rng.choice(SURROUNDINGS)), rng.uniform(0.1, 0.8)))
        cues.sort(key=lambda c: -abs(c.strength))
        left = float(rng.uniform(0, 0.8))
        entries.append(ClassEntry(name, tuple(cues), (left, left - 0.05, left + 0.05), left / 2))
    return Card(tuple(entries), "dog", z_hash=str(rng.integers(1 << 30)))


def opinion(card: Card) -> float:
    """What they all think: by thumb, class by class; the two worst classes decide."""
    marks: list[float] = []
    for entry in card.classes:
        mark = 1.0
        for c in entry.cues:
            if not c.counts:
                mark -= 0.3
            elif c.words in SURROUNDINGS:
                mark -= {"very strong": 3.0, "strong": 2.0, "some": 1.0}.get(c.strength_grade, 0.2)
            else:
                mark += {"very strong": 1.5, "strong": 1.0, "some": 0.5}.get(c.strength_grade, 0.1)
        assert entry.unexplained is not None
        marks.append(mark - (1.5 if entry.unexplained[0] > 0.5 else 0.0))
    return float(0.5 + np.mean(marks) + 0.5 * np.mean(sorted(marks)[:2]))


@dataclass
class Crowd:
    """Raters of differing sharpness, who answer by noise added to their opinions."""

    seed: int = 0
    raters: int = 5
    sharpness: float = 1.5
    mind: Callable[[Card], float] = opinion
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        sharp = np.exp(0.3 * self.rng.standard_normal(self.raters))
        self.sharp = self.sharpness * sharp / np.exp(np.log(sharp).mean())

    def compare(self, a: Card, b: Card, rater: int) -> Comparison:
        felt = [self.sharp[rater] * self.mind(c) + self.rng.gumbel() for c in (a, b)]
        threshold = self.rng.gumbel()
        if max(felt) < threshold:
            outcome = "both implausible"
        elif abs(felt[0] - felt[1]) < 0.25:
            outcome = "equal"
        else:
            outcome = "a" if felt[0] > felt[1] else "b"
        return Comparison(a.hash, b.hash, outcome, rater=f"rater {self.seed}-{rater}")

    def compare_pool(self, pool: list[Card], n: int) -> list[Comparison]:
        """n comparisons: a spanning tree first, then at random; a fifth by two raters."""
        order = self.rng.permutation(len(pool))
        pairs = [(int(order[i]), int(order[i + 1])) for i in range(len(pool) - 1)]
        while len(pairs) < n:
            a, b = self.rng.choice(len(pool), size=2, replace=False)
            pairs.append((int(a), int(b)))
            if len(pairs) % 4 == 0:
                pairs.append((int(b), int(a)))
        pairs = pairs[:n]
        return [self.compare(pool[a], pool[b], i % self.raters) for i, (a, b) in enumerate(pairs)]


@pytest.fixture(scope="session")
def pool() -> list[Card]:
    rng = np.random.default_rng(7)
    return [random_card(rng) for _ in range(60)]


@pytest.fixture(scope="session")
def comparisons(pool: list[Card]) -> list[Comparison]:
    return Crowd(seed=1).compare_pool(pool, 300)


def permuted(comparisons: list[Comparison], seed: int = 0) -> list[Comparison]:
    """Outcomes change places: how often each was given stays, and nothing is left to learn."""
    order = np.random.default_rng(seed).permutation(len(comparisons))
    return [
        replace(c, outcome=comparisons[i].outcome) for c, i in zip(comparisons, order, strict=True)
    ]
