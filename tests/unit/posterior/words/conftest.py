"""Raters of the block world, who see what was painted; and pictures of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from circuitz.store.asking import AskedQuestion
from circuitz.store.judgement import Judgement, RaterKind
from circuitz.z.inputs import InputSet
from circuitz.z.pixel_hashes import pixel_hashes
from tests.unit.conftest import CLASSES, GROUNDS, PARTS, labelled

STAMP = "2026-01-31T12:00:00+00:00"


class Painters:
    """Raters who know what was painted, but err on a share of pictures.

    Parameters
    ----------
    truth
        Concepts shown, by content hash of the picture.
    error
        Share of questions answered the wrong way round.
    """

    def __init__(
        self,
        truth: dict[str, frozenset[str]],
        *,
        error: float = 0.0,
        name: str = "Ada",
        kind: RaterKind = "simulated",
    ) -> None:
        self.truth, self.error, self.name, self.kind = truth, error, name, kind
        self.seen: list[AskedQuestion] = []

    def __call__(self, questions: Sequence[AskedQuestion]) -> list[Judgement]:
        self.seen += questions
        return [answer_to(q, self.choice(q), name=self.name, kind=self.kind) for q in questions]

    def choice(self, question: AskedQuestion) -> str:
        wrong = np.random.default_rng([question.seed, 3]).random() < self.error
        return "yes" if (question.word in self.truth[question.items[0]]) != wrong else "no"


def answer_to(
    question: AskedQuestion, choice: str, *, name: str = "Ada", kind: RaterKind = "person",
    answered: str = STAMP,
) -> Judgement:  # fmt: skip
    return Judgement(
        task="words", kind=question.judgement_kind, z_hash="", card_hash="", items=question.items,
        options=question.options, seed=question.seed, answer={"choice": choice}, rater=name,
        rater_kind=kind, shown=STAMP, answered=answered, use=question.use,
        key=f"{name} {question.judgement_kind} {question.items[0]} {answered}",
    ).validated_with_id()  # fmt: skip


def painted(inputs: InputSet, grounds: np.ndarray) -> dict[str, frozenset[str]]:
    """What pictures of the three classes show."""
    assert inputs.labels is not None
    parts = np.array(list(CLASSES.values()))[inputs.labels]
    return {
        picture: frozenset(
            [GROUNDS[int(ground)], *(name for name, there in zip(PARTS, row, strict=True) if there)]
        )
        for picture, row, ground in zip(pixel_hashes(inputs), parts, grounds, strict=True)
    }


def in_concept_set(concept_set: InputSet) -> dict[str, frozenset[str]]:
    assert concept_set.concepts is not None
    return {
        picture: frozenset(
            name for name, value in zip(concept_set.concept_names, row, strict=True) if value == 1
        )
        for picture, row in zip(pixel_hashes(concept_set), concept_set.concepts, strict=True)
    }


@pytest.fixture(scope="session")
def truth(
    block_world: tuple[InputSet, InputSet], shifted: tuple[InputSet, np.ndarray]
) -> dict[str, frozenset[str]]:
    data, concept_set = block_world
    grounds = labelled(160, 1, shortcut=True)[1]
    return painted(data, grounds) | painted(*shifted) | in_concept_set(concept_set)


@pytest.fixture(scope="session")
def pictures(shifted: tuple[InputSet, np.ndarray]) -> InputSet:
    """D′ without labels."""
    return InputSet(shifted[0].images, role="D'")


@pytest.fixture
def painters(truth: dict[str, frozenset[str]]) -> Callable[..., Painters]:
    def make(**more: object) -> Painters:
        return Painters(truth, **more)  # pyright: ignore[reportArgumentType]

    return make
