"""The append-only log as lines that each vouch for the ones before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from circuitz.disk.json_io import dumps, loads
from circuitz.disk.records import decode, encode
from circuitz.errors import BundleError, BundleTamperedError
from circuitz.z.annotation import Annotation
from circuitz.z.targets import target_sort_key

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


# Every line has one layout, so that its entry can be hashed as it stands, unparsed:
# {"prev":"<64 digits>","hash":"<64 digits>","entry":{...}}
_PREV = slice(9, 73)
_HASH = slice(83, 147)
_ENTRY = slice(157, -1)


def _log_line(before: bytes, after: bytes, entry: bytes) -> bytes:
    return b'{"prev":"%s","hash":"%s","entry":%s}' % (before, after, entry)


def _chain_hash(before: bytes, entry: bytes) -> bytes:
    return hashlib.sha256(before + b"\n" + entry).hexdigest().encode()


# A screen appends to the same log again and again: what was read or written once is known.
@lru_cache(maxsize=2**14)
def _write_entry(entry: Annotation) -> bytes:
    return dumps(encode(entry))


@lru_cache(maxsize=2**14)
def _parse_entry(body: bytes) -> Annotation:
    return decode(Annotation, loads(body, "entry"), "entry")


def chained_log_lines(entries: Iterable[Annotation], before: str = START) -> tuple[bytes, str]:
    """Write entries as lines continuing a log.

    Returns
    -------
    The lines, each ended by a newline, and the chain hash after the last one.
    """
    lines: list[bytes] = []
    last = before.encode()
    for entry in entries:
        body = _write_entry(entry)
        after = _chain_hash(last, body)
        lines.append(_log_line(last, after, body) + b"\n")
        last = after
    return b"".join(lines), last.decode()


def parse_and_verify_log(data: bytes, file: str = "log.jsonl") -> LogRead:
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
    last = START.encode()
    lines = whole.split(b"\n") if newline else []
    for number, line in enumerate(lines, start=1):
        place = f"{file}, line {number}"
        after, body = line[_HASH], line[_ENTRY]
        fits = after == _chain_hash(last, body) and line[_PREV] == last
        if not fits or line != _log_line(last, after, body):
            raise BundleTamperedError(
                f"{place} does not follow from the lines before it.",
                "The log was changed by something other than circuitz; restore it from a copy.",
            )
        try:
            entries.append(_parse_entry(body))
        except BundleError as error:
            raise type(error)(f"{place}: {error.message}", error.hint) from error
        last = after
        hashes.append(after.decode())
    return LogRead(tuple(entries), tuple(hashes), len(whole) + len(newline), torn)


def in_force_annotation_lines(effective: Sequence[Annotation]) -> bytes:
    """Write the annotations in force, one line each, sorted by unit and then id."""
    rows = sorted(effective, key=lambda entry: (target_sort_key(entry.target), entry.id))
    return b"".join(_write_entry(entry) + b"\n" for entry in rows)
