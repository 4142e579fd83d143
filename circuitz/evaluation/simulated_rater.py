"""A rater in code, who sees what pictures show, knows no class, and reads only the card.

It stands in for a person and is labelled *simulated* wherever a figure rests on it. Nothing of
it may be used by the prior or the likelihood: it goes through the card topic by topic (ears, tail,
coat), over the few it has the patience to read, and ranks by the share that agrees, in grades of
words rather than in figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.rater_answer import Answer, Perceived
from circuitz.disk.hashing import json_hash
from circuitz.errors import LabellingError
from circuitz.store.judgement import RaterKind

Exclusive = Sequence[Sequence[str]]
_SECONDS_A_CUE, _SECONDS_TO_LOOK = 0.35, 1.2


@dataclass(frozen=True)
class _Habits:
    """The hidden parameters: how this rater weighs what it reads."""

    weights: dict[str, float]
    against: float
    absence: float
    attention: int
    sharpness: float
    wobble: float


class SimulatedRater:
    """A simulated person with a stated error rate and hidden habits.

    Parameters
    ----------
    perception_error
        Chance that an attribute is seen wrongly: for an attribute with several values (ears:
        pointed, floppy, rounded) another value is seen, for a lone concept presence and absence
        are exchanged.
    lapse
        Chance of answering at random for no reason.
    seed
        Draws the hidden habits and all errors. The same input is perceived in the same way
        under every card, so that cards are compared on equal eyes.
    exclusive
        Groups of concepts of which one thing has one at most, as everybody knows of ears and
        grounds. A group is one topic to this rater.
    name
        As written into judgements.
    """

    def __init__(
        self,
        perception_error: float = 0.05,
        lapse: float = 0.02,
        seed: int = 0,
        *,
        exclusive: Exclusive = (),
        name: str | None = None,
    ) -> None:
        for what, value in (("perception error", perception_error), ("lapse", lapse)):
            if not 0 <= value <= 1:
                raise LabellingError(f"The {what} is {value}.", "It is a share, from 0 to 1.")
        self.perception_error = perception_error
        self.lapse = lapse
        self.seed = seed
        self.exclusive = tuple(tuple(group) for group in exclusive)
        self._topic = {concept: group[0] for group in self.exclusive for concept in group}
        self._name = name or f"simulated-{seed}"
        self._habits = _draw_habits(np.random.default_rng([seed, 0xCA2D]))

    @property
    def name(self) -> str:
        """Who it is, as written into judgements."""
        return self._name

    @property
    def kind(self) -> RaterKind:
        """Always ``simulated``."""
        return "simulated"

    @property
    def hash(self) -> str:
        """Names this very rater: error rates, seed, habits and what excludes what."""
        habits = asdict(self._habits)
        parts = [self.perception_error, self.lapse, self.seed, habits, self.exclusive]
        return json_hash(parts)[:12]

    def __repr__(self) -> str:
        return (
            f"SimulatedRater({self._name!r}, perception_error={self.perception_error}, "
            f"lapse={self.lapse})"
        )

    def perceive(
        self,
        concepts: npt.NDArray[np.float32],
        names: Sequence[str],
        *,
        key: str,
    ) -> dict[str, bool]:
        """Look at one input.

        Parameters
        ----------
        concepts
            ``(c,)`` of 0, 1 or NaN (cannot be seen): what the input really shows.
        names
            Names of the columns.
        key
            Names the input; the same key is perceived in the same way again.

        Returns
        -------
        dict of str to bool
            What the rater believes to see.
        """
        rng = self._random_stream("look", key)
        column = {name: i for i, name in enumerate(names)}
        groups = [[n for n in group if n in column] for group in self.exclusive]
        grouped = {name for group in groups for name in group}
        seen: dict[str, bool] = {}
        # Every group draws the same numbers whether or not it errs: errors at one rate are among
        # the errors at a higher one.
        for group in groups:
            values = np.array([concepts[column[name]] for name in group])
            wrong, which = rng.random(), rng.random()
            if np.isnan(values).any():
                continue
            present = [i for i, v in enumerate(values) if v > 0.5]
            if wrong < self.perception_error and len(present) == 1 and len(group) > 1:
                others = [i for i in range(len(group)) if i != present[0]]
                present = [others[int(which * len(others))]]
            seen |= {name: i in present for i, name in enumerate(group)}
        for name in names:
            if name in grouped:
                continue
            wrong = rng.random()
            if not np.isnan(concepts[column[name]]):
                present_here = bool(concepts[column[name]] > 0.5)
                seen[name] = present_here ^ (wrong < self.perception_error)
        return seen

    def answer(
        self, card: Card, perceived: Perceived, *, options: Sequence[str], seed: int
    ) -> Answer:
        """Say which option the input is; a card that says nothing gets a random answer.

        For each option the first topics of its entry are read. What is seen of a topic agrees or
        disagrees as the card says of it; when nothing the card names is there, that disagrees a
        little if something was expected, and agrees a little if the card only warns. Options are
        ranked by agreement over everything read.

        Raises
        ------
        LabellingError
            If there are no options.
        """
        if not options:
            raise LabellingError("There are no options to choose from.", "Name the classes.")
        rng = self._random_stream("answer", str(seed))
        entries = {entry.name: entry for entry in card.classes}
        pairs = [
            self._agreement_and_topic_count(entries.get(option), perceived) for option in options
        ]
        agreement = np.array([a for a, _ in pairs])
        cues_read = sum(n for _, n in pairs)
        sure = np.exp(self._habits.sharpness * (agreement - agreement.max()))
        probabilities = (1 - self.lapse) * sure / sure.sum() + self.lapse / len(options)
        # Drawn always, in this order, so that answers under two cards differ by the cards alone.
        lapsed, anything = rng.random() < self.lapse, int(rng.integers(len(options)))
        felt = agreement + self._habits.wobble * rng.standard_normal(len(options))
        pick = anything if lapsed or not cues_read else int(felt.argmax())
        seconds = _SECONDS_TO_LOOK + _SECONDS_A_CUE * cues_read * rng.uniform(0.6, 1.4)
        return Answer(
            tuple(options),
            tuple(float(p) for p in probabilities / probabilities.sum()),
            options[pick],
            round(float(seconds), 2),
        )

    def _agreement_and_topic_count(
        self, entry: ClassEntry | None, perceived: Perceived
    ) -> tuple[float, int]:
        """Agreement from about -1 to 1, and how many topics it rests on."""
        habits = self._habits
        topics: dict[str, list[Cue]] = {}
        for cue in () if entry is None else entry.cues:
            # What is marked as not holding is not relied on.
            if cue.counts and _sees_any_concept_of_cue(cue, perceived) is not None:
                topic = self._topic.get(cue.concepts[0], cue.concepts[0])
                topics.setdefault(topic, []).append(cue)
        total, most = 0.0, 0.0
        for cues in list(topics.values())[: habits.attention]:
            weights = [self._signed_cue_weight(cue) for cue in cues]
            there = [
                w
                for cue, w in zip(cues, weights, strict=True)
                if _sees_any_concept_of_cue(cue, perceived)
            ]
            expected = max((w for w in weights if w > 0), default=0.0)
            if there:
                total += sum(there)
            elif expected:
                total -= habits.absence * expected
            else:
                total -= habits.absence * min(weights)
            most += max(map(abs, weights))
        # One unit of doubt: a class with a single slight cue cannot agree fully.
        return total / (most + 1.0), min(len(topics), habits.attention)

    def _signed_cue_weight(self, cue: Cue) -> float:
        """Weight of a cue, negative when it speaks against."""
        weight = self._habits.weights[cue.strength_grade]
        return weight if cue.speaks_for_class else -weight * self._habits.against

    def _random_stream(self, purpose: str, key: str) -> np.random.Generator:
        digest = hashlib.sha256(f"{purpose}\x00{self.seed}\x00{key}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def _sees_any_concept_of_cue(cue: Cue, perceived: Perceived) -> bool | None:
    """Whether any concept of the cue is seen; ``None`` when the rater can see none of them."""
    known = [perceived[c] for c in cue.concepts if c in perceived]
    return any(known) if known else None


def _draw_habits(rng: np.random.Generator) -> _Habits:
    return _Habits(
        weights={
            "very strong": float(rng.uniform(4.5, 6.5)),
            "strong": float(rng.uniform(2.2, 3.0)),
            "some": float(rng.uniform(1.3, 1.8)),
            "slight": float(rng.uniform(0.6, 0.9)),
        },
        against=float(rng.uniform(0.6, 0.9)),
        absence=float(rng.uniform(0.5, 0.8)),
        attention=int(rng.integers(4, 7)),
        sharpness=float(rng.uniform(4.0, 7.0)),
        wobble=float(rng.uniform(0.01, 0.03)),
    )
