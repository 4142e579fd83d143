"""What a benchmark world can do: draw D with ties, and concept sets with counterfactuals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from circuitz.z.inputs import InputSet


@dataclass(frozen=True)
class Tie:
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
    what, where
        The concept outside; and the part with which, and seldom without which, it is shown.
    share
        Of the images, twins aside, in which that holds.
    """

    what: str
    where: str
    share: float = 0.8


class World(ABC):
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
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Concepts of which an image shows exactly one; the last group is the grounds."""

    @property
    @abstractmethod
    def extras(self) -> tuple[str, ...]:
        """Concepts an image may show or not."""

    @property
    @abstractmethod
    def grounds(self) -> tuple[str, ...]:
        """Surroundings."""

    @property
    @abstractmethod
    def outside(self) -> frozenset[str]:
        """Concepts that are no matter of the subject: surroundings and artefacts."""

    @abstractmethod
    def parts(self, k: int) -> tuple[str, ...]:
        """Return what class ``k`` is made of."""

    @abstractmethod
    def data(self, each: int, ties: tuple[Tie, ...], seed: int) -> InputSet:
        """Draw D: ``each`` images a class, labelled and split, with these ties."""

    @abstractmethod
    def concept_set(
        self, n: int, seed: int, twins: float = 0.5, skew: Skew | None = None
    ) -> InputSet:
        """Draw ``n`` images of anything, and a counterfactual of a share of them, in pairs."""

    def contrast(self, concept: str, target: str, ties: tuple[Tie, ...]) -> float:
        """Return how much more often D shows an outside concept with a class than with the others."""
        if target in self.classes and concept in self.parts(self.classes.index(target)):
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
        return (*(name for group in self.groups for name in group), *self.extras)

    def group_of(self, concept: str) -> tuple[str, ...]:
        """Concepts of which an image shows exactly one, with this one; itself for an extra."""
        return next((g for g in self.groups if concept in g), (concept,))
