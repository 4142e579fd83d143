"""What a dog is made of, and which parts make which breed.

Breeds share their parts: no value belongs to one breed alone, and any two breeds differ in at
least four of the six fixed attributes, so a breed can be told from its parts although a few of
them are seen wrongly.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "ears": ("pointed ears", "floppy ears", "rounded ears"),
    "tail": ("curled tail", "straight tail", "stub tail"),
    "coat": ("fluffy coat", "smooth coat", "curly coat"),
    "face": ("masked face", "plain face", "blaze"),
    "legs": ("long legs", "short legs"),
    "body": ("slim body", "stout body"),
    "colour": ("grey coat", "black coat", "brown coat", "golden coat"),
}
"""Attribute to the plain words for its values; the order of values is their index."""

FIXED: Final = ("ears", "tail", "coat", "face", "legs", "body")
"""Attributes with one value a breed; the coat's colour has two."""

GROUNDS: Final = ("snow", "grass", "sand", "water", "indoors")
ARTEFACTS: Final = ("collar", "winter light", "watermark")

BREEDS: Final[dict[str, tuple[tuple[int, ...], tuple[int, int]]]] = {
    #             ears tail coat face legs body   colours
    "husky": ((0, 0, 0, 0, 0, 1), (0, 1)),
    "corgi": ((0, 2, 0, 2, 1, 0), (3, 2)),
    "greyhound": ((2, 1, 1, 1, 0, 0), (0, 3)),
    "poodle": ((1, 2, 2, 1, 0, 1), (1, 2)),
    "beagle": ((1, 1, 1, 2, 1, 1), (2, 3)),
    "terrier": ((2, 0, 2, 0, 1, 0), (0, 1)),
}
"""Breed to its values of the fixed attributes and to its two colours."""

BREED_PARTS: Final[npt.NDArray[np.int8]] = np.array([b[0] for b in BREEDS.values()], dtype=np.int8)
BREED_COLOURS: Final[npt.NDArray[np.int8]] = np.array(
    [b[1] for b in BREEDS.values()], dtype=np.int8
)

PART_CONCEPTS: Final = tuple(value for values in ATTRIBUTES.values() for value in values)


def distance_to_breeds(parts: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """In how many fixed attributes each dog differs from each breed.

    Parameters
    ----------
    parts
        ``(n, 6)`` value indices in the order of ``FIXED``.

    Returns
    -------
    numpy.ndarray
        ``(n, breeds)`` counts.
    """
    return (parts[:, None, :] != BREED_PARTS[None]).sum(axis=2)
