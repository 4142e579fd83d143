"""The shipped lexicon without entries that name the attributes of the test worlds.

Some of what is shipped are the very words of the painted dogs and birds (*stub tail*, *throat
patch*). What verdicts owe to them shows where some or all of them are dropped.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from circuitz.data.worlds.bird_parts import BIRDS
from circuitz.data.worlds.dog_parts import DOGS
from circuitz.lexicon.lexicon import Lexicon


def entries_of_worlds(lexicon: Lexicon) -> tuple[str, ...]:
    """Return the entries whose names are values of the worlds' attributes, in a fixed order."""
    values = (value for w in (DOGS, BIRDS) for some in w.attributes.values() for value in some)
    return tuple(dict.fromkeys(name for name in values if name in lexicon.concepts))


def without_world_entries(lexicon: Lexicon, share: float, seed: int) -> Lexicon:
    """Return a lexicon with a share of those entries dropped, drawn with a seed.

    Parameters
    ----------
    lexicon
        The whole one.
    share
        0 to 1 of the entries.
    seed
        Of the draw.
    """
    names = entries_of_worlds(lexicon)
    count = round(share * len(names))
    drawn = np.random.default_rng(seed).permutation(len(names))[:count]
    gone = {names[i] for i in drawn}
    kept = {n: c for n, c in lexicon.concepts.items() if n not in gone}
    return replace(lexicon, concepts=kept)
