"""Full disks, Ctrl-C and kill -9 at every step of every write."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from circuitz.disk.lock import hold_write_lock
from circuitz.errors import BundleLockedError, BundleWarning, BundleWriteError
from circuitz.z.bundle.append_log import TORN
from circuitz.z.bundle.inputs_io import input_set_fingerprint, read_inputs, write_inputs
from circuitz.z.bundle.load_save import append_log, load
from circuitz.z.model import AnnotatedModel


@pytest.fixture
def two(new_z: Callable[..., AnnotatedModel]) -> tuple[AnnotatedModel, AnnotatedModel]:
    """Two models with different weights, evidence and words."""
    old = new_z(seed=1)
    new = new_z(seed=2, story="new").annotate("conv2:2", "ears", concepts=())
    return old, new


def contents(z: AnnotatedModel) -> tuple[Any, ...]:
    """Everything, read and verified."""
    return (
        z.hash,
        z.log,
        z.story,
        z.weights["conv2.weight"].tobytes(),
        z.measurements.effects.drive.tobytes(),
        input_set_fingerprint(z.concept_set),
    )


def leftovers(path: Path) -> list[str]:
    return [item.name for item in path.parent.iterdir() if item.name != path.name]


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the platter matters when the power fails, not when a process is killed."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


def put_back(copy: Path, path: Path) -> None:
    """Restore a bundle from a pristine copy."""
    if copy.is_dir():
        shutil.rmtree(path)
        shutil.copytree(copy, path)
    else:
        shutil.copy(copy, path)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.z", "full before"),
        ("a.z", "interrupted before"),
        ("a.z", "interrupted after"),
        ("a.zip", "full before"),
        ("a.zip", "interrupted before"),
    ],
)
def test_whatever_stops_a_save_the_bundle_is_the_old_or_the_new(
    two: tuple[AnnotatedModel, AnnotatedModel],
    tmp_path: Path,
    disk: Any,
    how: str,
    name: str,
) -> None:
    old, new = two
    act, _, when = how.partition(" ")
    path = old.save(tmp_path / "here" / name)
    copy = old.save(tmp_path / "copy" / name)
    wanted = BundleWriteError if act == "full" else KeyboardInterrupt
    stopped, said = 0, "disk is full"
    # A zip is written in many small steps, most of them alike.
    for at in range(1, 2000, 1 if name == "a.z" else 13):
        put_back(copy, path)
        with disk(act, at).watched(after=when == "after") as watch:
            try:
                new.save(path)
            except wanted as error:
                stopped += 1
                said = str(error)
        assert act != "full" or "disk is full" in said
        assert leftovers(path) == []
        found = contents(load(path))
        if watch.count < at:
            assert found == contents(new)
            break
        # Once the new bundle is in its place, a failure to tidy up does not take it back.
        assert found in (contents(old), contents(new))
    assert found == contents(new)
    assert stopped > 10


def test_a_first_save_that_fails_leaves_nothing(
    two: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path, disk: Any
) -> None:
    stopped = 0
    for at in range(1, 100):
        with disk("full", at).watched() as watch:
            try:
                two[0].save(tmp_path / "a.z")
            except BundleWriteError:
                stopped += 1
                assert list(tmp_path.iterdir()) == []
        if watch.count < at:
            break
        shutil.rmtree(tmp_path / "a.z", ignore_errors=True)
    assert stopped > 10


def in_child(work: Callable[[], None]) -> int:
    """Run in a forked process; its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_kill_at_any_step_of_a_save_leaves_the_old_or_the_new(
    two: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path, disk: Any
) -> None:
    old, new = two
    path = old.save(tmp_path / "here" / "a.z")
    copy = old.save(tmp_path / "copy" / "a.z")
    kills = 0
    for at in range(1, 500):
        put_back(copy, path)

        def work(at: int = at) -> None:
            with disk("killed", at).watched():
                new.save(path)

        code = in_child(work)
        found = contents(load(path))
        assert found in (contents(old), contents(new))
        assert leftovers(path) in ([], [".a.z.lock"])
        if code == 0:
            assert found == contents(new)
            break
        assert code == -signal.SIGKILL
        kills += 1
    assert kills > 20


