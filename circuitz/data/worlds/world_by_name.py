"""The rendered worlds, by name."""

from __future__ import annotations

from typing import Final

from circuitz.data.worlds import bird_world as birds
from circuitz.data.worlds import dog_world as dogs
from circuitz.data.worlds.make_world import Rendered
from circuitz.errors import InputsError

WORLDS: Final[dict[str, Rendered]] = {"dogs": dogs.DRAWN, "birds": birds.DRAWN}


def world_of(name: str) -> Rendered:
    """Return a world and its renderer.

    Raises
    ------
    InputsError
        If there is none of that name.
    """
    found = WORLDS.get(name)
    if found is None:
        raise InputsError(f"There is no world {name!r}.", f"Choose one of {', '.join(WORLDS)}.")
    return found
