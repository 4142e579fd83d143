"""A task pack: everything a labeller's screen needs, and nothing that needs the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card
from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.disk.hashing import json_hash
from circuitz.errors import LabellingError
from circuitz.store.leases import LONGEST_LEASE

Kind = Literal["ask", "gold", "again"]
KINDS: tuple[Kind, ...] = ("ask", "gold", "again")
MOST_QUESTIONS = 20_000
MOST_OVERLAP = 50
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
    """

    id: str
    item: str
    kind: Kind
    path: str
    picture: str
    seen: tuple[Sighting, ...] = ()
    word: str = ""

    @property
    def judgement_kind_and_item(self) -> tuple[str, str]:
        """Kind as judgements name it, and item: what a rater answers once."""
        again = "-again" if self.kind == "again" else ""
        return (f"concept{again}: {self.word}" if self.word else f"label{again}", self.item)


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

    def __post_init__(self) -> None:
        _refuse_unaskable_pack(self)

    @property
    def classes(self) -> tuple[str, ...]:
        """What there is to choose from."""
        return self.card.names

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
        return f"{'concepts' if self.words else 'label'}-{self.hash[:16]}"

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
                "card": self.card.hash,
                "z": self.z_hash,
                "questions": [
                    [q.id, q.item, q.kind, *([q.word] if q.word else [])] for q in self.questions
                ],
                "gold": dict(sorted(self.gold.items())),
                "seed": self.seed,
                "overlap": self.overlap,
                "instructions": self.instructions,
            }
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

        One order a rater, so that a key always means one class; over raters the order evens out.
        """
        seed = int(json_hash([self.seed, rater])[:12], 16)
        order = np.random.default_rng(seed).permutation(len(self.classes))
        return tuple(self.classes[int(i)] for i in order), seed

    def count_questions_by_kind(self) -> dict[Kind, int]:
        """Return how many questions of each kind there are."""
        return {kind: sum(q.kind == kind for q in self.questions) for kind in KINDS}


def opaque_question_id(seed: int, item: str, kind: Kind, word: str = "") -> str:
    """Return an id that does not tell what kind of question it is."""
    return json_hash(["question", seed, item, kind, *([word] if word else [])])[:16]


def _refuse_unaskable_pack(pack: TaskPack) -> None:
    """Refuse what no screen could ask.

    Raises
    ------
    LabellingError
        Saying what is wrong.
    """
    check_answerable_classes(pack.classes)
    if not pack.questions:
        raise LabellingError("There is nothing to ask.", "Give pictures to label.")
    if len(pack.questions) > MOST_QUESTIONS:
        raise LabellingError(
            f"{len(pack.questions):,} questions are too many.", f"Up to {MOST_QUESTIONS:,}."
        )
    check_overlap_and_lease(pack.overlap, pack.lease)
    ids = [q.id for q in pack.questions]
    if len(set(ids)) != len(ids):
        raise LabellingError("A question occurs twice.", "Make the pack anew.")
    if len({q.judgement_kind_and_item for q in pack.questions}) != len(ids):
        # A gold picture among the others: one answer would count as both.
        raise LabellingError("A picture is asked about twice.", "Make the pack anew.")
    for q in pack.questions:
        if q.picture not in pack.pictures:
            raise LabellingError("A question has no picture.", "Make the pack anew.")
        if any(not 0 <= s.heat < len(pack.heat) for s in q.seen):
            raise LabellingError("A question lacks a map of its units.", "Make the pack anew.")
    golden = {q.id for q in pack.questions if q.kind == "gold"}
    if golden != set(pack.gold) or not set(pack.gold.values()) <= set(pack.classes):
        raise LabellingError("Gold questions and their answers do not fit.", "Make the pack anew.")


def check_answerable_classes(names: Sequence[str]) -> None:
    """Refuse classes that cannot be the answers to choose from.

    Raises
    ------
    LabellingError
        Naming the class.
    """
    for name in names:
        if not name.strip() or name in (CANNOT_TELL, DISCARDED):
            raise LabellingError(
                f"A class is called {name!r}, which is an answer of its own.", "Rename the class."
            )
    if len(set(names)) != len(names) or len(names) < 2:
        raise LabellingError("A pack needs two classes or more, each once.", "Check the card.")


def check_overlap_and_lease(overlap: int, lease: float) -> None:
    """Refuse an overlap or a lease that helps nobody.

    Raises
    ------
    LabellingError
        Naming the number.
    """
    if not 1 <= overlap <= MOST_OVERLAP:
        raise LabellingError(
            f"Each question would be answered by {overlap} people.", f"Choose 1 to {MOST_OVERLAP}."
        )
    if not 5 <= lease <= LONGEST_LEASE:
        raise LabellingError(
            f"Leases of {lease} seconds help nobody.", "Choose 5 seconds to a week."
        )


def sighting_from_json(record: Mapping[str, Any]) -> Sighting:
    """Read a sighting from JSON values; ValueError, KeyError or TypeError if it is none."""
    level = float(record["level"])
    if not 0 <= level <= 1:
        raise ValueError("a level lies outside 0 to 1")
    units = record["units"]
    if not isinstance(units, list):
        raise TypeError("units are no list")
    return Sighting(str(record["words"]), tuple(str(u) for u in units), level, int(record["heat"]))
