"""The rendered worlds, by name."""

from __future__ import annotations

from typing import Final

from circuitz.data.worlds import bird_world, dog_world
from circuitz.data.worlds.make_world import RenderableWorld
from circuitz.errors import InputsError

WORLDS: Final[dict[str, RenderableWorld]] = {
    "dogs": dog_world.RENDERABLE_DOGS,
    "birds": bird_world.RENDERABLE_BIRDS,
}


def world_by_name(name: str) -> RenderableWorld:
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
