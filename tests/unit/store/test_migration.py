"""Files of earlier versions open, wholly changed or not at all.

``schema_2.sql`` is the dump of a file that the last version with schema 2 wrote.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from circuitz.errors import StoreError
from circuitz.store import sqlite
from circuitz.store.address import open_store
from circuitz.store.judgements import Judgements
from circuitz.store.shown_record import ShownRecord

DUMP = (Path(__file__).parent / "schema_2.sql").read_text("utf-8")
# What schema 2 added to the first one, taken away again.
TO_SCHEMA_1 = """
DROP INDEX by_superseded; DROP INDEX by_question; DROP TABLE resent;
DROP TABLE leased; DROP TABLE aside;
CREATE UNIQUE INDEX superseded_once ON judgements (supersedes) WHERE supersedes <> '';
PRAGMA user_version = 1;
"""
CARD = ShownRecord("c1", "card", {"hash": "c1", "classes": []})


@pytest.fixture(params=[1, 2])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(DUMP)
        if request.param == 1:
            connection.executescript(TO_SCHEMA_1)
    assert version(path) == request.param
    return path


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def history(path: Path, *, read_only: bool = False) -> list[str]:
    return [row.key for row in Judgements(path, read_only=read_only).rows(current=False)]


def in_force(path: Path, *, read_only: bool = False) -> list[str]:
    return [row.key for row in Judgements(path, read_only=read_only).rows()]


def test_an_earlier_file_opens_and_goes_on(earlier: Path) -> None:
    before = version(earlier)
    store = open_store(earlier)
    assert version(earlier) == sqlite.SCHEMA
    assert history(earlier) == ["k1", "k2", "k3", "k4", "withdraw:id-k4"]
    assert in_force(earlier) == ["k2", "k3"]
    # What was shown was not kept then: it is named as absent, and can be kept from now on.
    assert store.shown_hashes() == set()
    with pytest.raises(StoreError, match="is not in this store") as caught:
        store.shown_record("c1")
    assert "earlier versions" in caught.value.hint
    store.keep_shown([CARD])
    assert store.shown_record("c1").record == CARD.record
    turns = store.leases("t", clock=lambda: 1001.0)
    if before == 2:
        assert turns.snapshot("ben").leased == {"held": {"ada": 1300.0}}
        assert turns.snapshot("ada").aside == ("later",)
    assert len(store) == 5


def test_an_earlier_file_is_read_without_a_change(earlier: Path, tmp_path: Path) -> None:
    content = earlier.read_bytes()
    store = Judgements(earlier, read_only=True)
    assert in_force(earlier, read_only=True) == ["k2", "k3"]
    assert store.shown_hashes() == set()
    with pytest.raises(StoreError, match="is not in this store"):
        store.shown_record("c1")
    for write in (lambda: store.keep_shown([CARD]), lambda: store.leases("t")):
        with pytest.raises(StoreError, match="reading only"):
            write()
    assert store.export_jsonl(tmp_path / "old.jsonl") == 5
    assert earlier.read_bytes() == content
    # Its export is that of the same file brought up to date.
    Judgements(earlier).export_jsonl(tmp_path / "new.jsonl")
    assert (tmp_path / "old.jsonl").read_bytes() == (tmp_path / "new.jsonl").read_bytes()


KILLED = """
import os, signal, sys
from circuitz.store import sqlite
split = sqlite._split_statements
def dying(script):
    for number, statement in enumerate(split(script)):
        if number == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement
sqlite._split_statements = dying
from circuitz.store.judgements import Judgements
Judgements(sys.argv[1])
"""


@pytest.mark.parametrize("statements", [0, 1, 2])
def test_a_migration_that_was_killed_changed_nothing(earlier: Path, statements: int) -> None:
    before = version(earlier)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(earlier), str(statements)], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert version(earlier) == before
    assert in_force(earlier) == ["k2", "k3"]
    assert version(earlier) == sqlite.SCHEMA


def test_a_migration_that_fails_changed_nothing(
    earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version(earlier)
    with monkeypatch.context() as patched:
        patched.setitem(sqlite._UPGRADES, 2, f"{sqlite._UPGRADES[2]}\nNONSENSE;\n")
        with pytest.raises(StoreError):
            Judgements(earlier)
    assert version(earlier) == before
    assert in_force(earlier) == ["k2", "k3"]


def test_many_who_open_it_at_once_bring_it_up_to_date_once(earlier: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: Judgements(earlier), range(8)))
    assert version(earlier) == sqlite.SCHEMA
    assert [len(store) for store in stores] == [5] * 8


def test_a_new_file_and_one_brought_up_to_date_are_alike(earlier: Path, tmp_path: Path) -> None:
    def layout(path: Path) -> set[tuple[str, ...]]:
        Judgements(path).leases("t")
        with closing(sqlite3.connect(path)) as connection:
            return set(
                connection.execute(
                    "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
                )
            )

    assert layout(earlier) == layout(tmp_path / "new.sqlite")


def test_a_newer_file_is_refused_by_name_and_left_alone(earlier: Path) -> None:
    with closing(sqlite3.connect(earlier)) as connection:
        connection.execute(f"PRAGMA user_version = {sqlite.SCHEMA + 1}")
    content = earlier.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"old\.sqlite was written by a newer version"):
            Judgements(earlier, read_only=read_only)
    assert earlier.read_bytes() == content


def test_what_was_shown_cannot_be_changed_even_by_sql(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "a.sqlite")
    store.keep_shown([CARD])
    with closing(sqlite3.connect(store.path)) as connection:
        for statement in ("UPDATE shown SET record = '{}'", "DELETE FROM shown"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("DROP TRIGGER no_shown_update")
        connection.execute("UPDATE shown SET record = '[]'")
        connection.commit()
    with pytest.raises(StoreError, match="is damaged"):
        store.shown_record("c1")


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write everywhere")
def test_an_earlier_file_that_cannot_be_written_says_so(earlier: Path) -> None:
    locked = earlier.parent / "locked"
    locked.mkdir()
    shutil.copy(earlier, locked / "old.sqlite")
    locked.chmod(0o500)
    with pytest.raises(StoreError, match="nothing was stored"):
        Judgements(locked / "old.sqlite")
