from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from circuitz.disk.lock import hold_write_lock, lock_path
from circuitz.errors import BundleLockedError, BundleWriteError


def test_one_thread_may_take_it_again(tmp_path: Path) -> None:
    with hold_write_lock(tmp_path / "a"), hold_write_lock(tmp_path / "a"):
        assert lock_path(tmp_path / "a").exists()
    assert list(tmp_path.iterdir()) == []


def test_threads_take_turns(tmp_path: Path) -> None:
    inside, most = [], []

    def work() -> None:
        for _ in range(5):
            with hold_write_lock(tmp_path / "a"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 20


def test_an_error_inside_lets_it_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold_write_lock(tmp_path / "a"):
        raise ZeroDivisionError
    with hold_write_lock(tmp_path / "a", timeout=0.0):
        pass


def test_waiting_ends_with_a_named_error(tmp_path: Path) -> None:
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        with hold_write_lock(tmp_path / "a.z"):
            ready.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait(10)
    try:
        with (
            pytest.raises(BundleLockedError, match=r"a\.z"),
            hold_write_lock(tmp_path / "a.z", timeout=0.05),
        ):
            pass
    finally:
        done.set()
        thread.join()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleWriteError, match="gone"), hold_write_lock(tmp_path / "gone" / "a"):
        pass
