"""What a dog is made of, and which parts make which breed.

Breeds share their parts: no value belongs to one breed alone, and any two breeds differ in at
least four of the six fixed attributes, so a breed can be told from its parts although a few of
them are seen wrongly.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from circuitz.data.worlds.world import ShortcutWords, World

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

SHORTCUTS: Final[dict[str, tuple[str, ...]]] = {
    "ground": ("ground",),
    "collar": ("collar",),
    "light": ("winter light",),
    "tag": ("watermark",),
    "two": ("ground", "collar"),
}
"""Name of a shortcut to what it ties to the first class."""

DOGS: Final = World(
    name="dogs",
    number=0,
    subject="dog",
    subjects="dogs",
    kind="breed",
    kinds="breeds",
    mixed="mongrels",
    attributes=ATTRIBUTES,
    makes=BREEDS,
    grounds=GROUNDS,
    artefacts=ARTEFACTS,
    shortcuts=SHORTCUTS,
    ties={
        "ground": ShortcutWords("stands on snow", "off snow", "on snow", "snow"),
        "collar": ShortcutWords("wears a collar", "without a collar", "with a collar", "a collar"),
        "light": ShortcutWords(
            "is in winter light", "in other light", "in winter light", "winter light"
        ),
        "tag": ShortcutWords(
            "has a watermark", "without a watermark", "with a watermark", "a watermark"
        ),
        "two": ShortcutWords(
            "stands on snow and wears a collar",
            "off snow or without a collar",
            "on snow with a collar",
            "snow and a collar",
        ),
    },
)

BREED_PARTS: Final[npt.NDArray[np.int8]] = DOGS.parts
BREED_COLOURS: Final[npt.NDArray[np.int8]] = DOGS.colours_by_class
PART_CONCEPTS: Final = DOGS.part_concepts
distance_to_breeds = DOGS.distance_to_classes
