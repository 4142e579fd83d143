"""What was confirmed is on disk, whoever else has the file open."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from circuitz.store.judgements import Judgements
from circuitz.store.sqlite import open_connection

ANSWERS = """
import os, sqlite3, sys
from circuitz.store.judgement import Judgement, iso_utc_now
from circuitz.store.judgements import Judgements
store = Judgements(sys.argv[1])
other = sqlite3.connect(sys.argv[1]); other.execute("SELECT count(*) FROM judgements").fetchone()
for n in range(5):
    os.write(2, b"GIVEN\\n")
    store.store_superseding_answer(Judgement(
        "t", "label", "z", "c", (f"i{n}",), ("a", "b"), 0, {"choice": "a"}, "mira", "person",
        iso_utc_now(), iso_utc_now(), f"key{n}"))
    os.write(2, b"CONFIRMED\\n")
store.export_jsonl(sys.argv[1] + ".jsonl")
os.write(2, b"EXPORTED\\n")
"""


def test_every_commit_is_flushed(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "a.sqlite")
    # Only with FULL is the log flushed at each commit; NORMAL waits for a checkpoint, which the
    # last connection to close makes, and here another one stays open.
    with closing(sqlite3.connect(store.path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        with store._write_transaction() as connection:
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
            assert connection.execute("PRAGMA fullfsync").fetchone() == (1,)
    # Leases may be lost: a question is asked once more then.
    with open_connection(store.path, durable=False) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)


def may_trace() -> bool:
    """Whether strace is at hand and may watch a process: Linux alone, and not in every container."""
    strace = shutil.which("strace")
    return strace is not None and subprocess.run(
        [strace, "-o", "/dev/null", sys.executable, "-c", ""], capture_output=True, check=False
    ).returncode == 0  # fmt: skip


@pytest.mark.skipif(
    not may_trace(),
    reason="strace, which sees what is flushed to disk, is not installed or may not trace here",
)
def test_the_system_is_asked_to_flush_before_an_answer_is_confirmed(tmp_path: Path) -> None:
    done = subprocess.run(
        ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,write,rename,renameat,renameat2",
         sys.executable, "-c", ANSWERS, str(tmp_path / "a.sqlite")],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    calls = [line for line in done.stderr.splitlines() if re.search(r"\w+\(", line)]
    text = "\n".join(calls)
    spans = re.findall(r'"GIVEN.*?"CONFIRMED', text, re.DOTALL)
    assert len(spans) == 5, done.stderr[-2000:]
    for span in spans:
        assert re.search(r"f(data)?sync\([^\n]*a\.sqlite-wal", span)
    # The export is flushed before it takes the place of what was there.
    last = text.split('"CONFIRMED')[-1].split('"EXPORTED')[0]
    flushed, renamed = re.search(r"fsync\([^\n]*jsonl", last), re.search(r"rename", last)
    assert flushed is not None
    assert renamed is not None
    assert flushed.start() < renamed.start()
