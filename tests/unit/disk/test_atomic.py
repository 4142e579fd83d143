from __future__ import annotations

from pathlib import Path

import pytest

from circuitz.disk.atomic import (
    finish_killed_save,
    has_save_leftovers,
    locked_temporary_folder,
    replacement_folder,
    staged_file_replacement,
)
from circuitz.errors import BundleWriteError

A, B = "0123abcd", "89efcafe"


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with replacement_folder(tmp_path / "deep" / "a") as folder:
            (folder / "x").write_text(text)
    assert (tmp_path / "deep" / "a" / "x").read_text() == "two"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a"]


def test_what_a_killed_writer_left_is_put_right(tmp_path: Path) -> None:
    path = tmp_path / "a[1]*.z"
    for name, text in ((f".{path.name}.old-{A}", "old"), (f".{path.name}.tmp-{B}", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text(text)
    assert has_save_leftovers(path)
    assert "put back" in finish_killed_save(path)
    assert (path / "x").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert not has_save_leftovers(path)


def test_an_old_folder_left_beside_a_new_one_is_removed(tmp_path: Path) -> None:
    # Only names that are made here: others beside the path belong to somebody else.
    others = [f".ab.old-{A}", ".a.old-mine", ".a.tmp-", f".a.old-{A}0", "a"]
    for name in (*others, f".a.old-{A}", f".a.old-{B}"):
        (tmp_path / name).mkdir()
    assert finish_killed_save(tmp_path / "a") == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(others)


def test_errors_inside_leave_the_old_and_keep_their_kind(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ZeroDivisionError), replacement_folder(tmp_path / "a") as folder:
        (folder / "x").write_text(str(1 // 0))
    with pytest.raises(BundleWriteError), locked_temporary_folder(tmp_path / "a"):
        raise OSError(28, "No space left on device")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert list((tmp_path / "a").iterdir()) == []


def test_a_path_below_a_file_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleWriteError), replacement_folder(tmp_path / "file" / "a"):
        pass


def test_staged_contents_appear_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "head"
    path.write_bytes(b"old")
    with staged_file_replacement(path, b"new"):
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    with pytest.raises(ZeroDivisionError), staged_file_replacement(path, b"never"):
        raise ZeroDivisionError
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["head"]
