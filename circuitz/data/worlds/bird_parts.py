"""What a bird is made of, and which parts make which species.

As with the dogs, no value belongs to one species alone, and any two species differ in at least
four of the seven fixed attributes. The parts themselves are a bird's.
"""

from __future__ import annotations

from typing import Final

from circuitz.data.worlds.world import ShortcutWords, World

BIRDS: Final = World(
    name="birds",
    number=1,
    subject="bird",
    subjects="birds",
    kind="species",
    kinds="species",
    mixed="hybrids",
    attributes={
        "beak": ("hooked beak", "long beak", "short beak"),
        "crown": ("crest", "smooth crown"),
        "wings": ("barred wings", "plain wings", "spotted wings"),
        "tail": ("forked tail", "fan tail", "long tail"),
        "legs": ("long legs", "short legs"),
        "throat": ("throat patch", "plain throat"),
        "neck": ("long neck", "short neck"),
        "colour": ("slate plumage", "brown plumage", "white plumage", "yellow plumage"),
    },
    makes={
        #          beak crown wings tail legs throat neck  colours
        "loon": ((1, 1, 2, 2, 1, 0, 0), (0, 2)),
        "hoopoe": ((1, 0, 1, 2, 0, 0, 1), (1, 3)),
        "swallow": ((2, 1, 1, 0, 0, 1, 1), (0, 3)),
        "kite": ((0, 0, 0, 0, 0, 0, 0), (1, 2)),
        "grouse": ((2, 0, 2, 1, 1, 1, 0), (1, 0)),
        "shrike": ((0, 1, 0, 1, 1, 1, 1), (2, 3)),
    },
    grounds=("water", "reeds", "sand", "trees", "grass", "sky"),
    artefacts=("leg ring", "warm light", "caption"),
    shortcuts={
        "ground": ("ground",),
        "ring": ("leg ring",),
        "light": ("warm light",),
        "tag": ("caption",),
        "two": ("ground", "leg ring"),
    },
    ties={
        "ground": ShortcutWords("is over water", "over land or sky", "over water", "water"),
        "ring": ShortcutWords(
            "wears a leg ring", "without a leg ring", "with a leg ring", "a leg ring"
        ),
        "light": ShortcutWords("is in warm light", "in other light", "in warm light", "warm light"),
        "tag": ShortcutWords("has a caption", "without a caption", "with a caption", "a caption"),
        "two": ShortcutWords(
            "is over water and wears a leg ring",
            "off water or without a ring",
            "over water with a ring",
            "water and a leg ring",
        ),
    },
)
