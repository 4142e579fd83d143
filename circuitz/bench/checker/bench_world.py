"""What a benchmark world can do: draw D with ties, and concept sets with counterfactuals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from circuitz.z.inputs import InputSet


@dataclass(frozen=True)
class ContextTie:
    """How often a concept outside the thing is seen with one class of D and with the others.

    Parameters
    ----------
    concept, target
        Concept, and class.
    share, others
        Share of images of the class, and of other classes, that show it.
    """

    concept: str
    target: str
    share: float = 1.0
    others: float = 0.0


@dataclass(frozen=True)
class Skew:
    """How a concept set itself ties a concept outside the thing to a part.

    Parameters
    ----------
    concept, part
        The concept outside; and the part with which, and seldom without which, it is shown.
    share
        Of the images, twins aside, in which that holds.
    """

    concept: str
    part: str
    share: float = 0.8


class BenchmarkWorld(ABC):
    """A family of images with known concepts."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """What the classes are kinds of."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""

    @property
    @abstractmethod
    def exclusive_concept_groups(self) -> tuple[tuple[str, ...], ...]:
        """Concepts of which an image shows exactly one; the last group is the grounds."""

    @property
    @abstractmethod
    def optional_concepts(self) -> tuple[str, ...]:
        """Concepts an image may show or not."""

    @property
    @abstractmethod
    def grounds(self) -> tuple[str, ...]:
        """Surroundings."""

    @property
    @abstractmethod
    def concepts_outside_subject(self) -> frozenset[str]:
        """Concepts that are no matter of the subject: surroundings and artefacts."""

    @abstractmethod
    def class_parts(self, k: int) -> tuple[str, ...]:
        """Return what class ``k`` is made of."""

    @abstractmethod
    def draw_data(self, per_class: int, ties: tuple[ContextTie, ...], seed: int) -> InputSet:
        """Draw D: ``per_class`` images a class, labelled and split, with these ties."""

    @abstractmethod
    def draw_concept_set(
        self, n: int, seed: int, twins: float = 0.5, skew: Skew | None = None
    ) -> InputSet:
        """Draw ``n`` images of anything, and a counterfactual of a share of them, in pairs."""

    def excess_frequency_with_class(
        self, concept: str, target: str, ties: tuple[ContextTie, ...]
    ) -> float:
        """Return how much more often D shows an outside concept with a class than with the others."""
        if target in self.classes and concept in self.class_parts(self.classes.index(target)):
            return 1.0
        found = 0.0
        for tie in ties:
            if concept != tie.concept:
                continue
            apart = tie.share - tie.others
            found += apart if tie.target == target else -apart / (len(self.classes) - 1)
        return found

    @property
    def concepts(self) -> tuple[str, ...]:
        """All concepts but the derived ones, groups first."""
        return (
            *(name for group in self.exclusive_concept_groups for name in group),
            *self.optional_concepts,
        )

    def exclusive_group_of(self, concept: str) -> tuple[str, ...]:
        """Concepts of which an image shows exactly one, with this one; itself for an extra."""
        return next((g for g in self.exclusive_concept_groups if concept in g), (concept,))
