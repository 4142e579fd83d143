"""The pictures of D or D′ that words are tested on, and what z makes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError
from circuitz.measurement.cut_responses import CutResponses, cut_responses
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from circuitz.z.pixel_hashes import fingerprint_of_pictures, pixel_hashes
from circuitz.z.word_match import POPULATION_NAMES, Population
from circuitz.z.word_tests import Half

I64 = npt.NDArray[np.int64]
#: Of a larger half these many pictures are looked at, the same ones for every z.
MOST_PICTURES = 4000


@dataclass(frozen=True, eq=False)
class PopulationPictures:
    """One half of a population's distinct pictures, with z's responses.

    Parameters
    ----------
    population, half
        Which.
    inputs
        The whole set.
    rows
        ``(m,)`` int64 the pictures' rows in it; of copies the first.
    hashes
        Their content hashes, in the order of ``rows``.
    seen
        What the cut's units and the outputs answer to them, in the order of ``rows``.
    fingerprint
        Of all distinct pictures of the set, both halves.
    """

    population: Population
    half: Half
    inputs: InputSet
    rows: I64
    hashes: tuple[str, ...]
    seen: CutResponses
    fingerprint: str


def number_from_hash(*parts: object) -> float:
    """Return a number in (0, 1) that follows from these texts alone."""
    text = "\0".join(map(str, parts))
    return (int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) + 0.5) / 16**13


def half_of_picture(picture: str) -> Half:
    """Return the half that a picture is in by its content, in every set and for every z."""
    return "search" if number_from_hash("half", picture) < 0.5 else "audit"


def rows_of_half(
    hashes: Iterable[str], half: Half, without: frozenset[str] = frozenset(), most: int = 0
) -> I64:
    """Return rows of the distinct pictures of one half, in order.

    Parameters
    ----------
    hashes
        Content hash of every picture of a set.
    without
        Pictures to leave out.
    most
        Most pictures; all by default. Which are left out follows from their content.
    """
    first: dict[str, int] = {}
    for row, picture in enumerate(hashes):
        if picture not in without and half_of_picture(picture) == half:
            first.setdefault(picture, row)
    chosen = list(first)
    if most and len(chosen) > most:
        chosen = sorted(chosen, key=lambda picture: number_from_hash("looked at", picture))[:most]
    return np.array(sorted(first[picture] for picture in chosen), np.int64)


def read_population(
    z: AnnotatedModel,
    inputs: InputSet,
    population: Population,
    half: Half,
    progress: Callable[[int, int], None] | None = None,
) -> PopulationPictures:
    """Run z on one half of a population's distinct pictures.

    Raises
    ------
    InputsError
        If the set holds no pictures, or none of this half.
    MeasurementError
        If z has no cut of one layer.
    """
    if inputs.is_tokens or inputs.images.ndim != 4:
        raise InputsError(
            f"{POPULATION_NAMES[population]} holds no pictures, and pictures are what people are "
            "asked about.",
            "Test words of a model that reads pictures.",
        )
    hashes = pixel_hashes(inputs)
    rows = rows_of_half(hashes, half, most=MOST_PICTURES)
    if not len(rows):
        raise InputsError(
            f"{POPULATION_NAMES[population]} has no picture in the {half} half.",
            "Pictures are halved by their content: give more of them.",
        )
    seen = cut_responses(z, inputs, rows, progress=progress)
    return PopulationPictures(
        population,
        half,
        inputs,
        rows,
        tuple(hashes[row] for row in rows),
        seen,
        fingerprint_of_pictures(hashes),
    )
