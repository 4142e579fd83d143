"""A task pack: everything a labeller's screen needs, and nothing that needs the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.cards.judged.comparison import COMPARE_OPTIONS
from circuitz.disk.hashing import json_hash
from circuitz.errors import LabellingError
from circuitz.labelling.tasks.pack_checks import refuse_unaskable_pack
from circuitz.store.judgement import Use

Kind = Literal["ask", "gold", "again"]
KINDS: tuple[Kind, ...] = ("ask", "gold", "again")
PackKind = Literal["label", "compare", "hypothesis"]
PACK_KINDS: tuple[PackKind, ...] = ("label", "compare", "hypothesis")
LEASE_SECONDS = 600.0


@dataclass(frozen=True)
class Sighting:
    """One cue of the card that is active on an image.

    Parameters
    ----------
    words
        The cue's words, as the card has them.
    units
        Its units that are active there, strongest first.
    level
        How active the strongest is: 0 as where it is off, 1 as where it is on.
    heat
        Index of its map among the pack's maps.
    """

    words: str
    units: tuple[str, ...]
    level: float
    heat: int


@dataclass(frozen=True)
class Question:
    """One image to be labelled.

    Parameters
    ----------
    id
        Tells nothing about the question.
    item
        Content hash of the picture's file.
    kind
        ``ask``; ``gold``, whose answer is known; or ``again``, the same image a second time.
    path
        Where the picture lay, relative to the folder. Never shown: a name may tell the class.
    picture
        File of the pack that holds the picture.
    seen
        What the annotated units see in it.
    word
        The concept that is asked about (does this picture show *snow*?); empty where the answers
        are classes.
    judged_as
        Kind as judgements name it: ``compare``, ``hypothesis``, ``label: hidden``; empty for
        ``label``, and where a word is asked about.
    further
        Content hashes of what is asked about beside the item: the card on the right, or the
        activity that is shown in place of the picture.
    seed
        The order of the items was drawn from it.
    use
        What answers may be used for; by the question's kind when empty.
    """

    id: str
    item: str
    kind: Kind
    path: str
    picture: str
    seen: tuple[Sighting, ...] = ()
    word: str = ""
    judged_as: str = ""
    further: tuple[str, ...] = ()
    seed: int = 0
    use: Use | Literal[""] = ""

    @property
    def items(self) -> tuple[str, ...]:
        """Content hashes of all that is asked about, in the order shown."""
        return (self.item, *self.further)

    @property
    def judgement_kind_and_item(self) -> tuple[str, str]:
        """Kind as judgements name it, and items as one text: what a rater answers once."""
        again = "-again" if self.kind == "again" else ""
        if self.word:
            return (f"concept{again}: {self.word}", self.item)
        name, colon, arm = (self.judged_as or "label").partition(":")
        # A comparison that comes again has its sides swapped: other items already.
        return (f"{name}{again if name == 'label' else ''}{colon}{arm}", " ".join(self.items))


@dataclass(frozen=True, eq=False)
class TaskPack:
    """Questions about pictures, with the card that answers them.

    Parameters
    ----------
    name
        What the raters are told they label.
    card
        The card of z*.
    questions
        In the order they are asked.
    seed
        Seed of the choice, the order, and each rater's order of options.
    overlap
        How many raters answer each question.
    guidelines
        What the raters are told to do; plain text.
    gold
        Known answers by question id.
    heat
        ``(m, h, w)`` uint8 maps of where cues are active, 255 = strongest.
    pictures
        Files that questions name; PNG, JPEG or WebP.
    exemplars
        PNG by index into the concept set.
    lease
        Seconds a question stays with a rater who does not answer.
    plan
        Why each picture was chosen, JSON values by question id. Never shown: it may give the
        answer away.
    kind
        ``label`` (which class, or whether a concept is shown), ``compare`` (which of two cards) or
        ``hypothesis`` (what a class looks like, or a unit sees).
    cards
        Of ``compare``: the cards by hash.
    activities
        Of ``label`` without pictures: what is shown in their place, by hash.
    chips
        Of ``hypothesis``: the words that may be chosen.
    """

    name: str
    card: Card
    questions: tuple[Question, ...]
    seed: int
    overlap: int
    guidelines: str
    gold: Mapping[str, str] = field(default_factory=dict[str, str])
    heat: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 1, 1), np.uint8))
    pictures: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    exemplars: Mapping[int, bytes] = field(default_factory=dict[int, bytes])
    lease: float = LEASE_SECONDS
    plan: Mapping[str, Any] = field(default_factory=dict[str, Any])
    kind: PackKind = "label"
    cards: Mapping[str, Card] = field(default_factory=dict[str, Card])
    activities: Mapping[str, CardActivity] = field(default_factory=dict[str, CardActivity])
    chips: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        refuse_unaskable_pack(self)

    @property
    def classes(self) -> tuple[str, ...]:
        """What there is to choose from."""
        if self.kind == "compare":
            return COMPARE_OPTIONS
        return self.chips if self.kind == "hypothesis" else self.card.names

    @property
    def hidden(self) -> bool:
        """Whether raters see no picture, but only how active the card's cues are."""
        return bool(self.activities)

    @property
    def shown_cards(self) -> tuple[Card, ...]:
        """The cards raters see."""
        if self.kind == "label":
            return () if self.words else (self.card,)
        return tuple(self.cards.values())

    @property
    def z_hash(self) -> str:
        """The z the card was made from."""
        return self.card.z_hash

    @property
    def instructions(self) -> str:
        """Version of the guidelines: the same text has the same version."""
        return json_hash(self.guidelines)[:8]

    @cached_property
    def task(self) -> str:
        """Name of the task in judgements: the same pack has the same name wherever it lies."""
        return f"{'concepts' if self.words else self.kind}-{self.hash[:16]}"

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The concepts that are asked about, in the order of the questions; none for classes."""
        return tuple(dict.fromkeys(q.word for q in self.questions if q.word))

    @cached_property
    def hash(self) -> str:
        """Hash of what is asked, of whom, and with what card; not of the picture's bytes."""
        return json_hash(
            {
                "tasks": 1,
                **self._record_of_newer_kind(),
                "card": self.card.hash,
                "z": self.z_hash,
                "questions": [
                    [q.id, q.item, q.kind, *([q.word] if q.word else []), *_newer_facts(q)]
                    for q in self.questions
                ],
                "gold": dict(sorted(self.gold.items())),
                "seed": self.seed,
                "overlap": self.overlap,
                "instructions": self.instructions,
            }
        )

    def _record_of_newer_kind(self) -> dict[str, Any]:
        """Return what packs of earlier versions have not: their hash stays as it was."""
        if not self.is_of_newer_kind:
            return {}
        return {"tasks": 2, "kind": self.kind, "cards": sorted(self.cards), "chips": [*self.chips]}

    @property
    def is_of_newer_kind(self) -> bool:
        """Whether earlier versions of circuitz cannot read it."""
        return (
            self.kind != "label" or bool(self.activities) or any(map(_newer_facts, self.questions))
        )

    @cached_property
    def questions_by_id(self) -> Mapping[str, Question]:
        """Questions by id."""
        return {q.id: q for q in self.questions}

    def question_by_id(self, identifier: str) -> Question:
        """Return a question.

        Raises
        ------
        LabellingError
            If the pack has none of this id.
        """
        found = self.questions_by_id.get(identifier)
        if found is None:
            raise LabellingError(
                "That question is not in this task pack.", "Open the screen of the right pack."
            )
        return found

    def options(self, rater: str) -> tuple[tuple[str, ...], int]:
        """Return the classes in the order this rater sees them, and the seed of that order.

        What may be said of two cards keeps its order: the sides are drawn for each question. One order a rater, so that a key always means one class; over raters the order evens out.
        """
        if self.kind == "compare":
            return self.classes, self.seed
        seed = int(json_hash([self.seed, rater])[:12], 16)
        order = np.random.default_rng(seed).permutation(len(self.classes))
        return tuple(self.classes[int(i)] for i in order), seed

    def count_questions_by_kind(self) -> dict[Kind, int]:
        """Return how many questions of each kind there are."""
        return {kind: sum(q.kind == kind for q in self.questions) for kind in KINDS}


def _newer_facts(question: Question) -> list[Any]:
    """Return what questions of earlier versions have not."""
    facts = (question.judged_as, [*question.further], question.seed, question.use)
    return [*facts] if any(facts) else []


def opaque_question_id(seed: int, item: str, kind: Kind, word: str = "") -> str:
    """Return an id that does not tell what kind of question it is."""
    return json_hash(["question", seed, item, kind, *([word] if word else [])])[:16]


def sighting_from_json(record: Mapping[str, Any]) -> Sighting:
    """Read a sighting from JSON values; ValueError, KeyError or TypeError if it is none."""
    level = float(record["level"])
    if not 0 <= level <= 1:
        raise ValueError("a level lies outside 0 to 1")
    units = record["units"]
    if not isinstance(units, list):
        raise TypeError("units are no list")
    return Sighting(str(record["words"]), tuple(str(u) for u in units), level, int(record["heat"]))
