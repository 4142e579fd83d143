"""The append-only log as lines that each vouch for the ones before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from circuitz.errors import BundleTamperedError
from circuitz.z.annotation import Annotation
from circuitz.z.json_io import dumps, loads
from circuitz.z.records import decode, encode
from circuitz.z.targets import target_key

START = "0" * 64
"""What the first line gives as the hash of the line before it."""


@dataclass(frozen=True)
class LogRead:
    """A log read from disk.

    Parameters
    ----------
    entries
        Annotations, oldest first.
    hashes
        Chain hash after each entry; its last one names the whole log.
    size
        Bytes that belong to whole lines.
    torn
        Bytes after them: a line whose writing was cut short.
    """

    entries: tuple[Annotation, ...] = ()
    hashes: tuple[str, ...] = ()
    size: int = 0
    torn: bytes = b""

    @property
    def hash(self) -> str:
        """Chain hash of the last entry."""
        return self.hashes[-1] if self.hashes else START


def _chain(before: str, entry: dict[str, Any]) -> str:
    return hashlib.sha256(before.encode() + b"\n" + dumps(entry)).hexdigest()


def log_lines(entries: Iterable[Annotation], before: str = START) -> tuple[bytes, str]:
    """Write entries as lines continuing a log.

    Returns
    -------
    The lines, each ended by a newline, and the chain hash after the last one.
    """
    lines: list[bytes] = []
    for entry in entries:
        plain = encode(entry)
        after = _chain(before, plain)
        lines.append(dumps({"prev": before, "entry": plain, "hash": after}) + b"\n")
        before = after
    return b"".join(lines), before


def read_log(data: bytes, where: str = "log.jsonl") -> LogRead:
    """Read a log and check its chain; a last line cut short is set apart.

    Raises
    ------
    BundleTamperedError
        If a line does not follow from the one before it.
    BundleFormatError
        If a whole line is not an entry.
    """
    whole, newline, torn = data.rpartition(b"\n")
    entries: list[Annotation] = []
    hashes: list[str] = []
    before = START
    lines = whole.split(b"\n") if newline else []
    for number, line in enumerate(lines, start=1):
        place = f"{where}, line {number}"
        value = loads(line, place)
        if (
            not isinstance(value, dict)
            or set(value) != {"prev", "entry", "hash"}
            or value["prev"] != before
            or not isinstance(value["entry"], dict)
            or value["hash"] != _chain(before, value["entry"])
        ):
            raise BundleTamperedError(
                f"{place} does not follow from the lines before it.",
                "The log was changed by something other than circuitz; restore it from a copy.",
            )
        entries.append(decode(Annotation, value["entry"], place))
        before = str(value["hash"])
        hashes.append(before)
    return LogRead(tuple(entries), tuple(hashes), len(whole) + len(newline), torn)


def head_lines(effective: Sequence[Annotation]) -> bytes:
    """Write the annotations in force, one line each, sorted by unit and then id."""
    rows = sorted(effective, key=lambda entry: (target_key(entry.target), entry.id))
    return b"".join(dumps(encode(entry)) + b"\n" for entry in rows)
