"""What everybody knows of a rendered world's words: which are parts, and what belongs together.

It comes from the world's own tables and never from the lexicon, so that simulated people and the
checks do not share a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from circuitz.data.worlds.world import World

WordKind = Literal["part", "surroundings", "artefact"]


@dataclass(frozen=True)
class WorldWord:
    """One word.

    Parameters
    ----------
    kind
        A part of the thing, what surrounds it, or something added to it or to the picture.
    topic
        What it is a value of (ears, tail, the ground); its own name where it is alone.
    worn
        Whether the thing wears it: a collar, a leg ring.
    """

    kind: WordKind
    topic: str
    worn: bool = False


def words_of_world(world: World) -> dict[str, WorldWord]:
    """Return every concept of a world with what people know of it."""
    found: dict[str, WorldWord] = {}
    for topic, values in world.attributes.items():
        found |= {value: WorldWord("part", topic) for value in values}
    found |= {ground: WorldWord("surroundings", "ground") for ground in world.grounds}
    # The first artefact of a world is worn; the others lie over the picture.
    for i, artefact in enumerate(world.artefacts):
        found[artefact] = WorldWord("artefact", artefact, worn=i == 0)
    return found


def exclusive_topics(words: dict[str, WorldWord], names: Iterable[str]) -> list[list[str]]:
    """Return the concepts by topic, of which one thing has one at most; lone ones by themselves."""
    topics: dict[str, list[str]] = {}
    for name in names:
        topics.setdefault(words[name].topic if name in words else name, []).append(name)
    return list(topics.values())
