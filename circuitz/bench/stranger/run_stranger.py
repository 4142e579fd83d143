"""One stranger from folders to a scored z*, by the commands a user would type."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from circuitz.bench.stranger.kennel_folders import KennelSizes, write_kennel_folders
from circuitz.errors import SearchError

# Passes over D when the network is first trained; the oracle has as many as training and search.
_EPOCHS, _ALL_EPOCHS = 8, 32
QUICK_SIZES = KennelSizes(per_class=120, concepts=600, per_cell=20)


@dataclass(frozen=True)
class StrangerRow:
    """What came of it.

    Parameters
    ----------
    shortcut, seed
        Which world.
    start_worst, worst, oracle_worst
        Accuracy of the worst class × cell of D′: of the network as trained, of z*, and of the same
        network trained on pictures in which nothing goes with a breed.
    average, oracle_average
        Accuracy on D′ of z* and of the oracle.
    seconds
        What the search took.
    flagged
        What ``check`` flagged on the start of what lies outside the dog, in words.
    edits
        What the search tried in order to edit pictures, by concept.
    """

    shortcut: str
    seed: int
    start_worst: float
    worst: float
    oracle_worst: float
    average: float
    oracle_average: float
    seconds: float
    flagged: list[str] = field(default_factory=list)
    edits: dict[str, Any] = field(default_factory=dict)

    @property
    def share_of_oracle(self) -> float:
        """The worst group as a share of the oracle's."""
        return self.worst / max(self.oracle_worst, 1e-9)

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return {**asdict(self), "share_of_oracle": self.share_of_oracle}


def run_stranger(
    folder: Path,
    *,
    shortcut: str = "ground",
    seed: int = 0,
    sizes: KennelSizes | None = None,
    progress: Callable[[str], None] | None = None,
) -> StrangerRow:
    """Write folders, then ``new``, ``check``, ``search`` and ``evaluate`` from them alone.

    Parameters
    ----------
    folder
        Where pictures and bundles go.
    shortcut, seed, sizes
        Of the world; the seed is that of training and search too.
    progress
        Told what is being done.

    Raises
    ------
    SearchError
        If a command fails; its message is that of the command.
    """
    tell = progress or (lambda _what: None)
    tell("draw")
    write_kennel_folders(folder, shortcut=shortcut, sizes=sizes, seed=seed)
    for name, data, epochs in (("dog", "D", _EPOCHS), ("oracle", "oracle", _ALL_EPOCHS)):
        tell(f"train on {data}")
        _run_command(
            "new", "--images", folder / data, "--concept-set", folder / "concepts",
            "--subject", "dog", "--seed", seed, "--epochs", epochs, "--out", folder / f"{name}.z",
            "--replace",
        )  # fmt: skip
    tell("check")
    report = _run_command("check", folder / "dog.z")
    outside = [
        str(f["sentence"])
        for f in report["findings"]
        if f["verdict"] == "flagged" and f["kind"] in ("implausible-driver", "split-shortcut")
    ]
    tell("search")
    start = time.monotonic()
    notes = _run_command(
        "search", folder / "dog.z", "--seed", seed, "--fresh", "--out", folder / "star.z"
    )
    seconds = time.monotonic() - start
    tell("score")
    scores = {name: _worst_and_average(folder, name) for name in ("dog", "star", "oracle")}
    return StrangerRow(
        shortcut,
        seed,
        scores["dog"][0],
        scores["star"][0],
        scores["oracle"][0],
        scores["star"][1],
        scores["oracle"][1],
        seconds,
        outside,
        notes.get("edit_trials", {}),
    )


def _worst_and_average(folder: Path, name: str) -> tuple[float, float]:
    found = _run_command(
        "evaluate", folder / f"{name}.z", "--images", folder / "Dprime",
        "--truth", folder / "dprime-truth.csv",
    )  # fmt: skip
    average = found["accuracy"]
    # "Without" a named ground is all others together, so the lowest cell is always one of one kind.
    return min(float(cell["accuracy"]) for cell in found["cells"]), float(average["value"])


def _run_command(*words: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "circuitz", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SearchError(
            f"circuitz {words[0]} failed: {done.stderr.strip()[-400:]}",
            "Run the command by hand on the same folder.",
        )
    return json.loads(done.stdout)
