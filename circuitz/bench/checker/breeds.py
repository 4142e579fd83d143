"""What painted worlds show: attributes, grounds and extras under a dog's words, classes as a code.

The words are a dog's, so that prior knowledge of kinds applies; nothing else about them is a dog. A
class is a value of each attribute, and the code is drawn anew for every seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from circuitz.bench.checker.painted_tables import TableWorld

I64 = npt.NDArray[np.int64]

ATTRIBUTES = (
    ("pointed ears", "floppy ears", "rounded ears"),
    ("curled tail", "straight tail", "stub tail"),
    ("fluffy coat", "smooth coat", "curly coat"),
    ("masked face", "plain face", "blaze"),
)
GROUNDS = ("snow", "grass", "sand", "water")
EXTRAS = ("collar", "watermark", "stripes")
CLASSES = ("husky", "corgi", "greyhound", "poodle", "beagle")


@dataclass(frozen=True)
class Breeds(TableWorld):
    """The classes of one seed, and what they are told by.

    Parameters
    ----------
    seed
        Of the code, and of what stands for what.
    beach
        Whether the last class is a beach.
    """

    seed: int
    beach: bool = False

    @property
    def subject(self) -> str:
        """What the classes are called."""
        return "dog"

    @property
    def exclusive_concept_groups(self) -> tuple[tuple[str, ...], ...]:
        """Attributes with their values, and the grounds."""
        return (*ATTRIBUTES, GROUNDS)

    @property
    def optional_concepts(self) -> tuple[str, ...]:
        """Signs an image may show or not."""
        return EXTRAS

    @property
    def grounds(self) -> tuple[str, ...]:
        """Colours of the ground."""
        return GROUNDS

    @property
    def concepts_outside_subject(self) -> frozenset[str]:
        """Grounds and artefacts; stripes are neither."""
        return frozenset((*GROUNDS, "collar", "watermark"))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; the last may be a beach, which is sand whoever stands on it."""
        return (*CLASSES[:-1], "beach") if self.beach else CLASSES

    @cached_property
    def class_attribute_codes(self) -> I64:
        """``(classes, attributes)`` values: any two classes differ in three of the four."""
        draw = np.random.default_rng([self.seed, 2])
        # The tetracode: nine words of length 4 over three letters, at distance 3.
        words = np.array(
            [(a, b, (a + b) % 3, (a - b) % 3) for a in range(3) for b in range(3)], np.int64
        )
        chosen = words[draw.permutation(9)[: len(CLASSES)]]
        return np.stack([draw.permutation(3)[chosen[:, i]] for i in draw.permutation(4)], 1)

    def class_parts(self, k: int) -> tuple[str, ...]:
        """Return what a class is made of."""
        if self.classes[k] == "beach":
            return ("sand",)
        return tuple(ATTRIBUTES[i][v] for i, v in enumerate(self.class_attribute_codes[k].tolist()))

    def attribute_values_of_labels(self, labels: I64, rng: np.random.Generator) -> I64:
        """See :meth:`TableWorld.class_values`."""
        values = self.class_attribute_codes[labels]
        if self.beach:
            beach = labels == len(CLASSES) - 1
            values[beach] = rng.integers(0, 3, (int(beach.sum()), len(ATTRIBUTES)))
        return values
