"""A search by J on disk: what it was made from, every proposal, and the best z so far.

Proposals are appended one line each, so that a search that was killed goes on after the last whole
line. The best z is a bundle ``best/NUMBER.z``, written anew when it changed, at most every few
seconds and at the end; the one before is removed when the new one is whole.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from circuitz.disk.atomic import staged_file_replacement
from circuitz.errors import CircuitzError, SearchError
from circuitz.z.bundle.load_save import load, save
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.chains.proposal_record import ProposalRecord
from circuitz.zstar.saved_rounds import STATE as STATE_OF_ROUNDS

CHAIN = "chain.json"
PROPOSALS = "proposals.jsonl"
BEST = "best"
NETWORKS = "networks"
# Seconds between two writings of the best z.
_PAUSE = 10.0


class ChainFolder:
    """The folder of one search.

    Parameters
    ----------
    folder
        Where; it is made.
    key
        What the search was made from: a folder of another search is refused.

    Raises
    ------
    SearchError
        If the folder cannot be made or read, or holds another search.
    """

    def __init__(self, folder: Path, key: dict[str, Any]) -> None:
        self.folder = folder
        self._written = 0.0
        self._unsaved: Callable[[], AnnotatedModel] | None = None
        try:
            (folder / NETWORKS).mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise SearchError(
                f"{folder} cannot be made: {problem.strerror}.",
                "Search into a folder that can be written to.",
            ) from problem
        if (folder / STATE_OF_ROUNDS).is_file():
            raise SearchError(
                f"{folder} holds a search of the form without fitted models.",
                "Remove that folder, or search with --fresh.",
            )
        key = json.loads(json.dumps(key))
        place = folder / CHAIN
        if not place.is_file():
            # Lines that no key names may be of another search that was killed.
            (folder / PROPOSALS).unlink(missing_ok=True)
            shutil.rmtree(folder / BEST, ignore_errors=True)
            for left in (folder / NETWORKS).glob("*.npz"):
                left.unlink()
            with staged_file_replacement(place, json.dumps({"key": key}).encode()):
                pass
        elif self._state().get("key") != key:
            raise SearchError(
                f"{folder} holds a search from another z, by other models or with other settings.",
                "Remove that folder, or search with --fresh.",
            )

    @property
    def networks(self) -> Path:
        """Where weights that were trained are kept."""
        return self.folder / NETWORKS

    @property
    def eta(self) -> float | None:
        """η as it was fixed before the run; ``None`` before."""
        eta = self._state().get("eta")
        return None if eta is None else float(eta)

    def keep_eta(self, eta: float) -> None:
        """Write η down."""
        state = {**self._state(), "eta": eta}
        with staged_file_replacement(self.folder / CHAIN, json.dumps(state).encode()):
            pass

    def records(self) -> list[ProposalRecord]:
        """Return the proposals made so far; a line that was cut short is removed."""
        place = self.folder / PROPOSALS
        if not place.is_file():
            return []
        data = place.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            with staged_file_replacement(place, whole):
                pass
        try:
            return [ProposalRecord(**json.loads(line)) for line in whole.splitlines()]
        except (ValueError, TypeError) as problem:
            raise SearchError(
                f"The proposals in {self.folder} cannot be read: {problem}.",
                "Remove that folder to start anew.",
            ) from problem

    def append(self, record: ProposalRecord) -> None:
        """Write a proposal down."""
        with (self.folder / PROPOSALS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record.to_json(), ensure_ascii=False) + "\n")

    def offer_best(self, make: Callable[[], AnnotatedModel]) -> None:
        """Take a new best z, and write it if the last one was not written a moment ago."""
        self._unsaved = make
        if time.monotonic() - self._written >= _PAUSE:
            self.write_best()

    def write_best(self) -> None:
        """Write the best z, if it is not written."""
        if self._unsaved is not None:
            before = _numbered_bundles(self.folder)
            number = int(before[-1].stem) + 1 if before else 1
            (self.folder / BEST).mkdir(exist_ok=True)
            save(self._unsaved(), self.folder / BEST / f"{number:06d}.z")
            self._unsaved, self._written = None, time.monotonic()
            for place in before:
                shutil.rmtree(place, ignore_errors=True)

    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self.folder / CHAIN).read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise SearchError(
                f"The state of the search in {self.folder} cannot be read: {problem}.",
                "Remove that folder to start anew.",
            ) from problem
        return state


def best_in_folder(folder: Path) -> AnnotatedModel | None:
    """Return the best z that a search left in its folder; ``None`` where there is none."""
    for place in reversed(_numbered_bundles(folder)):
        try:
            return load(place)
        except CircuitzError:
            continue  # it was being written when the search was killed
    return None


def _numbered_bundles(folder: Path) -> list[Path]:
    return sorted(p for p in (folder / BEST).glob("*.z") if p.stem.isdecimal())
