"""The rendered worlds, by name."""

from __future__ import annotations

from typing import Final

from circuitz.data import birds, dogs
from circuitz.data.make import Rendered
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