def test_random_kills_of_a_busy_writer(
    two: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path
) -> None:
    old, new = two
    path = old.save(tmp_path / "a.z")
    chance = random.Random(0)
    seen = set()
    for _ in range(15):
        child = os.fork()
        if child == 0:
            try:
                while True:
                    new.save(path)
                    old.save(path)
            finally:
                os._exit(1)
        time.sleep(chance.uniform(0.0, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = contents(load(path))
        assert found in (contents(old), contents(new))
        seen.add(found[0])
    assert seen <= {old.hash, new.hash}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_at_any_moment_leaves_a_whole_bundle(
    two: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    path = two[0].save(tmp_path / "a.z")
    chance = random.Random(0)
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        for turn in range(30):
            delay = chance.uniform(0.0, 0.03)
            timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGUSR1))
            with suppress(KeyboardInterrupt):
                timer.start()
                two[turn % 2].save(path)
                timer.join()
                time.sleep(0.01)
            found = contents(load(path))
            assert found in (contents(two[0]), contents(two[1]))
            assert set(leftovers(path)) <= {".a.z.lock"}
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_ctrl_c_while_the_old_bundle_is_deleted_stays_an_interrupt(
    two: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = two[0].save(tmp_path / "a.z")
    remove = shutil.rmtree

    def interrupted(folder: Any, **how: Any) -> None:
        # What rmtree does when the interrupt comes while it closes a folder's handle.
        monkeypatch.setattr(shutil, "rmtree", remove)
        try:
            raise KeyboardInterrupt
        finally:
            raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        two[1].save(path)
    assert contents(load(path)) == contents(two[1])
    assert set(leftovers(path)) <= {".a.z.lock"}


def test_a_reader_beside_a_busy_writer_never_sees_a_mixture(
    two: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path
) -> None:
    old, new = two
    path = old.save(tmp_path / "a.z")
    child = os.fork()
    if child == 0:
        try:
            for _ in range(20):
                new.save(path)
                old.save(path)
        finally:
            os._exit(0)
    try:
        wanted = {(z.hash, z.log, z.story) for z in two}
        for _ in range(40):
            z = load(path)
            assert (z.hash, z.log, z.story) in wanted
    finally:
        os.waitpid(child, 0)


@pytest.mark.parametrize("act", ["full", "interrupted"])
def test_an_append_that_fails_leaves_the_log_as_it_was(
    z: AnnotatedModel, tmp_path: Path, disk: Any, act: str
) -> None:
    path = z.save(tmp_path / "a.z")
    more = z.annotate("conv2:2", "ears", concepts=()).annotate(
        "conv2:3", "curled tail", concepts=()
    )
    before = (path / "log.jsonl").read_bytes()
    wanted = BundleWriteError if act == "full" else KeyboardInterrupt
    for at in range(1, 50):
        with disk(act, at).watched() as watch, suppress(wanted):
            append_log(path, more.log)
        after = (path / "log.jsonl").read_bytes()
        if watch.count < at:
            break
        assert after == before or load(path).log == more.log
        assert load(path).log in (z.log, more.log)
        (path / "log.jsonl").write_bytes(before)
        assert not list(path.glob(".*"))
    assert at > 5
    assert load(path).log == more.log


def test_a_kill_at_any_step_of_an_append_keeps_whole_entries(
    z: AnnotatedModel, tmp_path: Path, disk: Any
) -> None:
    more = z.annotate("conv2:2", "ears", concepts=()).annotate(
        "conv2:3", "curled tail", concepts=()
    )
    torn = 0
    for at in range(1, 50):
        path = z.save(tmp_path / f"{at}.z")

        def work(path: Path = path, at: int = at) -> None:
            with disk("killed", at).watched():
                append_log(path, more.log)

        code = in_child(work)
        with pytest.MonkeyPatch.context() as patch:
            said: list[str] = []
            patch.setattr("warnings.warn", lambda text, *a, said=said, **k: said.append(text))
            found = load(path)
        assert found.log == more.log[: len(found.log)]
        assert len(found.log) >= len(z.log)
        torn += bool(said)
        assert found.remarks == tuple(said)
        # Going on from there works, and loses nothing.
        assert append_log(path, more.log) == more.log
        assert load(path).log == more.log
        if code == 0:
            break
    assert torn > 0


def test_a_torn_last_line_is_moved_aside_with_a_warning(z: AnnotatedModel, tmp_path: Path) -> None:
    path = z.save(tmp_path / "a.z")
    with (path / "log.jsonl").open("ab") as file:
        file.write(b'{"prev": "abc", "ent')
    with pytest.warns(BundleWarning, match="cut short"):
        opened = load(path)
    assert opened.log == z.log
    assert "cut short" in opened.remarks[0]
    assert (path / TORN).read_bytes() == b'{"prev": "abc", "ent\n'
    assert load(path).remarks == ()
    # Saving keeps it.
    opened.save(path)
    assert (path / TORN).exists()


def test_a_torn_line_in_a_bundle_that_cannot_be_written_is_left(
    z: AnnotatedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = z.save(tmp_path / "a.z")
    with (path / "log.jsonl").open("ab") as file:
        file.write(b'{"prev"')

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("circuitz.disk.lock.io.FileIO", refuse)
    with pytest.warns(BundleWarning, match="left in place"):
        assert load(path).log == z.log
    assert not (path / TORN).exists()


def test_saving_where_one_may_not_write_is_a_named_error(
    z: AnnotatedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = z.save(tmp_path / "a.z")

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("circuitz.disk.lock.io.FileIO", refuse)
    with pytest.raises(BundleWriteError, match="Read-only"):
        z.save(path)
    with pytest.raises(BundleWriteError, match="Read-only"):
        append_log(path, z.log)
    assert load(path).hash == z.hash


def test_appends_from_many_processes_all_arrive(z: AnnotatedModel, tmp_path: Path) -> None:
    path = z.save(tmp_path / "a.z")
    children = []
    for unit in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for round_ in range(5):
                    text = f"text {round_}"
                    new = z.annotate(f"conv2:{unit}", text, concepts=()).log[-1:]
                    append_log(path, new)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert len(load(path).log) == len(z.log) + 20


def test_a_writer_waits_for_another_and_gives_up_with_a_named_error(
    z: AnnotatedModel, tmp_path: Path
) -> None:
    path = z.save(tmp_path / "a.z")
    ready, hold = os.pipe()
    child = os.fork()
    if child == 0:
        with hold_write_lock(path):
            os.write(hold, b"x")
            time.sleep(60)
        os._exit(0)
    try:
        os.read(ready, 1)
        with (
            pytest.raises(BundleLockedError, match=r"writing a\.z"),
            hold_write_lock(path, timeout=0.1),
        ):
            pass
        # Reading needs no lock.
        assert load(path).hash == z.hash
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with hold_write_lock(path, timeout=1):
        pass
    assert leftovers(path) == []


def test_input_sets_are_replaced_whole_or_not_at_all(
    new_inputs: Callable[..., Any], tmp_path: Path, disk: Any
) -> None:
    old, new = new_inputs(seed=1), new_inputs(seed=2)
    path = write_inputs(tmp_path / "D", old)
    for act, wanted in (("full", BundleWriteError), ("interrupted", KeyboardInterrupt)):
        for at in range(1, 200, 2):
            write_inputs(path, old)
            with disk(act, at).watched() as watch, suppress(wanted):
                write_inputs(path, new)
            found = input_set_fingerprint(read_inputs(path))
            if watch.count < at:
                assert found == input_set_fingerprint(new)
                break
            assert found in (input_set_fingerprint(old), input_set_fingerprint(new))
        assert leftovers(path) == []
