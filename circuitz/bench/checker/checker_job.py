"""One piece of the benchmark that is run, kept and counted by itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import circuitz
from circuitz.disk.atomic import staged_file_replacement

JobKind = Literal["trunk", "case", "edges", "nulls", "stability"]
#: What a result depends on.
_CODE = (
    "bench/checker",
    "data",
    "disk",
    "effects",
    "jobs",
    "lexicon",
    "measurement",
    "models",
    "patching",
    "plausibility",
    "responses",
    "stats",
    "wrapping",
    "z",
)


@dataclass(frozen=True)
class BenchmarkJob:
    """What is run.

    Parameters
    ----------
    kind
        A case; the edges, nulls or stability of a base network; or the training of its trunk.
    family, seed
        Base network.
    role, name
        Case; empty for the other kinds.
    condition
        Harder condition it is run under; empty for none.
    """

    kind: JobKind
    family: str
    seed: int
    role: str = ""
    name: str = ""
    condition: str = ""

    @property
    def job_and_code_hash(self) -> str:
        """Hash of the job and of all code its result depends on."""
        text = json.dumps([asdict(self), benchmark_code_hash()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def load_result(self, folder: Path) -> dict[str, Any] | None:
        """Return the result kept in a folder; ``None`` where there is none that can be read."""
        try:
            return json.loads(
                (folder / f"{self.job_and_code_hash}.json").read_text(encoding="utf-8")
            )
        except (OSError, ValueError):
            return None

    def save_result(self, folder: Path, result: dict[str, Any]) -> None:
        """Keep a result, all of it or nothing."""
        folder.mkdir(parents=True, exist_ok=True)
        with staged_file_replacement(
            folder / f"{self.job_and_code_hash}.json", json.dumps(result).encode()
        ):
            pass


@cache
def benchmark_code_hash() -> str:
    """Hash of the code that results depend on: checks, effects, and this benchmark."""
    root = Path(circuitz.__file__).parent
    digest = hashlib.sha256()
    for folder in _CODE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".py", ".yaml", ".txt", ".gz"}:
                digest.update(str(path.relative_to(root)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
