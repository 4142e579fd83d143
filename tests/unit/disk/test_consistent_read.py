"""Readers beside a writer, at every moment of its two renames."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from circuitz.disk.atomic import has_save_leftovers, moved_aside_bundle
from circuitz.disk.lock import hold_write_lock
from circuitz.errors import BundleError, CircuitzError, InputsError
from circuitz.z.bundle.inputs_io import input_set_fingerprint, read_inputs, write_inputs
from circuitz.z.bundle.load_save import append_log, load
from circuitz.z.model import AnnotatedModel

A, B = "0123abcd", "89efcafe"
Z = Callable[..., AnnotatedModel]


@pytest.fixture
def pair(new_z: Z) -> tuple[AnnotatedModel, AnnotatedModel]:
    return tuple(  # type: ignore[return-value]
        new_z(seed=seed, story=str(seed), concept_set=None, measurements=None) for seed in (1, 2)
    )


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pulls the plug here."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


class Writer:
    """A save in a thread of its own that makes each of its renames when told to."""

    def __init__(self, path: Path, new: Path) -> None:
        old = path.with_name(f".{path.name}.old-{A}")
        staged = path.with_name(f".{path.name}.tmp-{B}")
        self.steps: list[Callable[[], Any]] = [
            lambda: shutil.copytree(new, staged),
            lambda: path.rename(old),
            lambda: staged.rename(path),
            lambda: shutil.rmtree(old),
        ]
        self._path = path
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work)
        self.left = len(self.steps) + 1  # the last one lets the lock go
        self._thread.start()

    def _work(self) -> None:
        self._go.acquire()
        with hold_write_lock(self._path):
            for step in self.steps:
                step()
                self._done.release()
                self._go.acquire()
        self._done.release()

    def step(self) -> None:
        if self.left:
            self.left -= 1
            self._go.release()
            self._done.acquire()

    def finish(self) -> None:
        while self.left:
            self.step()
        self._thread.join()


@contextmanager
def looked_at(act: Callable[[], None]) -> Iterator[None]:
    """Call ``act`` before every look this thread takes at the disk, and whenever it waits."""
    me, inside = threading.get_ident(), [False]

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == me and not inside[0]:
                inside[0] = True
                try:
                    act()
                finally:
                    inside[0] = False
            return real(*args, **kwargs)

        return wrapped

    with pytest.MonkeyPatch.context() as patch:
        for name in ("stat", "lstat", "open", "scandir"):
            patch.setattr(os, name, wrap(getattr(os, name)))
        patch.setattr(time, "sleep", wrap(lambda seconds: None))
        yield


def looks(read: Callable[[], Any]) -> int:
    count = [0]

    def look() -> None:
        count[0] += 1

    with looked_at(look):
        read()
    return count[0]


@pytest.mark.parametrize("gap", [0, 1, 2, 4, 30])
def test_a_save_at_any_moment_of_a_load_is_never_seen_half_done(
    pair: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path, gap: int
) -> None:
    """``gap`` looks pass between the renames."""
    path, new = tmp_path / "here" / "a.z", pair[1].save(tmp_path / "new.z")
    pair[0].save(path)
    wanted = {(z.hash, z.log, z.story) for z in pair}

    def read() -> Any:
        z = load(path)
        return z.hash, z.log, z.story

    total, seen = looks(read), set()
    assert total > 10
    for at in range(1, total + 1):
        pair[0].save(path)
        writer, count = Writer(path, new), [0]

        def act(writer: Writer = writer, count: list[int] = count, at: int = at) -> None:
            count[0] += 1
            if count[0] == at:
                writer.step()
                writer.step()
            elif count[0] > at + gap or count[0] > 10 * total:
                writer.step()

        with looked_at(act):
            try:
                found = read()
            finally:
                writer.finish()
        assert found in wanted
        seen.add(found[0])
        assert [item.name for item in path.parent.iterdir()] == ["a.z"]
    assert pair[1].hash in seen


def test_one_that_saves_without_end_is_made_to_wait(
    pair: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path
) -> None:
    # Without bases: an even number of looks in between would find both in turn, and both whole.
    pair = pair[0].with_(bases={}), pair[1].with_(bases={})
    path, copies = tmp_path / "a.z", [z.save(tmp_path / f"{z.story}.z") for z in pair]
    pair[0].save(path)
    wanted = {(z.hash, z.log, z.story) for z in pair}
    turn, held_off = [0], [0]

    def swap() -> None:
        # The whole save happens between two looks of the reader, again and again.
        turn[0] += 1
        done: list[bool] = []

        def work() -> None:
            try:
                with hold_write_lock(path, timeout=0.0):
                    old, new = path.with_name(f".a.z.old-{A}"), path.with_name(f".a.z.tmp-{B}")
                    shutil.copytree(copies[turn[0] % 2], new)
                    path.rename(old)
                    new.rename(path)
                    shutil.rmtree(old)
                    done.append(True)
            except CircuitzError:
                held_off[0] += 1

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    with looked_at(swap):
        z = load(path)
    assert (z.hash, z.log, z.story) in wanted
    assert held_off[0] > 0


def cut_short(path: Path, new: Path) -> None:
    """What a writer leaves that is killed between its two renames."""
    shutil.copytree(new, path.with_name(f".{path.name}.tmp-{B}"))
    path.rename(path.with_name(f".{path.name}.old-{A}"))


@pytest.mark.parametrize("how", ["load", "append"])
def test_after_a_kill_between_the_renames_the_old_one_is_whole(
    pair: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path, how: str
) -> None:
    path = pair[0].save(tmp_path / "here" / "a.z")
    cut_short(path, pair[1].save(tmp_path / "new.z"))
    if how == "append":
        more = pair[0].annotate("conv2:3", "tail", concepts=())
        assert append_log(path, more.log) == more.log
    else:
        assert load(path).hash == pair[0].hash
    assert [item.name for item in path.parent.iterdir()] == ["a.z"]
    z = load(path)
    assert z.story == "1"
    assert z.weights["conv2.weight"].tobytes() == pair[0].weights["conv2.weight"].tobytes()


def test_after_such_a_kill_a_folder_one_may_not_write_to_says_where_it_is(
    pair: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pair[0].save(tmp_path / "here" / "a.z")
    cut_short(path, pair[1].save(tmp_path / "new.z"))

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr("circuitz.disk.lock.io.FileIO", refuse)
        with pytest.raises(BundleError, match=r"left it as \.a\.z\.old-"):
            load(path)
    left = moved_aside_bundle(path)
    assert left is not None
    assert load(left).hash == pair[0].hash


def test_what_was_opened_can_be_read_while_somebody_saves(
    pair: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path
) -> None:
    """Only the words changed, so the weights are the same file under the same name."""
    path = pair[0].save(tmp_path / "a.z")
    z = load(path)
    new = pair[0].annotate("conv2:3", "tail", concepts=()).save(tmp_path / "new.z")
    writer = Writer(path, new)
    writer.step()
    writer.step()
    assert not path.exists()
    with looked_at(writer.step):
        assert z.weights["conv2.weight"].tobytes() == pair[0].weights["conv2.weight"].tobytes()
    writer.finish()


def test_what_somebody_else_replaced_is_said_to_be_replaced_not_damaged(
    pair: tuple[AnnotatedModel, AnnotatedModel], tmp_path: Path
) -> None:
    path = pair[0].save(tmp_path / "a.z")
    z = load(path)
    writer = Writer(path, pair[1].save(tmp_path / "new.z"))
    writer.finish()
    with pytest.raises(BundleError, match="saved anew") as caught:
        dict(z.weights)
    assert "load it again" in caught.value.hint


def test_a_path_with_nothing_is_said_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    for read, error in ((load, BundleError), (read_inputs, InputsError)):
        with pytest.raises(error, match="There is no"):
            read(tmp_path / "no" / "where.z")
        with pytest.raises(error, match="There is no"):
            read(tmp_path / "where.z")
    assert list(tmp_path.iterdir()) == []


def test_input_sets_survive_the_same(new_inputs: Callable[..., Any], tmp_path: Path) -> None:
    old, new = new_inputs(seed=1), new_inputs(seed=2)
    path = write_inputs(tmp_path / "here" / "D", old)
    cut_short(path, write_inputs(tmp_path / "new", new))
    assert input_set_fingerprint(read_inputs(path)) == input_set_fingerprint(old)
    assert not has_save_leftovers(path)
    total = looks(lambda: read_inputs(path))
    for at in range(1, total + 1):
        write_inputs(path, old)
        writer, count = Writer(path, tmp_path / "new"), [0]

        def act(writer: Writer = writer, count: list[int] = count, at: int = at) -> None:
            count[0] += 1
            if count[0] == at:
                writer.step()
                writer.step()
            elif count[0] > at + 3:
                writer.step()

        with looked_at(act):
            try:
                found = input_set_fingerprint(read_inputs(path))
            finally:
                writer.finish()
        assert found in (input_set_fingerprint(old), input_set_fingerprint(new))
