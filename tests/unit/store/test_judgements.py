from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from circuitz.errors import StoreError
from circuitz.store.judgement import Judgement
from circuitz.store.judgements import Judgements

WRITER = """
import sys
from circuitz.store.judgement import Judgement, iso_utc_now
from circuitz.store.judgements import Judgements
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = Judgements(path)
for i in range(count):
    one = Judgement("t", "label", "z", "c", (f"{name}-{i}",), ("a", "b"), i, {"choice": "a"},
                    name, "simulated", iso_utc_now(), iso_utc_now(), f"{name}-{i}")
    print(store.append(one)[0], flush=True)
"""


def make(key: str = "k", **changes: object) -> Judgement:
    base = Judgement(
        task="label", kind="label", z_hash="z1", card_hash="c1", items=("i1",),
        options=("husky", "corgi"), seed=3, answer={"choice": "husky", "p": [0.75, 0.25]},
        rater="ada", rater_kind="person", shown="2026-01-01T00:00:00+00:00",
        answered="2026-01-01T00:00:04.500+00:00", key=key,
    )  # fmt: skip
    return replace(base, **changes)


def test_every_field_comes_back(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "sub" / "j.sqlite")
    given = make(use="gold", instructions="3", items=("é", "x'; DROP TABLE judgements;--"))
    (made,) = store.append(given)
    back = store.get(made)
    assert back == replace(given, id=made)
    assert Judgement.from_dict(back.to_dict()) == back


def test_a_key_is_stored_once(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "j.sqlite")
    first = store.append(make())
    again = store.append(make(answered="2026-01-01T00:00:09+00:00"))
    assert first == again
    assert len(store) == 1
    with pytest.raises(StoreError, match="already used for another answer"):
        store.append(make(answer={"choice": "corgi"}))
    assert store.rows()[0].answer == {"choice": "husky", "p": [0.75, 0.25]}


def test_undo_is_a_superseding_row(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "j.sqlite")
    (first,) = store.append(make("1"))
    (second,) = store.append(make("2", supersedes=first, answer={"choice": "corgi"}))
    assert [j.id for j in store.rows()] == [second]
    with pytest.raises(StoreError, match="already superseded"):
        store.append(make("3", supersedes=first))
    with pytest.raises(StoreError, match="ada's, not bob's"):
        store.withdraw(second, rater="bob")
    gone = store.withdraw(second, rater="ada")
    assert store.rows() == []
    assert [j.id for j in store.rows(current=False)] == [first, second, gone]
    assert store.get(gone).withdrawn
    with pytest.raises(StoreError, match="unknown"):
        store.append(make("4", supersedes="nobody"))


def test_rows_cannot_be_changed_even_by_sql(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "j.sqlite")
    store.append(make())
    with sqlite3.connect(store.path) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute("UPDATE judgements SET answer = 'x'")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute("DELETE FROM judgements")


def test_a_batch_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "j.sqlite")
    with pytest.raises(StoreError):
        store.append([make("1"), make("2"), make("3", supersedes="nobody")])
    assert len(store) == 0
    assert len(store.append([make("1"), make("2")])) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"rater": ""},
        {"key": ""},
        {"rater_kind": "robot"},
        {"use": "fun"},
        {"shown": "yesterday"},
        {"answer": {"p": float("nan")}},
        {"answer": {"p": object()}},
        {"answer": None},
        {"seed": 2**63},
        {"answer": ["husky"]},
        {"answer": "husky"},
        {"items": (1,)},
        {"items": (["a"],)},
        {"options": ({"a": 1},)},
        {"rater": 7},
        {"task": b"x"},
    ],
)
def test_malformed_judgements_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    store = Judgements(tmp_path / "j.sqlite")
    with pytest.raises(StoreError):
        store.append(make(**changes))
    assert len(store) == 0


def test_frame_and_jsonl(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "j.sqlite")
    assert list(store.frame.columns)[:3] == ["id", "task", "kind"]
    (first,) = store.append(make("1"))
    store.append([make("2", rater="bob"), make("3", supersedes=first)])
    assert list(store.filtered_frame(rater="ada")["key"]) == ["3"]
    assert store.export_jsonl(tmp_path / "out.jsonl") == 3
    other = Judgements(tmp_path / "other.sqlite")
    assert other.import_jsonl(tmp_path / "out.jsonl") == 3
    assert other.rows(current=False) == store.rows(current=False)
    assert other.import_jsonl(tmp_path / "out.jsonl") == 3
    assert len(other) == 3
    (tmp_path / "bad.jsonl").write_text('{"task": "x"}\n')
    with pytest.raises(StoreError):
        other.import_jsonl(tmp_path / "bad.jsonl")
    (tmp_path / "bad.jsonl").write_text("[1\n")
    with pytest.raises(StoreError, match="Line 1"):
        other.import_jsonl(tmp_path / "bad.jsonl")


