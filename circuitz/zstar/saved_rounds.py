"""The rounds of a search on disk, so that one that was stopped goes on where it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circuitz.errors import SearchError
from circuitz.z.bundle.load_save import load, save
from circuitz.z.model import AnnotatedModel

STATE = "search.json"


@dataclass(frozen=True)
class SearchRounds:
    """Finished rounds.

    Parameters
    ----------
    visited
        The z of every round, the start first.
    edited
        Concepts that were edited.
    regions
        How their regions were found.
    """

    visited: Sequence[AnnotatedModel]
    edited: tuple[str, ...]
    regions: dict[str, Any]


def save_search_rounds(folder: Path, key: dict[str, Any], rounds: SearchRounds) -> None:
    """Save finished rounds; the small state file is written last and names what is complete.

    Parameters
    ----------
    folder
        Where; rounds that are there already are not written again.
    key
        What the search was made from.
    rounds
        The rounds.
    """
    for i, z in enumerate(rounds.visited):
        place = folder / f"round{i}.z"
        if not place.exists():
            save(z, place)
    state = {
        **key,
        "rounds": len(rounds.visited) - 1,
        "edited": list(rounds.edited),
        "regions": rounds.regions,
    }
    partial = folder / f"{STATE}.partial"
    partial.write_text(json.dumps(state), encoding="utf-8")
    partial.replace(folder / STATE)


def load_search_rounds(folder: Path, key: dict[str, Any]) -> SearchRounds | None:
    """Return the rounds a folder holds, or ``None``; the folder is made.

    Raises
    ------
    SearchError
        If the folder cannot be made or its state not be read, or is that of another search.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SearchError(
            f"{folder} cannot be made: {problem.strerror}.",
            "Search into a folder that can be written to.",
        ) from problem
    if not (folder / STATE).is_file():
        # Rounds that no state names may be of another search that was killed.
        for left in folder.glob("round*.z"):
            shutil.rmtree(left)
        return None
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        rounds, edited = int(state.pop("rounds")), tuple(state.pop("edited"))
        regions = dict(state.pop("regions"))
    except (ValueError, KeyError, AttributeError) as problem:
        raise SearchError(
            f"The state of the search in {folder} cannot be read: {problem}.",
            "Remove that folder to start anew.",
        ) from problem
    if state != key:
        raise SearchError(
            f"{folder} holds a search from another z or with other settings.",
            "Remove that folder, or search with --fresh.",
        )
    return SearchRounds([load(folder / f"round{i}.z") for i in range(rounds + 1)], edited, regions)
