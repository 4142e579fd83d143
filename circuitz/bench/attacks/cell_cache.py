"""Cells of the benchmark that are done, each a file: a run that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from statistics import median

from circuitz.bench.attacks.attack_case import AttackSizes
from circuitz.bench.attacks.attack_row import AttackRow
from circuitz.bench.people.code_hash import code_hash
from circuitz.disk.atomic import staged_file_replacement

#: What a row rests on; with other code it is made anew.
_ROOMS = (
    "bench/attacks", "data", "effects", "evaluation", "labelling", "lexicon", "measurement", "models",
    "patching", "plausibility", "posterior/objective.py", "posterior/words", "responses", "stats",
    "wrapping", "z", "zstar",
)  # fmt: skip
#: Seconds a cell takes on one core where none was timed yet.
SECONDS_A_CELL = 150.0


def default_attack_cache() -> Path:
    """Return where rows are kept: under ``$XDG_CACHE_HOME``, else under ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home else Path.home() / ".cache") / "circuitz" / "attacks"


class AttackCellCache:
    """A folder of finished cells: case × twin × seed × sizes × code.

    Parameters
    ----------
    folder
        Made when the first cell is written.
    sizes
        How much data and training; cells of others are not read.

    Attributes
    ----------
    code
        Hash of the code that rows rest on.
    """

    def __init__(self, folder: Path, sizes: AttackSizes) -> None:
        self.folder = folder
        of_sizes = hashlib.sha256(json.dumps(asdict(sizes)).encode()).hexdigest()[:8]
        self.code = code_hash(_ROOMS)
        self._ending = f"{of_sizes}-{self.code}.json"

    def read(self, name: str, twin: str, seed: int) -> AttackRow | None:
        """Return a finished row; ``None`` where there is none that can be read."""
        try:
            record = json.loads(self._path(name, twin, seed).read_text(encoding="utf-8"))
            return AttackRow.from_json(record)
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def write(self, row: AttackRow) -> None:
        """Keep a finished row, wholly or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(row.to_json(), ensure_ascii=False)
        with staged_file_replacement(self._path(row.name, row.twin, row.seed), text.encode()):
            pass

    def seconds_a_cell(self) -> float:
        """Return the median time of cells in the folder, of whatever code."""
        times: list[float] = []
        for path in self.folder.glob("*.json"):
            try:
                times.append(float(json.loads(path.read_text(encoding="utf-8"))["seconds"]))
            except (OSError, ValueError, TypeError, KeyError):
                continue
        return median(times) if times else SECONDS_A_CELL

    def _path(self, name: str, twin: str, seed: int) -> Path:
        what = re.sub(r"\W+", "_", f"{name} {twin or 'attack'}")
        return self.folder / f"{what}-{seed}-{self._ending}"
