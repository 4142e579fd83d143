"""One simulated person: a family, a seed, and answers to every kind of question."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.cards.judged.comparison import COMPARE_OPTIONS, Outcome
from circuitz.cards.rater_answer import Perceived
from circuitz.evaluation.people.card_verdict import verdicts_on_card
from circuitz.evaluation.people.comparing import comparison_chances
from circuitz.evaluation.people.habits import Habits, draw_habits
from circuitz.evaluation.people.labelling_beliefs import class_chances
from circuitz.evaluation.people.world_words import WorldWord, exclusive_topics

_SECONDS_TO_LOOK = 1.2


@dataclass(frozen=True)
class SimulatedPerson:
    """Somebody in code, who sees what screens show and has habits that nobody is told.

    Parameters
    ----------
    family, seed
        Where the hidden parameters are drawn from.
    words
        What everybody knows of the words of the world the pictures are from.
    """

    family: str
    seed: int
    words: Mapping[str, WorldWord]
    _verdicts: dict[str, tuple[float, ...]] = field(
        default_factory=dict[str, tuple[float, ...]], repr=False, compare=False
    )

    @property
    def name(self) -> str:
        """As written into judgements: family and seed, and that it is simulated."""
        return f"simulated-{self.family}-{self.seed}"

    @cached_property
    def habits(self) -> Habits:
        """The hidden parameters."""
        return draw_habits(self.family, self.seed)

    def perceive(self, shown: Perceived, key: str) -> dict[str, bool]:
        """Look at a picture, in the same way every time.

        Parameters
        ----------
        shown
            What it really shows.
        key
            Names the picture.

        Returns
        -------
        What the person believes to see: of a topic another value now and then, of a lone
        concept presence and absence exchanged.
        """
        rng = self.random_stream("look", key)
        seen: dict[str, bool] = {}
        for group in exclusive_topics(dict(self.words), shown):
            wrong, which = rng.random(), rng.random()
            present = [name for name in group if shown[name]]
            if wrong < self.habits.blind:
                if len(group) == 1:
                    present = [] if present else list(group)
                elif len(present) == 1:
                    others = [name for name in group if name not in present]
                    present = [others[int(which * len(others))]]
            seen |= {name: name in present for name in group}
        return seen

    def shows(self, word: str, shown: Perceived, key: str) -> bool | None:
        """Say whether a picture shows a word; ``None`` for one nobody understands."""
        if word not in shown:
            return None
        rng = self.random_stream("shows", f"{word}\x00{key}")
        lapsed, anything = rng.random() < self.habits.lapse, bool(rng.random() < 0.5)
        return anything if lapsed else self.perceive(shown, key)[word]

    def is_part(self, word: str) -> bool:
        """Say whether a word is part of what makes a kind of this thing."""
        rng = self.random_stream("is part", word)
        if rng.random() < self.habits.lapse:
            return bool(rng.random() < 0.5)
        known = self.words.get(word)
        if known is None:
            return False
        return known.kind == "part" or (known.worn and self.habits.worn_are_parts)

    def verdicts(self, card: Card) -> tuple[float, ...]:
        """How plausible the card is found, for every choice of classes looked at."""
        found = self._verdicts.get(card.hash)
        if found is None:
            found = self._verdicts[card.hash] = verdicts_on_card(card, self.habits, self.words)
        return found

    def comparison_chances(self, one: Card, other: Card) -> dict[str, float]:
        """Return the chance of each outcome."""
        return comparison_chances(self.verdicts(one), self.verdicts(other), self.habits)

    def compare(self, one: Card, other: Card, key: str) -> Outcome:
        """Say which of two cards is more plausible."""
        chances = self.comparison_chances(one, other)
        rng = self.random_stream("compare", key)
        return COMPARE_OPTIONS[
            int(rng.choice(len(COMPARE_OPTIONS), p=np.array(list(chances.values()))))
        ]

    def class_chances(
        self,
        card: Card,
        options: Sequence[str],
        *,
        shown: Perceived | None,
        activity: CardActivity | None,
        key: str,
    ) -> npt.NDArray[np.float64]:
        """Return the chance of each class; ``shown`` is ``None`` where the picture is hidden."""
        seen = None if shown is None else self.perceive(shown, key)
        return class_chances(card, options, self.habits, self.words, seen=seen, activity=activity)

    def seconds(self, cues: int, key: str) -> float:
        """How long it takes to read so many cues."""
        rng = self.random_stream("seconds", key)
        return round(_SECONDS_TO_LOOK + self.habits.seconds * cues * rng.uniform(0.6, 1.4), 2)

    def random_stream(self, purpose: str, key: str) -> np.random.Generator:
        """Return the stream of one act of this person; equal acts draw equal numbers."""
        text = f"{purpose}\x00{self.name}\x00{key}"
        return np.random.default_rng(
            int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
        )
