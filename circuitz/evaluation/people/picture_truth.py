"""What pictures really show, by content: the eyes of simulated people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from circuitz.evaluation.evaluation_sets import InputsWithTruth, join_rendered_set_with_truth
from circuitz.z.inputs import InputSet
from circuitz.z.pixel_hashes import pixel_hash

_DIGITS = 32


def pixels_hash(image: npt.NDArray[np.uint8]) -> str:
    """Return the content hash of a picture, as judgements name it."""
    return pixel_hash(image)[:_DIGITS]


@dataclass
class PictureTruth:
    """What each of many pictures shows.

    Parameters
    ----------
    shown
        Content hash to concepts shown or not; a concept that is not named cannot be seen there.
    """

    shown: dict[str, Mapping[str, bool]] = field(default_factory=dict[str, Mapping[str, bool]])

    def add_set(self, inputs: InputsWithTruth) -> None:
        """Add a rendered set with its truth."""
        self._add_rows(
            inputs.inputs.images, inputs.truth.concepts, tuple(inputs.truth.concept_names)
        )

    def add_rendered(self, inputs: InputSet) -> None:
        """Add a rendered set, such as D, whose recipe tells what it shows."""
        self.add_set(join_rendered_set_with_truth(inputs))

    def add_concept_set(self, inputs: InputSet) -> None:
        """Add a concept set; what its labels leave open is not seen."""
        if inputs.concepts is not None:
            self._add_rows(inputs.images, inputs.concepts, tuple(inputs.concept_names))

    def add_picture(
        self, image: npt.NDArray[np.uint8], shows: Iterable[str], names: Iterable[str]
    ) -> None:
        """Add one picture: which of the names it shows."""
        there = set(shows)
        self.shown[pixels_hash(image)] = {name: name in there for name in names}

    def of_picture(self, key: str) -> Mapping[str, bool]:
        """Return what a picture shows; nothing where it is not known."""
        # Some name pictures by the whole digest, some by the first half of it.
        return self.shown.get(key[:_DIGITS], {})

    def _add_rows(
        self,
        images: npt.NDArray[np.uint8],
        concepts: npt.NDArray[np.float32],
        names: tuple[str, ...],
    ) -> None:
        for i in range(len(concepts)):
            row = concepts[i]
            self.shown[pixels_hash(np.asarray(images[i]))] = {
                name: bool(value > 0.5) for name, value in zip(names, row, strict=True)
                if value == value  # noqa: PLR0124 - NaN: cannot be seen
            }  # fmt: skip
