"""Cards, what they do on inputs, and people who label by counting the cues that agree."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from circuitz.cards.activity import CardActivity, CueActivity, distinct_cues
from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.judged.class_answer import ClassAnswer

CLASSES = ("husky", "corgi", "poodle", "collie")
WORDS: tuple[str, ...] = (
    "pointed ears",
    "curled tail",
    "fluffy coat",
    "short legs",
    "snow",
    "sand",
    "white face",
)


def random_card(rng: np.random.Generator) -> Card:
    """Every word has a unit; each class has two to four of them, for or against it."""
    entries: list[ClassEntry] = []
    for name in CLASSES:
        words = rng.choice(WORDS, size=int(rng.integers(2, 5)), replace=False)
        sizes = rng.uniform(0.03, 0.7, len(words)) * rng.choice([1, 1, -1], len(words))
        cues = [
            Cue(str(w), (str(w),), (f"conv:{WORDS.index(w)}",), round(float(s), 3))
            for w, s in zip(words, sizes, strict=True)
        ]
        cues.sort(key=lambda c: -abs(c.strength))
        entries.append(ClassEntry(name, tuple(cues)))
    return Card(tuple(entries), "dog")


def random_activity(card: Card, rng: np.random.Generator) -> CardActivity:
    cues = distinct_cues(card)
    steps = rng.integers(-5, 6, len(cues))
    return CardActivity(
        card.hash, tuple(CueActivity(c.words, c.units, int(s)) for c, s in zip(cues, steps, strict=True))
    )  # fmt: skip


@dataclass
class Labellers:
    """They read three cues a class: each that agrees is a vote, strong ones count twice."""

    seed: int = 0
    raters: int = 4
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def probabilities(self, card: Card, evidence: dict[str, float]) -> np.ndarray:
        votes: list[float] = []
        for entry in card.classes:
            vote = 0.0
            for c in entry.cues[:3]:
                agrees = np.sign(c.strength) * evidence[c.words]
                vote += agrees * {"very strong": 2.0, "strong": 1.5, "some": 1.0}.get(
                    c.strength_grade, 0.5
                )
            votes.append(vote)
        raised = np.exp(1.2 * (np.array(votes) - max(votes)))
        return 0.97 * raised / raised.sum() + 0.03 / len(votes)

    def answer(self, card: Card, activity: CardActivity, number: int) -> ClassAnswer:
        """Without the picture: more than usual is there, less is not."""
        evidence = {c.words: float(np.sign(c.step) * (abs(c.step) > 1)) for c in activity.cues}
        choice = str(self.rng.choice(card.names, p=self.probabilities(card, evidence)))
        return ClassAnswer(
            f"item {number}", card.hash, choice, "hidden", card.names,
            rater=f"rater {self.seed}-{number % self.raters}", activity_hash=activity.hash,
        )  # fmt: skip

    def answer_picture(self, card: Card, seen: dict[str, bool | None], number: int) -> ClassAnswer:
        evidence = {w: 0.0 if s is None else 1.0 if s else -0.4 for w, s in seen.items()}
        choice = str(self.rng.choice(card.names, p=self.probabilities(card, evidence)))
        return ClassAnswer(
            f"item {number}", card.hash, choice, "shown", card.names,
            rater=f"rater {self.seed}-{number % self.raters}",
        )  # fmt: skip


@dataclass
class Study:
    cards: list[Card]
    activities: list[CardActivity]
    seen: dict[str, dict[str, bool | None]]
    answers: list[ClassAnswer]


def make_study(seed: int, cards: int, answers: int) -> Study:
    """Both arms in turn."""
    rng = np.random.default_rng(seed)
    study = Study([random_card(rng) for _ in range(cards)], [], {}, [])
    people = Labellers(seed)
    for number in range(answers):
        card = study.cards[int(rng.integers(cards))]
        if number % 2:
            activity = random_activity(card, rng)
            study.activities.append(activity)
            study.answers.append(people.answer(card, activity, number))
        else:
            seen = {w: [True, False, None][int(rng.choice(3, p=[0.4, 0.4, 0.2]))] for w in WORDS}
            study.seen[f"item {number}"] = seen
            study.answers.append(people.answer_picture(card, seen, number))
    return study


@pytest.fixture(scope="session")
def study() -> Study:
    return make_study(1, 24, 640)


@pytest.fixture(scope="session")
def fresh_study() -> Study:
    return make_study(2, 24, 640)