def test_one_object_serves_many_threads(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "j.sqlite")
    errors: list[Exception] = []

    def work(name: str) -> None:
        try:
            for i in range(10):
                store.append(make(f"{name}{i}", rater=name))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"t{k}",)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert errors == []
    assert len(store) == 40


def test_eight_processes_share_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"w{k}", "50"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for k in range(8)
    ]  # fmt: skip
    ids: set[str] = set()
    for worker in workers:
        out, err = worker.communicate(timeout=120)
        assert worker.returncode == 0, err
        ids |= set(out.split())
    store = Judgements(path)
    assert {j.id for j in store.rows()} == ids
    assert len(store) == 400


def test_what_was_confirmed_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "w", "100000"], stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        seen = [worker.stdout.readline().strip() for _ in range(20)]
        time.sleep(0.05)
        os.kill(worker.pid, signal.SIGKILL)
        seen += [line.strip() for line in worker.stdout.readlines() if len(line) == 33]
    stored = {j.id for j in Judgements(path).rows()}
    assert set(seen) <= stored
    assert len(stored) <= len(seen) + 1
    assert Judgements(path).append(make())


def test_damaged_and_foreign_files_are_named_and_left_alone(tmp_path: Path) -> None:
    junk = tmp_path / "junk.sqlite"
    junk.write_bytes(b"this is no database at all " * 50)
    before = junk.read_bytes()
    with pytest.raises(StoreError) as caught:
        Judgements(junk)
    assert caught.value.hint
    assert junk.read_bytes() == before

    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE recipes (x)")
    with pytest.raises(StoreError, match="another program"):
        Judgements(foreign)

    newer = tmp_path / "newer.sqlite"
    Judgements(newer)
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer version"):
        Judgements(newer)

    torn = tmp_path / "torn.sqlite"
    store = Judgements(torn)
    store.append([make(f"{i}", answer={"text": "x" * 500}) for i in range(60)])
    content = bytearray(torn.read_bytes())
    content[4096 * 3 : 4096 * 5] = b"\xff" * 8192
    torn.write_bytes(content)
    with pytest.raises(StoreError):
        Judgements(torn).rows()


def test_reading_only(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    Judgements(path).append(make())
    content = path.read_bytes()
    store = Judgements(path, read_only=True)
    assert len(store) == 1
    with pytest.raises(StoreError, match="reading only"):
        store.append(make("2"))
    assert path.read_bytes() == content
    with pytest.raises(StoreError, match="no file"):
        Judgements(tmp_path / "none.sqlite", read_only=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        Judgements(tmp_path / "file" / "j.sqlite")
    with pytest.raises(StoreError):
        Judgements(tmp_path)


FULL_DISK = """
import resource, sys, signal
from circuitz.errors import StoreError
from circuitz.store.judgement import Judgement, iso_utc_now
from circuitz.store.judgements import Judgements
store = Judgements(sys.argv[1])
def one(i, size):
    return Judgement("t", "label", "z", "c", ("i",), ("a",), i, {"text": "x" * size}, "r",
                     "simulated", iso_utc_now(), iso_utc_now(), f"k{i}")
store.append(one(0, 10))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    store.append([one(i, 10_000) for i in range(1, 100)])
except StoreError as error:
    print("StoreError", error)
"""


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    done = subprocess.run(
        args=[sys.executable, "-c", FULL_DISK, str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith("StoreError"), done.stderr
    store = Judgements(path)
    assert [j.key for j in store.rows()] == ["k0"]
    store.append(make())


def test_no_connection_is_left_open(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "j.sqlite")
    store.append(make())
    store.rows()
    # SQLite removes the write-ahead log when the last connection closes.
    assert [p.name for p in tmp_path.iterdir()] == ["j.sqlite"]


def test_json_of_a_judgement_is_plain(tmp_path: Path) -> None:
    assert json.loads(json.dumps(make().to_dict()))["options"] == ["husky", "corgi"]
    with pytest.raises(StoreError, match="Unknown fields"):
        Judgement.from_dict({**make().to_dict(), "evil": 1})


@pytest.mark.parametrize(
    "change",
    ["items = '[1]'", "items = '7'", "answer = '\"husky\"'", "answer = '[]'", "rater = X'00'",
     "options = '[null]'", "answer = '{'"],
)  # fmt: skip
def test_a_row_that_somebody_forged_is_named(tmp_path: Path, change: str) -> None:
    store = Judgements(tmp_path / "j.sqlite")
    store.append(make("1"))
    with sqlite3.connect(store.path) as connection:
        connection.execute("DROP TRIGGER no_update")
        connection.execute(f"UPDATE judgements SET {change}")
    with pytest.raises(StoreError, match="is damaged"):
        store.rows()
