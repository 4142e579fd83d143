from __future__ import annotations

import pytest

from circuitz.errors import BundleFormatError, BundleTamperedError
from circuitz.z.annotation import Annotation
from circuitz.z.bundle.log_io import (
    START,
    chained_log_lines,
    in_force_annotation_lines,
    parse_and_verify_log,
)

ENTRIES = (
    Annotation("a", "conv:10", "snow", ("snow",), "ann", confidence=0.5),
    Annotation("b", "conv:9", "Schnee ❄️ \u2028", author_kind="rule"),
    Annotation("c", "conv:10", "", supersedes="a", retracted=True),
)


def test_an_empty_log() -> None:
    assert chained_log_lines(()) == (b"", START)
    read = parse_and_verify_log(b"")
    assert (read.entries, read.hash, read.size, read.torn) == ((), START, 0, b"")


def test_lines_written_in_parts_are_the_lines_written_at_once() -> None:
    lines, end = chained_log_lines(ENTRIES)
    first, middle = chained_log_lines(ENTRIES[:1])
    rest, last = chained_log_lines(ENTRIES[1:], middle)
    assert (first + rest, last) == (lines, end)
    read = parse_and_verify_log(lines)
    assert read.entries == ENTRIES
    assert read.hashes == (middle, read.hashes[1], end)
    assert len(lines.splitlines()) == len(lines.decode().split("\n")) - 1 == 3


def test_a_line_in_another_layout_is_refused_even_if_it_means_the_same() -> None:
    lines, _ = chained_log_lines(ENTRIES[:1])
    for changed in (lines.replace(b'{"prev":', b'{"prev": '), b" " + lines, b"\n" + lines):
        with pytest.raises(BundleTamperedError, match="line 1"):
            parse_and_verify_log(changed)


def test_every_changed_byte_is_noticed() -> None:
    lines, _ = chained_log_lines(ENTRIES)
    for at in range(0, len(lines), 3):
        changed = bytearray(lines)
        changed[at] ^= 1
        try:
            read = parse_and_verify_log(bytes(changed))
        except (BundleTamperedError, BundleFormatError):
            continue
        # Only the last line's end can be lost without a break in the chain.
        assert read.torn


def test_the_head_is_sorted_by_unit_then_id() -> None:
    lines = in_force_annotation_lines(list(ENTRIES)).decode().split("\n")
    assert ['"id":"b"' in lines[0], '"id":"a"' in lines[1], '"id":"c"' in lines[2]] == [True] * 3
