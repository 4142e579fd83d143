"""Opening a SQLite file of judgements, and what can be wrong with it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from circuitz.errors import StoreError
from circuitz.store.in_force import DAMAGED

SCHEMA = 3
# Marks the file as ours ("czj1"), so that another program's database is never written to.
APPLICATION = 0x637A6A31
# Rows of joined stores may supersede one row twice. An answer that came twice, under two ids, is
# stored once: `resent` keeps the other id, by which rows of the other store may name it.
_ADDED_IN_2 = """
CREATE INDEX by_superseded ON judgements (supersedes) WHERE supersedes <> '';
CREATE INDEX by_question ON judgements (task, kind, items);
CREATE TABLE resent (
    id TEXT NOT NULL UNIQUE, judgement TEXT NOT NULL, shown TEXT NOT NULL, answered TEXT NOT NULL
);
"""
# What was shown, by its hash: judgements are learned from when what they judge is gone.
_ADDED_IN_3 = """
CREATE TABLE shown (hash TEXT PRIMARY KEY NOT NULL, kind TEXT NOT NULL, record TEXT NOT NULL);
CREATE TRIGGER no_shown_update BEFORE UPDATE ON shown
    BEGIN SELECT RAISE(ABORT, 'what was shown is append-only'); END;
CREATE TRIGGER no_shown_delete BEFORE DELETE ON shown
    BEGIN SELECT RAISE(ABORT, 'what was shown is append-only'); END;
"""
# What brings a file of each earlier schema to the next one.
_UPGRADES = {1: f"DROP INDEX IF EXISTS superseded_once;\n{_ADDED_IN_2}", 2: _ADDED_IN_3}
_CREATE = f"""
CREATE TABLE judgements (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, task TEXT NOT NULL, kind TEXT NOT NULL,
    z_hash TEXT NOT NULL, card_hash TEXT NOT NULL,
    items TEXT NOT NULL, options TEXT NOT NULL, seed INTEGER NOT NULL, answer TEXT,
    rater TEXT NOT NULL, rater_kind TEXT NOT NULL, shown TEXT NOT NULL, answered TEXT NOT NULL,
    "key" TEXT NOT NULL UNIQUE, instructions TEXT NOT NULL,
    supersedes TEXT NOT NULL, "use" TEXT NOT NULL
);
CREATE INDEX by_task ON judgements (task, rater);
{_ADDED_IN_2}
{_ADDED_IN_3}
CREATE TRIGGER no_update BEFORE UPDATE ON judgements
    BEGIN SELECT RAISE(ABORT, 'judgements are append-only'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON judgements
    BEGIN SELECT RAISE(ABORT, 'judgements are append-only'); END;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {SCHEMA};
"""


@contextmanager
def open_connection(
    path: Path, *, read_only: bool = False, durable: bool = True
) -> Generator[sqlite3.Connection]:
    """Open one connection for one call and close it after, turning SQLite's errors into ours.

    What is committed is on disk when the commit returns, whoever else has the file open; with
    ``durable=False`` a power cut may take the last commits away, and damages nothing.

    Raises
    ------
    StoreError
        If the file cannot be opened or anything done through the connection fails.
    """
    connection: sqlite3.Connection | None = None
    try:
        if read_only:
            connection = _open_for_reading(path)
        else:
            connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA busy_timeout = 30000")
        # In the write-ahead log NORMAL flushes at checkpoints alone, and while others have the
        # file open there may be none for hours; FULL flushes at every commit. On a Mac an
        # ordinary flush stops at the drive's cache.
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA fullfsync = 1")
        connection.execute("PRAGMA checkpoint_fullfsync = 1")
        yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}.", _remedy_for_error(error)) from error
    finally:
        if connection is not None:
            connection.close()


def create_or_check_tables(
    connection: sqlite3.Connection, path: Path, *, read_only: bool = False
) -> None:
    """Make the tables of a new file, or check that an old one can be used.

    Raises
    ------
    StoreError
        If the file is damaged, belongs to another program or was written by a newer version.
    """
    # Tables first: they appear together with the marks, so marks read later cannot be missing.
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == APPLICATION and version > SCHEMA:
        raise StoreError(
            f"{path} was written by a newer version (schema {version}).",
            "Update circuitz.",
        )
    if application != APPLICATION and (tables or read_only):
        raise StoreError(f"{path} is a database of another program.", "Choose another file.")
    if application == APPLICATION:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise StoreError(f"{path} is damaged: {verdict}.", DAMAGED)
        if version < SCHEMA and not read_only:
            _upgrade_tables(connection)
        return
    _enable_write_ahead_log(connection)
    connection.execute("BEGIN EXCLUSIVE")
    # Another process may have made the tables while this one waited for the lock.
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        for statement in _split_statements(_CREATE):
            connection.execute(statement)
    connection.execute("COMMIT")


def _upgrade_tables(connection: sqlite3.Connection) -> None:
    """Bring the tables of an earlier version up to date, wholly or not at all; no row changes."""
    connection.execute("BEGIN EXCLUSIVE")
    try:
        # Looked up again: another process may have done it while this one waited for the lock.
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        for earlier in range(max(version, 1), SCHEMA):
            for statement in _split_statements(_UPGRADES[earlier]):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _remedy_for_error(error: sqlite3.Error) -> str:
    text = str(error).lower()
    if "malformed" in text or "not a database" in text or "corrupt" in text:
        return DAMAGED
    if "readonly" in text or "read-only" in text:
        return "The file or its folder cannot be written; nothing was stored."
    if "full" in text or "disk i/o" in text:
        return "The disk may be full; nothing of this call was stored."
    if "locked" in text or "busy" in text:
        return "Another program holds the file; try again."
    return "Check that the path is a file that can be written."


def _split_statements(script: str) -> list[str]:
    """Split a script into statements; ``executescript`` would commit the open transaction."""
    found: list[str] = []
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found


def _enable_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait for other openers here, so we do."""
    deadline = time.monotonic() + 30
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _open_for_reading(path: Path) -> sqlite3.Connection:
    """Open without ever writing, also in a folder that cannot be written to."""
    address = f"file:{quote(str(path.resolve()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=30, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        # The write-ahead log's helper file cannot be made there; without writers none is needed.
        connection.close()
        return sqlite3.connect(f"{address}&immutable=1", uri=True, timeout=30, isolation_level=None)
    return connection
